"""Indexing of named arrays, by position and by name, for reading and for updates.

Every kind of index becomes one index tuple for the stored array, so that one gather or one scatter
does all the work, without `jax.vmap`. An index array may itself have named axes. A name that the
indexed array lacks is new: it says where the result gets an axis. A name that both have means that
the two go along it together, as everywhere with named axes. In terms of the stored array that is
an index, too: along the shared axis, `arange` in step with the rest.

What remains is to know where the axes of the result are stored. NumPy puts the axes of all index
arrays together, in the place of the first one if these stand next to each other, and in front
otherwise. That decides the order of storage, and again, among the positional axes alone, the
order that the user sees.
"""

import dataclasses
import operator
from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from modeldata import _repr
from modeldata.named._aligned import aligned, fit_to, is_arraylike
from modeldata.named._base import Named
from modeldata.named._dims import AxisName, Labels, check_known, check_names, dims_of, shown

_N = TypeVar("_N", bound=Named)
_ALL = slice(None)


class _Pick(NamedTuple):
    """An index array, or a number, for one axis; it takes the axis away."""

    value: Any


@dataclasses.dataclass(frozen=True)
class _Axis:
    """A positional axis of the result, by where it comes from and its number there.

    Attributes:
        source: "stored" for an axis of the indexed array, "block" for one of the index arrays, or
            "new" for one that the index introduces.
        number: The number of the stored axis, or else a count.
    """

    source: str
    number: int


class _Index(NamedTuple):
    """What an index asks for.

    Attributes:
        items: For every stored axis, a slice or a `_Pick`.
        introduced: New axes of size 1: names, or `_Axis`.
        order: The positional axes of the result in order, with `...` in place of those of the
            index arrays.
    """

    items: list[Any]
    introduced: list[Any]
    order: list[Any]


class _Target(NamedTuple):
    """Where an index leads.

    Attributes:
        key: The index tuple for the stored array.
        labels: The labels of what is found there.
        shape: Its shape.
    """

    key: tuple[Any, ...]
    labels: Labels
    shape: tuple[int, ...]


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
    target = _target(x, _parse(x, index))
    data = jnp.asarray(x.data_array)
    found = data.at[target.key].get(**options) if options else data[target.key]
    return x._make(found, dims_of(target.labels))


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
    x, target = _update_target(x, index, value)
    ready = _check_value(value, target)
    changed = getattr(jnp.asarray(x.data_array).at[target.key], method)(ready, **options)
    return x._make(changed, x.dims)


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
        x, target = _update_target(self._array, self._index, 0)
        data = jnp.asarray(x.data_array).at[target.key].apply(function, **options)
        return x._make(data, x.dims)

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


def _parse(x: Named, index: Any) -> _Index:
    return _parse_names(x, index) if isinstance(index, Mapping) else _parse_positions(x, index)


def _parse_names(x: Named, index: Mapping[AxisName, Any]) -> _Index:
    layout = x.layout
    introduced = [name for name, item in index.items() if item is None]
    check_names((*layout.names, *introduced))
    check_known([name for name in index if name not in introduced], layout.names)
    items: list[Any] = [_ALL] * len(layout.labels)
    for name, item in index.items():
        if item is not None:
            items[layout.axis_of[name]] = _item(item)
    return _Index(items, introduced, [..., *(_Axis("stored", axis) for axis in layout.positional)])


def _parse_positions(x: Named, index: Any) -> _Index:
    layout = x.layout
    parts = list(index) if isinstance(index, tuple) else [index]
    dots = [i for i, part in enumerate(parts) if part is ...]
    used = sum(part is not None and part is not ... for part in parts)
    if len(dots) > 1:
        raise IndexError("Expected at most one `...` in an index, got several. Write `:` instead.")
    if used > layout.rank:
        raise IndexError(
            f"Expected at most {layout.rank} indices, one for each positional axis, got {used}. "
            f"Index the named axes ({shown(layout.names)}) with a dictionary, as in "
            "`x[{name: index}]`."
        )
    place = dots[0] if dots else len(parts)
    parts[place : place + 1] = [_ALL] * (layout.rank - used)
    return _place(x, parts, place if dots else 0)


def _place(x: Named, parts: Sequence[Any], dots: int) -> _Index:
    """Assigns the parts of a complete index, which had `...` before one, to the stored axes."""
    layout = x.layout
    items: list[Any] = [_ALL] * len(layout.labels)
    introduced: list[Any] = []
    order: list[Any] = []
    picks: list[int] = []
    remaining = iter(layout.positional)
    for place, part in enumerate(parts):
        if part is None:
            introduced.append(_Axis("new", len(introduced)))
            order.append(introduced[-1])
            continue
        axis = next(remaining)
        items[axis] = _item(part)
        if isinstance(items[axis], _Pick):
            picks.append(place)
            order.append(None)  # keeps places and order in step for now
        else:
            order.append(_Axis("stored", axis))
    together = bool(picks) and picks[-1] - picks[0] == len(picks) - 1
    split = bool(picks) and picks[0] < dots <= picks[-1]  # also if `...` stood for no axis
    block = picks[0] if together and not split else 0
    order[block:block] = [...]
    return _Index(items, introduced, [entry for entry in order if entry is not None])


def _item(item: Any) -> Any:
    """Returns the index of one axis as a slice or a `_Pick`."""
    if isinstance(item, slice):
        return slice(*map(_bound, (item.start, item.stop, item.step)))
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
            f"{_repr.brief(item)}. Convert it first."
        )
    return _Pick(item)


def _bound(bound: Any) -> int | None:
    if bound is None:
        return None
    # `int` of a traced array raises the error that explains tracing best.
    return int(bound) if isinstance(bound, jax.Array) else operator.index(bound)


def _target(x: Named, index: _Index) -> _Target:
    layout = x.layout
    shape = x.data_array.shape
    items = _with_shared_axes(x, index.items)
    picked = [axis for axis, item in enumerate(items) if isinstance(item, _Pick)]
    arrays, block = aligned([items[axis].value for axis in picked]) if picked else ([], ())
    for axis, array in zip(picked, arrays, strict=True):
        items[axis] = array
    sizes = np.broadcast_shapes(*map(np.shape, arrays))
    found = [
        (_Axis("block", label) if isinstance(label, int) else label, size)
        for label, size in zip(block, sizes, strict=True)
    ]
    kept = {
        axis: (layout.labels[axis], _length(item, shape[axis]))
        for axis, item in enumerate(items)
        if axis not in picked
    }
    introduced = [(label, 1) for label in index.introduced]
    entries = _stored_order(introduced, kept, picked, found)
    numbers = _numbering(index.order, sum(isinstance(label, int) for label in block))
    labels = tuple(numbers.get(label, label) for label, _ in entries)
    check_names(label for label in labels if not isinstance(label, int))
    key = (*(None for _ in index.introduced), *items)
    return _Target(key, labels, tuple(size for _, size in entries))


def _stored_order(
    introduced: list[tuple[Any, int]],
    kept: Mapping[int, tuple[AxisName, int]],
    picked: Sequence[int],
    block: Sequence[tuple[Any, int]],
) -> list[tuple[Any, int]]:
    """Returns the axes of what an index tuple finds, with their sizes, as NumPy stores them.

    Args:
        introduced: The new axes.
        kept: The label and the new size of each stored axis that stays.
        picked: The stored axes that index arrays take away.
        block: The axes of the index arrays together.
    """

    def named(axis: int) -> tuple[Any, int]:
        label, size = kept[axis]
        return (_Axis("stored", axis) if isinstance(label, int) else label), size

    together = bool(picked) and picked[-1] - picked[0] == len(picked) - 1
    if not together:
        return [*block, *introduced, *map(named, kept)]
    before = [named(axis) for axis in kept if axis < picked[0]]
    after = [named(axis) for axis in kept if axis > picked[0]]
    return [*introduced, *before, *block, *after]


def _numbering(order: Sequence[Any], block_rank: int) -> dict[Any, int]:
    """Numbers the positional axes of the result."""
    block = [_Axis("block", number) for number in range(block_rank)]
    place = order.index(...)
    complete = [*order[:place], *block, *order[place + 1 :]]
    return {axis: number for number, axis in enumerate(complete)}


def _with_shared_axes(x: Named, items: Sequence[Any]) -> list[Any]:
    """Adds an index for each axis whose name an index array has, too, so that they go together."""
    layout = x.layout
    used = _names_of(items)
    result = list(items)
    for axis, (label, item) in enumerate(zip(layout.labels, items, strict=True)):
        if isinstance(label, int) or label not in used or isinstance(item, _Pick):
            continue
        steps = np.arange(x.data_array.shape[axis], dtype=np.int32)[item]
        if len(steps) != used[label]:
            raise ValueError(
                f"Expected each axis name to have one size, but {label!r} has size {used[label]} "
                f"in an index and {len(steps)} in the indexed array. Slice or rename one of them."
            )
        result[axis] = _Pick(x._make(steps, (label,)))
    return result


def _names_of(items: Sequence[Any]) -> dict[AxisName, int]:
    sizes: dict[AxisName, int] = {}
    for item in items:
        if isinstance(item, _Pick) and isinstance(item.value, Named):
            sizes.update(item.value.named_shape)
    return sizes


def _length(item: slice, size: int) -> int:
    return len(range(*item.indices(size)))


def _update_target(x: _N, index: Any, value: Any) -> tuple[_N, _Target]:
    """Returns the array, with an axis for each new name, and the place to update in it."""
    parsed = _parse(x, index)
    _refuse_own_names(x, parsed)
    extra = _new_names(x, parsed, value)
    if extra:
        x = x.broadcast_to(x.positional_shape, extra)  # pyright: ignore[reportAttributeAccessIssue]  # NamedArray has it
        parsed = _parse(x, index)
    return x, _target(x, parsed)


def _new_names(x: Named, index: _Index, value: Any) -> dict[AxisName, int]:
    """Returns the names, with sizes, along which an update makes copies of the array."""
    sizes = _names_of(index.items)
    if isinstance(value, Named):
        sizes = {**value.named_shape, **sizes}
    known = {*x.layout.names, *index.introduced}
    return {name: size for name, size in sizes.items() if name not in known}


def _refuse_own_names(x: Named, index: _Index) -> None:
    labels = x.layout.labels
    names = _names_of(index.items)
    own = [
        label
        for label, item in zip(labels, index.items, strict=True)
        if isinstance(item, _Pick) and label in names and not isinstance(label, int)
    ]
    if own:
        raise ValueError(
            f"Expected the index of an update not to have the axes that it indexes, got "
            f"{shown(own)}. Use an index with a positional axis to update several places of one "
            "axis."
        )


def _check_value(value: Any, target: _Target) -> Any:
    """Returns the new value, with its axes in the order of what it replaces."""
    sizes = dict(zip(target.labels, target.shape, strict=True))
    rank = sum(isinstance(label, int) for label in target.labels)
    names, positional = (
        (value.named_shape, value.positional_shape)
        if isinstance(value, Named)
        else ({}, np.shape(value))
    )
    slot = tuple(sizes[number] for number in range(rank))
    suits = len(positional) <= rank and all(
        size in (1, wanted) for size, wanted in zip(positional[::-1], slot[::-1], strict=False)
    )
    if not suits:
        raise ValueError(
            f"Expected a value whose positional shape broadcasts to that of the indexed part, "
            f"{slot}, got {positional}. Name its axes, or index others."
        )
    wrong = {name: size for name, size in names.items() if sizes.get(name) != size}
    if wrong:
        named = {name: size for name, size in sizes.items() if not isinstance(name, int)}
        raise ValueError(
            f"Expected a value with the sizes of the indexed part, {named}, got {wrong}. Named "
            "axes of size 1 do not broadcast."
        )
    return fit_to(value, target.labels, rank)
