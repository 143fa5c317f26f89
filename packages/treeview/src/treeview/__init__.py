"""Shows any Python object as a foldable tree with pictures of its arrays."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from treeview._aliases import add_alias
from treeview._options import Options, current_options, options
from treeview._registry import Registry, register, register_array, unregister
from treeview._rendering import Rendering, render, render_html, render_text, show
from treeview._totals import Totals
from treeview._view import Shown, Sketch, View
from treeview._walk import totals
from treeview._widget import widget

if TYPE_CHECKING:
    from treeview._array_figure import integer_digitbox, render_array, render_array_sharding
    from treeview._figures import (
        Figure,
        bolded,
        indented,
        inline,
        styled,
        text_on_color,
        with_color,
        with_font_size,
    )
    from treeview._report import Page
    from treeview._token_figures import token_attention, token_scores
    from treeview.arrays.autovisualizer import ArrayAutovisualizer
    from treeview.arrays.delegate import delegating_adapter
    from treeview.arrays.protocol import ArrayAdapter, ArrayInfo, Axis, Shard, Statistics
    from treeview.notebook import (
        install,
        load_ipython_extension,
        uninstall,
        unload_ipython_extension,
    )

__all__ = [
    "ArrayAdapter",
    "ArrayAutovisualizer",
    "ArrayInfo",
    "Axis",
    "Figure",
    "Options",
    "Page",
    "Registry",
    "Rendering",
    "Shard",
    "Shown",
    "Sketch",
    "Statistics",
    "Totals",
    "View",
    "add_alias",
    "bolded",
    "current_options",
    "delegating_adapter",
    "indented",
    "inline",
    "install",
    "integer_digitbox",
    "load_ipython_extension",
    "options",
    "register",
    "register_array",
    "render",
    "render_array",
    "render_array_sharding",
    "render_html",
    "render_text",
    "show",
    "styled",
    "text_on_color",
    "token_attention",
    "token_scores",
    "totals",
    "uninstall",
    "unload_ipython_extension",
    "unregister",
    "widget",
    "with_color",
    "with_font_size",
]

# What not every program uses loads when it is first asked for.
_LATER = {
    "treeview._array_figure": ("integer_digitbox", "render_array", "render_array_sharding"),
    "treeview._figures": (
        "Figure",
        "bolded",
        "indented",
        "inline",
        "styled",
        "text_on_color",
        "with_color",
        "with_font_size",
    ),
    "treeview._report": ("Page",),
    "treeview._token_figures": ("token_attention", "token_scores"),
    "treeview.arrays.autovisualizer": ("ArrayAutovisualizer",),
    "treeview.arrays.delegate": ("delegating_adapter",),
    "treeview.arrays.protocol": ("ArrayAdapter", "ArrayInfo", "Axis", "Shard", "Statistics"),
    "treeview.notebook": (
        "install",
        "load_ipython_extension",
        "uninstall",
        "unload_ipython_extension",
    ),
}
_PLACES = {name: module for module, names in _LATER.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
