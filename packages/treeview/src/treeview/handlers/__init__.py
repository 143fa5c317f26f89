"""How Python's own types look."""

from treeview._registry import Registry
from treeview.handlers import builtins, containers, errors, functions, objects, wrappers


def register(registry: Registry) -> None:
    """Registers the handlers of all of Python's own types."""
    for module in (builtins, containers, objects, functions, errors, wrappers):
        module.register(registry)
