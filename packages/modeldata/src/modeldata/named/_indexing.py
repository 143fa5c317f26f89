"""Indexing of named arrays, by position and by name, for reading and for updates.

See `_index_plan` for what an index means. Here are the values: they are taken out of the index,
checked, and put into the index tuple that was planned for its form.
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from modeldata import _repr
from modeldata.named import _eager
from modeldata.named._aligned import fitted, is_arraylike, signature
from modeldata.named._base import Named
from modeldata.named._index_plan import (
    Change,
    Entry,
    Form,
    Key,
    Part,
    Pick,
    Range,
    change_of,
    steps_of,
    target_of,
)

_N = TypeVar("_N", bound=Named)


def get(x: _N, index: Any, **options: Any) -> _N:
    """Returns the part of an array that an index tells.

    Args:
        x: The array.
        index: A dictionary from axis names to indices, or an index of the positional axes.
        **options: As for `jax.numpy.ndarray.at[...].get`.

    Raises:
        IndexError: If there are too many indices, or boolean ones.
        TypeError: If something is no index.
        ValueError: If names are unknown or repeated, or the sizes of shared axes differ.
    """
    form, values = _split(index)
    target = target_of(*signature(x), form)
    read = _read if target.is_sliced else _read_compiled
    return x._make(read(target.key, tuple(options.items()), x.data_array, *values), target.dims)


def update(x: _N, index: Any, method: str, value: Any, **options: Any) -> _N:
    """Returns a copy of an array in which the part that an index tells is changed.

    Args:
        x: The array.
        index: A dictionary from axis names to indices, or an index of the positional axes.
        method: Name of a method of `jax.numpy.ndarray.at[...]`.
        value: A named array, an array or a number, that broadcasts to what `get` would return. If
            the value or the index arrays have names that `x` lacks, there is a copy for each.
        **options: As for that method.

    Raises:
        IndexError: If there are too many indices, or boolean ones.
        TypeError: If something is no index, or no array.
        ValueError: If names are unknown or repeated, or sizes differ.
    """
    if not isinstance(value, Named) and not is_arraylike(value):
        raise TypeError(
            f"Expected an array or a number as the new value, got {_repr.brief(value)}. "
            "Use `.apply(function)` to compute it from the old one."
        )
    form, values = _split(index)
    change, dims, is_sliced = change_of(*signature(x), form, signature(value))
    write = _written if is_sliced else _written_compiled
    plain_value = value.data_array if isinstance(value, Named) else value
    return x._make(
        write(change, method, tuple(options.items()), x.data_array, plain_value, *values), dims
    )


class IndexHelper(Generic[_N]):
    """What `x.at` returns: it takes an index."""

    def __init__(self, array: _N) -> None:
        self._array = array

    def __getitem__(self, index: Any) -> "IndexedPart[_N]":
        return IndexedPart(self._array, index)


class IndexedPart(Generic[_N]):
    """A part of an array: `x.at[index]`. Every method returns a new array.

    Options are those of `jax.numpy.ndarray.at`: `mode`, `indices_are_sorted`, `unique_indices`.
    """

    def __init__(self, array: _N, index: Any) -> None:
        self._array = array
        self._index = index

    def get(self, **options: Any) -> _N:
        """Returns the part; `mode="fill"` and `fill_value` say what lies outside the array."""
        return get(self._array, self._index, **options)

    def set(self, value: Any, /, **options: Any) -> _N:
        """Replaces the part by a value."""
        return update(self._array, self._index, "set", value, **options)

    def apply(self, function: Any, /, **options: Any) -> _N:
        """Replaces each element of the part by an elementwise function of it."""
        x = self._array
        form, values = _split(self._index)
        change, dims, _ = change_of(*signature(x), form, ((), ()))
        part = _part(change, x.data_array, values)
        return x._make(part.apply(function, **options), dims)

    def add(self, value: Any, /, **options: Any) -> _N:
        """Adds a value to the part."""
        return update(self._array, self._index, "add", value, **options)

    def subtract(self, value: Any, /, **options: Any) -> _N:
        """Subtracts a value from the part."""
        return update(self._array, self._index, "subtract", value, **options)

    def multiply(self, value: Any, /, **options: Any) -> _N:
        """Multiplies the part by a value."""
        return update(self._array, self._index, "multiply", value, **options)

    mul = multiply

    def divide(self, value: Any, /, **options: Any) -> _N:
        """Divides the part by a value."""
        return update(self._array, self._index, "divide", value, **options)

    def power(self, value: Any, /, **options: Any) -> _N:
        """Raises the part to a power."""
        return update(self._array, self._index, "power", value, **options)

    def min(self, value: Any, /, **options: Any) -> _N:
        """Replaces the part by the smaller of it and a value."""
        return update(self._array, self._index, "min", value, **options)

    def max(self, value: Any, /, **options: Any) -> _N:
        """Replaces the part by the larger of it and a value."""
        return update(self._array, self._index, "max", value, **options)


# ---- From an index to its form and values ----


def _split(index: Any) -> tuple[Form, list[Any]]:
    if isinstance(index, Mapping):
        names, items = tuple(index), tuple(index.values())
    else:
        names, items = None, index if isinstance(index, tuple) else (index,)
    entries: list[Entry] = []
    values: list[Any] = []
    for item in items:
        if item is None or (item is ... and names is None):
            entries.append(item)
        elif type(item) is int:
            entries.append(_NUMBER)
            values.append(item)
        elif isinstance(item, slice):
            entries.append(_range(item))
        else:
            array = _index_array(item)
            entries.append(Pick(*signature(array)))
            values.append(array.data_array if isinstance(array, Named) else array)
    return Form(names, tuple(entries)), values


_NUMBER = Pick((), ())


def _range(item: slice) -> Range:
    if item.step is not None and not isinstance(item.step, jax.Array) and item.step == 0:
        raise ValueError("Expected a slice with a step other than 0. Use -1 to go backwards.")
    return Range(*map(_bound, (item.start, item.stop, item.step)))


def _bound(bound: Any) -> int | None:
    if bound is None:
        return None
    if isinstance(bound, jax.Array):
        return int(bound)  # of a traced array, it raises the error that explains tracing best
    try:
        return operator.index(bound)
    except TypeError:
        raise TypeError(
            f"Expected integers as the bounds of a slice, got {_repr.brief(bound)}. Convert it "
            "with `int` first."
        ) from None


def _index_array(item: Any) -> Any:
    """Returns an index array, or raises an error that says what is wrong with it."""
    if isinstance(item, (list, tuple)):
        item = np.asarray(item, dtype=None if item else int)
    given = item.data_array if isinstance(item, Named) else item
    dtype = jnp.result_type(given) if is_arraylike(given) else None
    if dtype == np.bool_:
        raise IndexError(
            "Expected an integer index, got a boolean one, whose result would have no fixed shape. "
            "Use `nx.where(mask, x, other)`, or integer indices."
        )
    if dtype is None or not jnp.issubdtype(dtype, jnp.integer):
        raise TypeError(
            "Expected a slice, an integer, an integer array, or None as the index of an axis, got "
            f"{_repr.brief(item)}. Convert it first; to index an axis by its name, use a "
            "dictionary, as in `x[{name: index}]`."
        )
    return item


# ---- From a plan to data ----


def _read(key: Key, options: tuple[tuple[str, Any], ...], data: Any, *values: Any) -> Any:
    data, index = jnp.asarray(data), _filled(key, values)
    return data.at[index].get(**dict(options)) if options else data[index]


def _written(
    change: Change,
    method: str,
    options: tuple[tuple[str, Any], ...],
    data: Any,
    value: Any,
    *values: Any,
) -> Any:
    part = _part(change, data, values)
    return getattr(part, method)(fitted(value, change.fit), **dict(options))


# Slices stay out of these, because they would be compiled anew for every bound.
_read_compiled = _eager.compiled(static=2)(_read)
_written_compiled = _eager.compiled(static=3)(_written)


def _part(change: Change, data: Any, values: Sequence[Any]) -> Any:
    """Returns the part of the stored array to update."""
    data = jnp.asarray(data)
    if change.copies:
        data = jnp.broadcast_to(data, (*change.copies, *data.shape))
    return data.at[_filled(change.key, values)]


def _filled(key: Key, values: Sequence[Any]) -> tuple[Any, ...]:
    """Returns an index tuple for JAX."""
    return tuple(_filled_entry(entry, values) for entry in key)


def _filled_entry(entry: Range | Part | None, values: Sequence[Any]) -> Any:
    if isinstance(entry, Part):
        array = steps_of(entry) if entry.number is None else values[entry.number]
        return fitted(array, entry.fit)
    return None if entry is None else slice(*entry)
