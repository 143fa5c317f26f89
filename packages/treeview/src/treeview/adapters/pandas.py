"""pandas: tables by their head, indices and columns by their first values."""

# pyright: standard, reportMissingImports=false
# pandas is not installed where types are checked.

from typing import Any

import numpy as np
import pandas as pd

from treeview._document import Text, text
from treeview._guard import Damage, guarded, safe_repr
from treeview._names import class_of
from treeview._registry import Registry
from treeview._view import Sketch, View
from treeview.adapters._tables import Column, shown_columns, table_sketch
from treeview.arrays.delegate import delegating_adapter
from treeview.handlers.objects import draw_written


def show_frame(frame: pd.DataFrame, view: View) -> Any:
    """A table by its head, its columns below, folded.

    Args:
        frame: Any table; only the rows that are shown are read.
        view: The builder.
    """
    if view.options.roundtrip:
        return _marked(frame, view)
    count = len(frame.columns)
    places = shown_columns(count)
    columns = [_column(frame.iloc[:, place], frame.columns[place]) for place in places]
    return table_sketch(
        view,
        name=view.type_name(class_of(frame)),
        index=_index_column(frame.index),
        columns=columns,
        rows=len(frame),
        total=count,
        size=int(frame.memory_usage(deep=False).sum()),
        more=[_columns_sketch(frame, view)] if count else (),
    )


def _columns_sketch(frame: pd.DataFrame, view: View) -> Sketch:
    """The columns as arrays, for their statistics."""
    names = frame.columns
    pairs = ((name, _values(frame.iloc[:, place], view)) for place, name in enumerate(names))
    steps = "key" if names.is_unique else None
    sketch = view.mapping(frame, pairs, steps=steps, count=len(names), opened=False)
    sketch.head = text(("columns", "static"), "={")
    return sketch


def _values(series: pd.Series, view: View) -> Any:
    values = series.array
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biufcmM":
        return view.array(series, _COLUMN)
    return text((f"{series.dtype}[{len(values)}]", "array"))


_COLUMN = delegating_adapter(np.asarray, type_name="")


def show_series(series: pd.Series, view: View) -> Any:
    """A column by its head.

    Args:
        series: Any column; only the values that are shown are read.
        view: The builder.
    """
    if view.options.roundtrip:
        return _marked(series, view)
    return table_sketch(
        view,
        name=view.type_name(class_of(series)),
        index=_index_column(series.index),
        columns=[_column(series, "" if series.name is None else series.name)],
        rows=len(series),
        size=int(series.memory_usage(deep=False)),
        more=[_series_values(series, view)],
    )


def _series_values(series: pd.Series, view: View) -> Any:
    values = _values(series, view)
    return Sketch(
        head=text(("values", "static"), "="), children=[values], count=1, separator="", opened=None
    )


def _marked(obj: Any, view: View) -> Any:
    """What no expression rebuilds, in marks that Python refuses."""
    return draw_written(obj, f"<{safe_repr(obj)}>", view)


def _column(series: pd.Series, name: Any) -> Column:
    return Column(_name(name), str(series.dtype), lambda row: _plain(series.iloc[row]))


def _index_column(index: pd.Index) -> Column:
    name = "" if index.name is None else _name(index.name)
    return Column(name, "", lambda row: index[row])


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.number) else value


def _name(name: Any) -> str:
    try:
        return name if type(name) is str else str(guarded(str, name, doing="__str__"))
    except Damage as damage:
        return f"<{damage}>"


def _show_index(index: pd.Index, view: View) -> Sketch:
    words = [str(index.dtype)] if not isinstance(index, pd.MultiIndex) else []
    names = [_name(name) for name in index.names if name is not None]
    words += [f"named {', '.join(names)}"] if names else []
    return _row(index, view, ", ".join(words))


def _show_range(index: pd.RangeIndex, view: View) -> Text:
    name = "" if index.name is None else f", name={index.name!r}"
    arguments = f"({index.start}, {index.stop}, {index.step}{name})"
    return view.text((view.type_name(class_of(index)), "type"), arguments)


def _show_extension(values: Any, view: View) -> Sketch:
    if isinstance(values, pd.Categorical):
        note = f"{len(values.categories):,} categories{', ordered' if values.ordered else ''}"
    else:
        note = str(values.dtype)
    return _row(values, view, note)


def _row(values: Any, view: View, note: str) -> Sketch:
    name, count = view.type_name(class_of(values)), len(values)
    sketch = view.sequence(
        values,
        map(_plain, values),
        brackets=("([", "])"),
        name=name,
        count=count,
        note=note or None,
    )
    if view.options.roundtrip:
        sketch.head, sketch.tail = text("<", sketch.head), text(sketch.tail, ">")
    return sketch


def _show_groups(groups: Any, view: View) -> Sketch:
    state = object.__getattribute__(groups, "__dict__")
    return view.record(groups, {"keys": state.get("keys"), "obj": state.get("obj")})


def register(registry: Registry) -> None:
    """Tells a registry about pandas' types."""
    registry.register(pd.DataFrame, show_frame)
    registry.register(pd.Series, show_series)
    registry.register(pd.Index, _show_index)
    registry.register(pd.RangeIndex, _show_range)
    registry.register(pd.api.extensions.ExtensionArray, _show_extension)
    registry.register(pd.api.typing.DataFrameGroupBy, _show_groups)
    registry.register(pd.api.typing.SeriesGroupBy, _show_groups)
