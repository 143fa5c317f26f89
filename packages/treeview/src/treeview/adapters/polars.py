"""polars: tables by their head; lazy ones are never collected."""

# pyright: standard, reportMissingImports=false
# polars is not installed where types are checked.

from typing import Any

import polars as pl

from treeview._document import Text, text
from treeview._names import class_of
from treeview._registry import Registry
from treeview._view import Sketch, View
from treeview.adapters._tables import Column, shown_columns, table_sketch

_ITEMS = 10
"""Items of a list in a cell that are read."""


def show_frame(frame: pl.DataFrame, view: View) -> Sketch:
    """A table by its head.

    Args:
        frame: Any table; only the rows that are shown are read.
        view: The builder.
    """
    columns = [_column(frame.to_series(place)) for place in shown_columns(frame.width)]
    return _marked(frame, view, columns, total=frame.width)


def show_series(series: pl.Series, view: View) -> Sketch:
    """A column by its head.

    Args:
        series: Any column; only the values that are shown are read.
        view: The builder.
    """
    return _marked(series, view, [_column(series)], total=None)


def _marked(obj: Any, view: View, columns: list[Column], *, total: int | None) -> Sketch:
    sketch = table_sketch(
        view,
        name=view.type_name(class_of(obj)),
        index=None,
        columns=columns,
        rows=len(obj),
        total=total,
        size=int(obj.estimated_size()),
    )
    if view.options.roundtrip:
        sketch.head, sketch.tail = text("<", sketch.head), text(sketch.tail, ">")
    return sketch


def _column(series: pl.Series) -> Column:
    return Column(series.name, str(series.dtype), lambda row: _cell(series[row]))


def _cell(value: Any) -> Any:
    if isinstance(value, pl.Series):  # a list in a cell
        return f"{value.head(_ITEMS).to_list()}"
    return "null" if value is None else value


def _show_lazy(frame: pl.LazyFrame, view: View) -> Text:
    # Its plan and even its column names may need a look into files that are far away.
    name = view.type_name(class_of(frame))
    return view.text("<", (name, "type"), (" not collected", "muted"), ">")


def _show_expression(expression: pl.Expr, view: View) -> Text:
    return view.text("<", ("Expr", "type"), f" {expression}>")


def register(registry: Registry) -> None:
    """Tells a registry about polars' types."""
    registry.register(pl.DataFrame, show_frame)
    registry.register(pl.Series, show_series)
    registry.register(pl.LazyFrame, _show_lazy)
    registry.register(pl.Expr, _show_expression)
