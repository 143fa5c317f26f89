"""Tools for experiments on models, one per module; import the module that you need."""
