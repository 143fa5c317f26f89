"""How treeview draws what other libraries define; each module is imported once its library is."""
