"""A tree in a notebook that asks the kernel for what is opened."""

from typing import TYPE_CHECKING, Any

from treeview._options import changed_options

if TYPE_CHECKING:
    from treeview._widget.live import TreeWidget

PAGE = 200


def widget(obj: object, *, max_items: int = PAGE, **options: Any) -> "TreeWidget":
    """Shows an object as a tree whose branches are looked at when they are opened.

    So an object of any size costs only what is open, and what is opened is shown as it is then.
    Clicking a line, or Enter, selects it: `selected_path` of the widget is its path, and `selected`
    the object there. Without a kernel the notebook shows what was open.

    Needs the extra `widget`: `pip install "treeview-nd[widget]"`.

    Args:
        obj: Any object.
        max_items: How many children of a container are looked at at a time.
        **options: Changes of `treeview.options`; `depth` is how many levels start open.

    Returns:
        The widget, to be displayed: the value of a cell, for one.

    Raises:
        ImportError: anywidget is not installed.
        TypeError: An option is unknown or has a value of another type, or is `roundtrip`.
        ValueError: An option is out of range, or `max_items` is 0.
    """
    if "roundtrip" in options:
        raise TypeError(
            "Expected options of a widget, got `roundtrip`, which writes all of a value;"
            " use `treeview.render` for that."
        )
    chosen = changed_options({"roundtrip": False, "max_items": max_items, **options})
    if max_items < 1:
        raise ValueError(f"Expected `max_items` to be at least 1, got {max_items!r}.")
    try:
        from treeview._widget.live import TreeWidget  # noqa: PLC0415 - an optional library
    except ImportError as error:
        raise ImportError(
            "Expected anywidget to be installed, which `treeview.widget` needs"
            f" ({error}). Install it with `pip install 'treeview-nd[widget]'`."
        ) from error
    return TreeWidget(obj, chosen)
