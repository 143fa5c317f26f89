"""Display in notebooks: what IPython asks treeview to show, and how to undo that."""

from treeview.notebook.ipython import install, uninstall
from treeview.notebook.magics import load_ipython_extension, unload_ipython_extension

__all__ = ["install", "load_ipython_extension", "uninstall", "unload_ipython_extension"]
