"""Sparse arrays of SciPy, of every format, as arrays of which some values are stored."""

# pyright: standard, reportMissingImports=false
# SciPy is not installed where types are checked.

import math
from collections.abc import Sequence
from typing import Any

from scipy import sparse

from treeview._names import type_name
from treeview._registry import Registry
from treeview.adapters._merging import dense_window, with_zeros
from treeview.arrays.elements import dtype_name
from treeview.arrays.protocol import ArrayInfo, Statistics, Window, positional_axes
from treeview.arrays.statistics import NumpyArray, array_statistics


class SparseAdapter:
    """Speaks for sparse arrays; what is not stored is zero and is never written out."""

    def describe(self, array: Any) -> ArrayInfo:
        """Shape, element type and how many values are stored."""
        size = sum(getattr(getattr(array, name, None), "nbytes", 0) for name in _PARTS)
        return ArrayInfo(
            type_name=type_name(type(array)),
            dtype=dtype_name(array.dtype),
            axes=positional_axes(tuple(map(int, array.shape))),
            bytes=int(size or array.nnz * array.dtype.itemsize),
            note=f"{array.format} nnz:{array.nnz:_}",
        )

    def statistics(self, arrays: Sequence[Any]) -> Sequence[Statistics | None]:
        """Statistics of all values of each array, zeros included."""
        return [_statistics(array) for array in arrays]

    def fetch(self, requests: Sequence[tuple[Any, Window]]) -> Sequence[NumpyArray]:
        """The values in each window, zeros included."""
        found: list[NumpyArray] = []
        for array, window in requests:
            stored = _stored(array)
            found.append(dense_window(stored.coords, stored.data, window))
        return found


_PARTS = ("data", "indices", "indptr", "row", "col", "offsets")


def _stored(array: Any) -> Any:
    """The values with their coordinates, each place once."""
    if getattr(array, "has_canonical_format", True):
        return array.tocoo(copy=False)
    stored = array.tocoo(copy=True)
    stored.sum_duplicates()
    return stored


def _statistics(array: Any) -> Statistics | None:
    values = _stored(array).data
    zero = values.dtype.type(0).item()
    return with_zeros(array_statistics(values), math.prod(array.shape) - values.size, zero)


def register(registry: Registry) -> None:
    """Tells a registry about SciPy's sparse types."""
    adapter = SparseAdapter()
    # Two of them are dictionaries besides, which comes earlier in their order of bases.
    for cls in (sparse.sparray, sparse.spmatrix, sparse.dok_array, sparse.dok_matrix):
        registry.register_array(cls, adapter)
