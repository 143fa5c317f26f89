"""What an index of a named array asks for, in terms of the array that is stored.

Every kind of index becomes one index tuple for the stored array, so that one gather or one scatter
does all the work, without `jax.vmap`. An index array may itself have named axes. A name that the
indexed array lacks is new: it says where the result gets an axis. A name that both have means that
the two go along it together, as everywhere with named axes. In terms of the stored array that is
an index, too: along the shared axis, `arange` in step with the rest.

What remains is to know where the axes of the result are stored. NumPy puts the axes of all index
arrays together, in the place of the first one if these stand next to each other, and in front
otherwise. That decides the order of storage, and again, among the positional axes alone, the
order that the user sees.

All of it depends only on axes, sizes and slices, never on the values of index arrays. So an index
is first split into a description of its form and the values in it, and there is one plan for each
form, which is kept.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np

from modeldata.named._aligned import Fit, Signature, fit_of, plan_of
from modeldata.named._dims import (
    AxisName,
    Dims,
    Labels,
    check_known,
    check_names,
    dims_of,
    layout_of,
    shown,
)

_CACHED = 4096


class Range(NamedTuple):
    """A slice, which can be hashed."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


class Pick(NamedTuple):
    """The form of an index array or number; it takes the axis away that it indexes."""

    dims: Dims
    shape: tuple[int, ...]


Entry = Range | Pick | EllipsisType | None
_ALL = Range()


class Form(NamedTuple):
    """An index without its values.

    Attributes:
        names: The name that each entry is for, or None if the entries are for positional axes.
        entries: What is done, name by name or axis by axis. Values belong to the picks, in order.
    """

    names: tuple[AxisName, ...] | None
    entries: tuple[Entry, ...]


class Part(NamedTuple):
    """An index array in the index tuple for the stored array.

    Attributes:
        number: Which of the values in the index it is; None if it goes along a shared axis.
        steps: For a shared axis, its size and the range of it that is taken.
        fit: How to bring it to the common order of axes of all index arrays.
    """

    number: int | None
    steps: tuple[int, Range]
    fit: Fit


Key = tuple[Range | Part | None, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Target:
    """Where an index leads.

    Attributes:
        key: The index tuple for the stored array, without names, so that equal work is compiled
            only once.
        labels: The labels of what is found there.
        dims: Its short dims.
        shape: Its shape.
        is_sliced: Whether an axis is cut, not only taken as a whole or removed.
    """

    key: Key
    labels: Labels
    dims: Dims
    shape: tuple[int, ...]
    is_sliced: bool


class Change(NamedTuple):
    """What an update does, without names.

    Attributes:
        copies: Sizes of new leading axes, along which the array is repeated first.
        key: The index tuple for the array with these axes.
        fit: How to bring the new value to the order of axes found there.
    """

    copies: tuple[int, ...]
    key: Key
    fit: Fit


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


class _Slot(NamedTuple):
    """An index array with its number among the values, or None for steps along a shared axis."""

    number: int | None
    form: Pick
    steps: tuple[int, Range] = (0, _ALL)


class _Request(NamedTuple):
    """What an index asks for.

    Attributes:
        items: For every stored axis, a `Range` or a `_Slot`.
        introduced: New axes of size 1: names, or `_Axis`.
        order: The positional axes of the result in order, with `...` in place of those of the
            index arrays.
    """

    items: list[Range | _Slot]
    introduced: list[Any]
    order: list[Any]


@functools.lru_cache(_CACHED)
def target_of(dims: Dims, shape: tuple[int, ...], form: Form) -> Target:
    """Plans how to find what an index asks for.

    Args:
        dims: The short dims of the indexed array.
        shape: The shape of the stored array.
        form: The index without its values.

    Raises:
        IndexError: If there are too many indices.
        ValueError: If names are unknown or repeated, or the sizes of shared axes differ.
    """
    request = _request(dims, shape, form)
    labels = layout_of(dims, len(shape)).labels
    items = _with_shared_axes(labels, shape, request.items)
    picked = [axis for axis, item in enumerate(items) if isinstance(item, _Slot)]
    slots = [item for item in items if isinstance(item, _Slot)]
    plan = plan_of(tuple(tuple(slot.form) for slot in slots) or (((), ()),))
    found = [
        (_Axis("block", label) if isinstance(label, int) else label, size)
        for label, size in zip(plan.labels, plan.shape, strict=True)
    ]
    kept = {
        axis: (labels[axis], len(range(*slice(*item).indices(shape[axis]))))
        for axis, item in enumerate(items)
        if isinstance(item, Range)
    }
    introduced = [(label, 1) for label in request.introduced]
    entries = _stored_order(introduced, kept, picked, found)
    numbers = _numbering(request.order, sum(isinstance(label, int) for label in plan.labels))
    result = tuple(numbers.get(label, label) for label, _ in entries)
    check_names(label for label in result if not isinstance(label, int))
    fits = iter(plan.fits)
    key = [
        Part(item.number, item.steps, next(fits)) if isinstance(item, _Slot) else item
        for item in items
    ]
    return Target(
        key=(*(None for _ in introduced), *key),
        labels=result,
        dims=dims_of(result),
        shape=tuple(size for _, size in entries),
        is_sliced=any(isinstance(item, Range) and item != _ALL for item in items),
    )


@functools.lru_cache(_CACHED)
def change_of(
    dims: Dims, shape: tuple[int, ...], form: Form, value: Signature
) -> tuple[Change, Dims, bool]:
    """Plans how to update what an index asks for.

    Args:
        dims: The short dims of the array to update.
        shape: The shape of the stored array.
        form: The index without its values.
        value: The dims and shape of the new value. If it or the index arrays have names that the
            array lacks, there is a copy of the array for each.

    Returns:
        What to do, the short dims of the result, and whether an axis is cut.

    Raises:
        IndexError: If there are too many indices.
        ValueError: If names are unknown or repeated, or sizes differ.
    """
    request = _request(dims, shape, form)
    labels = layout_of(dims, len(shape)).labels
    names = _names_of(request.items)
    _refuse_own_names(labels, request.items, names)
    known = {*labels, *request.introduced}
    sizes = {**_named_shape(value), **names}
    extra = {name: size for name, size in sizes.items() if name not in known}
    complete = dims_of((*extra, *labels))
    target = target_of(complete, (*extra.values(), *shape), form)
    _check_value(value, target)
    rank = sum(isinstance(label, int) for label in target.labels)
    fit = fit_of(value[0], len(value[1]), target.labels, rank)
    change = Change(tuple(extra.values()), target.key, fit)
    return change, complete, target.is_sliced


def _request(dims: Dims, shape: tuple[int, ...], form: Form) -> _Request:
    counts = iter(range(len(form.entries)))
    entries = [
        _Slot(next(counts), entry) if isinstance(entry, Pick) else entry for entry in form.entries
    ]
    if form.names is None:
        return _by_position(dims, len(shape), entries)
    return _by_name(dims, len(shape), dict(zip(form.names, entries, strict=True)))


def _by_name(dims: Dims, ndim: int, index: Mapping[AxisName, Any]) -> _Request:
    layout = layout_of(dims, ndim)
    introduced = [name for name, item in index.items() if item is None]
    check_names((*layout.names, *introduced))
    check_known([name for name in index if name not in introduced], layout.names)
    items: list[Any] = [_ALL] * ndim
    for name, item in index.items():
        if item is not None:
            items[layout.axis_of[name]] = item
    order = [..., *(_Axis("stored", axis) for axis in layout.positional)]
    return _Request(items, introduced, order)


def _by_position(dims: Dims, ndim: int, entries: Sequence[Any]) -> _Request:
    layout = layout_of(dims, ndim)
    parts = list(entries)
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
    return _placed(ndim, layout.positional, parts, place if dots else 0)


def _placed(ndim: int, positional: Sequence[int], parts: Sequence[Any], dots: int) -> _Request:
    """Assigns the parts of a complete index, which had `...` before one, to the stored axes."""
    items: list[Any] = [_ALL] * ndim
    introduced: list[Any] = []
    order: list[Any] = []
    picks: list[int] = []
    remaining = iter(positional)
    for place, part in enumerate(parts):
        if part is None:
            introduced.append(_Axis("new", len(introduced)))
            order.append(introduced[-1])
            continue
        axis = next(remaining)
        items[axis] = part
        if isinstance(part, _Slot):
            picks.append(place)
            order.append(None)  # keeps places and order in step for now
        else:
            order.append(_Axis("stored", axis))
    together = bool(picks) and picks[-1] - picks[0] == len(picks) - 1
    split = bool(picks) and picks[0] < dots <= picks[-1]  # also if `...` stood for no axis
    block = picks[0] if together and not split else 0
    order[block:block] = [...]
    return _Request(items, introduced, [entry for entry in order if entry is not None])


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


def _with_shared_axes(
    labels: Labels, shape: tuple[int, ...], items: Sequence[Range | _Slot]
) -> list[Range | _Slot]:
    """Adds an index for each axis whose name an index array has, too, so that they go together."""
    used = _names_of(items)
    result = list(items)
    for axis, (label, item) in enumerate(zip(labels, items, strict=True)):
        if isinstance(label, int) or label not in used or isinstance(item, _Slot):
            continue
        length = len(range(*slice(*item).indices(shape[axis])))
        if length != used[label]:
            raise ValueError(
                f"Expected each axis name to have one size, but {label!r} has size {used[label]} "
                f"in an index and {length} in the indexed array. Slice or rename one of them."
            )
        result[axis] = _Slot(None, Pick((label,), (length,)), (shape[axis], item))
    return result


def _names_of(items: Sequence[Range | _Slot]) -> dict[AxisName, int]:
    sizes: dict[AxisName, int] = {}
    for item in items:
        if isinstance(item, _Slot):
            sizes.update(_named_shape(item.form))
    return sizes


def _named_shape(signature: Signature) -> dict[AxisName, int]:
    dims, shape = signature
    layout = layout_of(dims, len(shape))
    return {name: shape[layout.axis_of[name]] for name in layout.names}


def _refuse_own_names(
    labels: Labels, items: Sequence[Range | _Slot], names: Mapping[AxisName, int]
) -> None:
    own = [
        label
        for label, item in zip(labels, items, strict=True)
        if isinstance(item, _Slot) and label in names and not isinstance(label, int)
    ]
    if own:
        raise ValueError(
            f"Expected the index of an update not to have the axes that it indexes, got "
            f"{shown(own)}. Use an index with a positional axis to update several places of one "
            "axis."
        )


def _check_value(value: Signature, target: Target) -> None:
    sizes = dict(zip(target.labels, target.shape, strict=True))
    rank = sum(isinstance(label, int) for label in target.labels)
    dims, shape = value
    positional = tuple(shape[axis] for axis in layout_of(dims, len(shape)).positional)
    slot = tuple(sizes[number] for number in range(rank))
    suits = len(positional) <= rank and all(
        size in (1, wanted) for size, wanted in zip(positional[::-1], slot[::-1], strict=False)
    )
    if not suits:
        raise ValueError(
            f"Expected a value whose positional shape broadcasts to that of the indexed part, "
            f"{slot}, got {positional}. Name its axes, or index others."
        )
    names = _named_shape(value)
    wrong = {name: size for name, size in names.items() if sizes.get(name) != size}
    if wrong:
        named = {name: size for name, size in sizes.items() if not isinstance(name, int)}
        raise ValueError(
            f"Expected a value with the sizes of the indexed part, {named}, got {wrong}. Named "
            "axes of size 1 do not broadcast."
        )


def steps_of(part: Part) -> np.ndarray:
    """Returns the index array for a shared axis."""
    size, taken = part.steps
    return np.arange(size, dtype=np.int32)[slice(*taken)]
