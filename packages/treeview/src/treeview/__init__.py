"""Shows any Python object as a foldable tree with pictures of its arrays."""

from treeview._options import Options, current_options, options
from treeview._registry import register, register_array
from treeview._rendering import Rendering, render, render_html, render_text, show
from treeview._view import View

__all__ = [
    "Options",
    "Rendering",
    "View",
    "current_options",
    "options",
    "register",
    "register_array",
    "render",
    "render_html",
    "render_text",
    "show",
]
