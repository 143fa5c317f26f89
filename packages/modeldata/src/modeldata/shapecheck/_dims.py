"""Sizes that a pattern may name instead of giving them: variables.

A variable `x` stands for one of three things, by the way it is written into a pattern: one size
(`var("x")`), any number of positional axes (`*var("x")`), or any number of named axes
(`**var("x")`). For the last two, `var("x")[key]` stands for one of those sizes: that of the
positional axis with this number, or of the named axis with this name.
"""

import dataclasses
import numbers
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

import wadler_lindig as wl

SizeName = str | tuple[str, Hashable]


@dataclasses.dataclass(frozen=True)
class MultiDimVar:
    """Any number of axes: what `*var("x")` puts into a `shape`, `**var("x")` into a `named_shape`.

    Attributes:
        name: The name of the variable.
    """

    name: str

    def __repr__(self) -> str:
        return f"*{_text(self.name)}"

    def __pdoc__(self, **_: Any) -> wl.AbstractDoc:
        return wl.TextDoc(repr(self))


@dataclasses.dataclass(frozen=True)
class RemainingAxisPlaceholder:
    """Stands in a `named_shape` where a size would, for a `MultiDimVar` has many."""


@dataclasses.dataclass(frozen=True)
class DimVar:
    """The size of one axis, to be found out; see `var`.

    `*` and `**` make a `MultiDimVar` of it, and indexing one of the sizes of that.

    Attributes:
        name: The name of the variable; with a key for one of the sizes of a `MultiDimVar`.
    """

    name: SizeName

    def __iter__(self) -> Iterator[MultiDimVar]:
        """Gives the one entry that `*var("x")` adds to a shape."""
        yield self._many()

    def keys(self) -> tuple[MultiDimVar]:
        """Returns the one key that `**var("x")` adds to a named shape."""
        return (self._many(),)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, MultiDimVar) and key.name == self.name:
            return RemainingAxisPlaceholder()
        if isinstance(self.name, tuple) or not _may_be_key(key):
            raise KeyError(
                f"Expected the number of a positional axis or the name of a named axis, got "
                f"{key!r} for `{self!r}`. Write `var(name)[key]`."
            )
        return DimVar((self.name, key))

    def __repr__(self) -> str:
        return _text(self.name)

    def __pdoc__(self, **_: Any) -> wl.AbstractDoc:
        return wl.TextDoc(repr(self))

    def _many(self) -> MultiDimVar:
        if isinstance(self.name, tuple):
            _refuse_many(self)
        return MultiDimVar(self.name)


@dataclasses.dataclass(frozen=True)
class KnownDim:
    """A size that is given, and that becomes the value of a variable, too.

    Attributes:
        name: The name of the variable, as in `DimVar`.
        size: The size.
    """

    name: SizeName
    size: int


Dim = int | DimVar | KnownDim


def var(name: str) -> DimVar:
    """Makes a variable for sizes that a pattern leaves open.

    Wherever the variable stands in a pattern, it stands for the same. `var("x")` is the size of one
    axis, `*var("x")` in a shape any number of positional axes, `**var("x")` in a named shape any
    number of named axes, and `var("x")[key]` the size of one of these.

    Args:
        name: What the match result calls the variable.

    Raises:
        TypeError: If the name is not a string.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"Expected the name of a variable to be a string, got {name!r}. For one of many sizes "
            "write `var(name)[key]`."
        )
    return DimVar(name)


def vars_for_axes(
    var_name: str, axes: Iterable[Hashable] | Mapping[Hashable, int | None]
) -> dict[Hashable, DimVar | KnownDim]:
    """Makes a named shape of variables that the match result collects under one name.

    Args:
        var_name: The name of the variable.
        axes: The names of the axes; or the size of each, None where that is left open.

    Returns:
        For each axis `var(var_name)[axis]`, or a `KnownDim` of that name if its size is given.

    Raises:
        TypeError: If the name is not a string.
    """
    whole = var(var_name)
    sizes = axes if isinstance(axes, Mapping) else dict.fromkeys(axes)
    return {
        axis: whole[axis] if size is None else KnownDim((var_name, axis), size)
        for axis, size in sizes.items()
    }


def dims_text(dims: Any) -> str:
    """Returns sizes as Python writes them, with stars for what stands for many axes.

    Args:
        dims: A shape, a named shape, or one size.
    """
    if isinstance(dims, Mapping):
        entries = (
            f"*{key!r}" if isinstance(key, MultiDimVar) else f"{key!r}: {size!r}"
            for key, size in dims.items()
        )
        return f"{{{', '.join(entries)}}}"
    return repr(dims)


def _text(name: SizeName) -> str:
    return f"var({name[0]!r})[{name[1]!r}]" if isinstance(name, tuple) else f"var({name!r})"


def _may_be_key(key: Any) -> bool:
    if isinstance(key, MultiDimVar | RemainingAxisPlaceholder):
        return False
    return isinstance(key, int) or (isinstance(key, Hashable) and not _is_number(key))


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number)


def _refuse_many(variable: DimVar) -> NoReturn:
    raise TypeError(
        f"Expected a variable that may stand for many axes, got `{variable!r}`, which is one size. "
        "Write `*var(name)` or `**var(name)` without a key."
    )
