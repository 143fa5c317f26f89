"""Sparse arrays of `jax.experimental.sparse`: what is stored, where, and the shape of the whole."""

# pyright: standard
# JAX leaves many of its types unknown, which strict checking takes for errors.

from typing import Any

from jax.experimental import sparse

from treeview._names import class_of
from treeview._registry import Registry
from treeview._view import Sketch, View
from treeview.handlers.objects import not_rebuilt

_PARTS = ("data", "indices", "indptr", "row", "col")


def show_sparse(array: Any, view: View) -> Sketch:
    """A sparse array: `BCOO(data=..., indices=..., shape=(3, 3))`.

    Args:
        array: A sparse array of any format.
        view: The builder.
    """
    fields = {name: getattr(array, name) for name in _PARTS if hasattr(array, name)}
    fields["shape"] = tuple(array.shape)
    sketch = view.record(array, fields, name=view.type_name(class_of(array)), static=["shape"])
    return not_rebuilt(sketch) if view.options.roundtrip else sketch


def register(registry: Registry) -> None:
    """Tells a registry about JAX's sparse arrays."""
    for cls in (sparse.BCOO, sparse.BCSR, sparse.COO, sparse.CSR, sparse.CSC):
        registry.register(cls, show_sparse)
