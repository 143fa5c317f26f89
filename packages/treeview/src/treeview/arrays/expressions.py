"""Python expressions that evaluate to an equal array, for roundtrip text."""

import math
from contextvars import ContextVar
from typing import Any

import numpy as np

from treeview.arrays.statistics import NumpyArray, number_kind

LARGEST = 100_000
"""How many values an expression has at most."""

most_values: ContextVar[int] = ContextVar("treeview.most_values", default=LARGEST)
"""Of how many values at most an expression is asked for, where that is to be less."""


def array_expression(array: NumpyArray, function: str) -> str | None:
    """A call that makes an equal array, or None where there is none of reasonable length.

    Args:
        array: A plain array of numbers, truth values, times or texts.
        function: What to call, such as `numpy.array`.
    """
    dtype = array.dtype
    kind = number_kind(dtype)
    texts = dtype.kind in "SU"
    extended = dtype.kind in "fc" and dtype.itemsize > (8 if dtype.kind == "f" else 16)
    if array.size > LARGEST or extended or not (kind or texts):
        return None
    items = array
    if dtype.kind == "V":  # a type of ml_dtypes, all values of which are float64 too
        items = array.astype(np.float64)
    elif kind == "time":
        items = array.astype(str if dtype.kind == "M" else np.int64)
    values = items.tolist()
    shaped = array.size > 0 or array.ndim == 1  # nested empty lists lose their inner sizes
    inside = _expression(values) if shaped else "[]"
    name = dtype.str if texts or kind == "time" or not dtype.isnative else dtype.name
    call = f"{function}({inside}, dtype={name!r})"
    return call if shaped else f"{call}.reshape({array.shape})"


def _expression(value: Any) -> str:
    if isinstance(value, list):
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - nested values
        return f"[{', '.join(map(_expression, items))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, complex):
        return f"complex({_expression(value.real)}, {_expression(value.imag)})"
    return repr(value)
