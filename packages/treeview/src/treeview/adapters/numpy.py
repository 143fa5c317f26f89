"""NumPy: arrays of every element type, scalars and element types."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from treeview._document import Text
from treeview._names import type_module, type_name
from treeview._registry import Registry
from treeview._view import View
from treeview.arrays.elements import dtype_name
from treeview.arrays.expressions import array_expression
from treeview.arrays.protocol import ArrayInfo, Statistics, Window, positional_axes
from treeview.arrays.statistics import NumpyArray, array_statistics
from treeview.arrays.windows import take_window


class NumpyAdapter:
    """Speaks for `numpy.ndarray` and its subclasses."""

    def describe(self, array: NumpyArray) -> ArrayInfo:
        """What is known without looking at values."""
        return ArrayInfo(
            type_name=_array_type_name(type(array)),
            dtype=dtype_name(array.dtype),
            axes=positional_axes(np.asarray(array).shape),
            bytes=array.nbytes,
        )

    def statistics(self, arrays: Sequence[NumpyArray]) -> Sequence[Statistics | None]:
        """Statistics of each array, made from its memory in place."""
        return [array_statistics(array) for array in arrays]

    def fetch(self, requests: Sequence[tuple[NumpyArray, Window]]) -> Sequence[NumpyArray]:
        """Copies of the windows; masked arrays stay masked."""
        return [_window_of(array, window) for array, window in requests]

    def expression(self, array: NumpyArray) -> str | None:
        """A Python expression of an equal array, or None."""
        return array_expression(array, "numpy.array") if type(array) is np.ndarray else None


def _window_of(array: NumpyArray, window: Window) -> NumpyArray:
    if not isinstance(array, np.ma.MaskedArray):
        array = np.asarray(array)
    return take_window(array, window)


def _array_type_name(cls: type) -> str:
    name = type_name(cls)
    for module, prefix in ((np, "np"), (np.ma, "np.ma")):
        if getattr(module, name, None) is cls:
            return f"{prefix}.{name}"
    return name


def _show_dtype(dtype: np.dtype[Any], view: View) -> Text:
    prefix = "numpy." if view.options.roundtrip else ""
    return view.text(prefix, (repr(dtype), "plain"))


def _show_scalar(scalar: np.generic, view: View) -> Text | None:
    if type_module(type(scalar)) not in {"numpy", "ml_dtypes"}:
        return None  # a subclass of its own may look different
    style = "string" if isinstance(scalar, np.character) else "number"
    text = repr(scalar)
    if view.options.roundtrip and text.startswith("np."):
        text = f"numpy.{text.removeprefix('np.')}"
        value: Any = scalar
        if isinstance(scalar, np.inexact) and not np.isfinite(value) and "'" not in text:
            text = text.replace("(", "('").replace(")", "')")
    return view.text((text, style))


def register(registry: Registry) -> None:
    """Tells a registry about NumPy's types."""
    registry.register_array(np.ndarray, NumpyAdapter())
    registry.register(np.dtype, _show_dtype)
    registry.register(np.generic, _show_scalar)
