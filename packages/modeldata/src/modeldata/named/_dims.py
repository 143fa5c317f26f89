"""Which axis of a stored array plays which part: arithmetic on `dims` tuples.

A named array stores an array and `dims`, which names its trailing axes. An entry of `dims` is an
axis name, or an integer: then that axis is positional. Leading axes that `dims` does not reach
are positional, too, and come first; the integers 0, 1, ... number the others after them. So `dims`
stays valid when leading axes come or go, as they do under `jax.vmap` and `jax.lax.scan`, and any
order of positional axes can be told without moving data.

Most functions here work with the `labels` of an array: `dims` made explicit, with one entry for
every axis, in which integers number all positional axes. The short form is unique for given labels
(leading axes in order are never listed). Everything is cached, because a program uses few
different layouts, and looks at each of them in every operation.
"""

import functools
import numbers
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

AxisName = Hashable
Dims = tuple[AxisName, ...]
Labels = tuple[AxisName, ...]

_CACHED = 4096


class Layout(NamedTuple):
    """The parts that the axes of one stored array play.

    Attributes:
        labels: For every stored axis, its name or the number of the positional axis.
        names: The axis names, in the order in which they are stored.
        axis_of: The stored axis for each name and each number.
        rank: How many axes are positional.
        positional: The stored axis for each positional axis, in order.
    """

    labels: Labels
    names: tuple[AxisName, ...]
    axis_of: dict[AxisName, int]
    rank: int
    positional: tuple[int, ...]


@functools.lru_cache(_CACHED)
def layout_of(dims: Dims, ndim: int) -> Layout:
    """Returns the layout of an array.

    Args:
        dims: The short form, for the trailing axes.
        ndim: How many axes the stored array has.

    Raises:
        ValueError: If the two do not fit, a name is repeated or cannot be a name, or numbers of
            positional axes are missing or repeated.
    """
    lead = ndim - len(dims)
    if lead < 0:
        raise ValueError(
            f"Expected an array with an axis for each of {shown(dims)}, got one with {ndim} axes. "
            "A transformation may have taken the leading axis of the stored array: make that axis "
            "positional first, with `x.untag(name).with_positional_prefix()`."
        )
    numbered = [entry for entry in dims if isinstance(entry, int)]
    if sorted(numbered) != list(range(len(numbered))):
        raise ValueError(
            f"Expected the positional axes in `dims` to be numbered 0 to {len(numbered) - 1}, each "
            f"once, got {dims!r}. Use `nx.wrap` and `untag`, which number them."
        )
    names = tuple(entry for entry in dims if not isinstance(entry, int))
    check_names(names)
    moved = (entry + lead if isinstance(entry, int) else entry for entry in dims)
    labels = (*range(lead), *moved)
    axis_of = {label: axis for axis, label in enumerate(labels)}
    rank = lead + len(numbered)
    return Layout(labels, names, axis_of, rank, tuple(axis_of[i] for i in range(rank)))


@functools.lru_cache(_CACHED)
def dims_of(labels: Labels) -> Dims:
    """Returns the short form of labels, which must number the positional axes from 0."""
    lead = 0
    while lead < len(labels) and isinstance(labels[lead], int) and labels[lead] == lead:
        lead += 1
    return tuple(entry - lead if isinstance(entry, int) else entry for entry in labels[lead:])


def check_names(names: Iterable[AxisName]) -> None:
    """Refuses what cannot serve as axis names of one array.

    Raises:
        ValueError: If a name is a number, is not hashable, or stands there twice.
    """
    seen: set[AxisName] = set()
    for name in names:
        if isinstance(name, numbers.Number):
            raise ValueError(  # noqa: TRY004  # every bad name is a ValueError
                f"Expected axis names, got the number {name!r}. Numbers stand for positional axes; "
                "use a string, or any other hashable object."
            )
        if not isinstance(name, Hashable):
            raise ValueError(  # noqa: TRY004  # every bad name is a ValueError
                f"Expected a hashable axis name, got {name!r}. Use a string."
            )
        if name in seen:
            raise ValueError(f"Repeated axis name {name!r}: each axis needs a name of its own.")
        seen.add(name)


@functools.lru_cache(_CACHED)
def untagged(dims: Dims, ndim: int, names: tuple[AxisName, ...], *, prefix: bool) -> Dims:
    """Returns `dims` after names have become positional axes.

    Args:
        dims: The short form.
        ndim: How many axes the stored array has.
        names: The names to turn into positional axes 0, 1, ...
        prefix: Whether there may be positional axes already, which then come after the new ones.

    Raises:
        ValueError: If there are positional axes and `prefix` is not set, or names are repeated or
            unknown.
    """
    layout = layout_of(dims, ndim)
    if layout.rank and not prefix:
        raise ValueError(
            "`untag` cannot be used to introduce positional axes into an array that already has "
            f"some: it has {layout.rank} and the names {shown(layout.names)}. Use `untag_prefix` "
            "to put new positional axes in front of them, or `tag` those first."
        )
    check_names(names)
    check_known(names, layout.names)
    number_of = {name: number for number, name in enumerate(names)}
    return dims_of(
        tuple(
            label + len(names) if isinstance(label, int) else number_of.get(label, label)
            for label in layout.labels
        )
    )


@functools.lru_cache(_CACHED)
def tagged(dims: Dims, ndim: int, names: tuple[AxisName, ...], *, prefix: bool) -> Dims:
    """Returns `dims` after positional axes got names.

    Args:
        dims: The short form.
        ndim: How many axes the stored array has.
        names: Names for the positional axes, in order.
        prefix: Whether only the first positional axes get names.

    Raises:
        ValueError: If there are not as many names as positional axes (with `prefix`: too many), or
            a name is repeated, in use, or a number.
    """
    layout = layout_of(dims, ndim)
    check_names(names)
    taken = [name for name in names if name in layout.axis_of]
    if taken:
        raise ValueError(
            f"Repeated axis names {shown(taken)}: the array already has the named axes "
            f"{shown(layout.names)}. Choose other names, or rename those first."
        )
    if len(names) > layout.rank or (len(names) < layout.rank and not prefix):
        many = "at most one" if prefix else "exactly one"
        hint = "Leave some out" if len(names) > layout.rank else "Use `tag_prefix` to name a few"
        raise ValueError(
            f"Expected {many} name for each positional axis, got {counted(len(names), 'name')}, "
            f"{shown(names)}, for {counted(layout.rank, 'positional axis')}. {hint}."
        )
    return dims_of(
        tuple(_tag(label, names) if isinstance(label, int) else label for label in layout.labels)
    )


def _tag(number: int, names: tuple[AxisName, ...]) -> AxisName:
    return names[number] if number < len(names) else number - len(names)


def check_known(names: Iterable[AxisName], known: Sequence[AxisName]) -> None:
    """Refuses names that an array does not have.

    Raises:
        ValueError: If a name is not among the known ones.
    """
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"Expected names of axes that the array has, {shown(known)}, got {shown(unknown)}. "
            "Check the spelling; `x[{name: None}]` adds an axis."
        )


def permutation(layout: Layout, wanted: Labels) -> tuple[int, ...] | None:
    """Returns how to transpose an array to get other labels, or None if nothing is to be done."""
    if layout.labels == wanted:
        return None
    return tuple(layout.axis_of[label] for label in wanted)


def shown(names: Iterable[AxisName]) -> str:
    """Returns names for an error message, as in `'batch', 'seq'`."""
    return ", ".join(repr(name) for name in names) or "(none)"


def counted(number: int, thing: str) -> str:
    """Returns a number with what it counts, for an error message, as in `2 positional axes`."""
    plural = thing[:-2] + "es" if thing.endswith("axis") else thing + "s"
    return f"{number} {thing if number == 1 else plural}"
