"""What treeview asks of an array library.

An adapter speaks for one type of array. `describe` costs nothing and touches no device;
`statistics` and `fetch` take many arrays at once, so that an adapter whose arrays live on an
accelerator can start all the work together and wait for it once.
"""

import operator
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, Self

import numpy as np


class Symbol(int):
    """The size of an axis that is known as an expression only; it counts as zero.

    Args:
        text: The expression.
    """

    text: str

    def __new__(cls, text: str) -> Self:
        """A zero that is written as `text`."""
        symbol = super().__new__(cls, 0)
        symbol.text = text
        return symbol

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an array.

    Attributes:
        size: How many indices it has.
        name: Its name, or None for an axis that has only a position.
        position: Its position for indexing, or None for an axis that has only a name.

    Raises:
        TypeError: `size` is no whole number from 0 on.
    """

    size: int
    name: Hashable | None = None
    position: int | None = None

    def __post_init__(self) -> None:
        size: Any = self.size
        if isinstance(size, Symbol) or (type(size) is int and size >= 0):
            return
        whole = operator.index(size) if hasattr(size, "__index__") else -1
        if whole < 0:
            raise TypeError(
                f"Expected `size` of an `Axis` to be a whole number from 0 on, got {size!r}."
            )
        object.__setattr__(self, "size", whole)


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """What is known of an array without looking at its values.

    Attributes:
        type_name: What the array calls itself, such as `jax.Array`.
        dtype: The name of its element type.
        axes: Its axes in the order of the data.
        bytes: How many bytes its values take.
        problem: Why its values cannot be read (`deleted`, `tracer`, ...), or empty.
        note: What else to say in a summary, such as where it lives.
    """

    type_name: str
    dtype: str
    axes: tuple[Axis, ...]
    bytes: int = 0
    problem: str = ""
    note: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    @property
    def size(self) -> int:
        """How many values the array holds."""
        size = 1
        for axis in self.axes:
            size *= axis.size
        return size


@dataclass(frozen=True, slots=True)
class Statistics:
    """Facts about the values of one array; moments and extremes are over finite values only.

    Attributes:
        finite: How many values are finite.
        mean: Their mean, or None where the type has none.
        std: Their standard deviation (not the sample's), or None.
        low: The least finite value, exactly, or None if there is none.
        high: The greatest finite value, or None.
        zeros: How many values are zero (false, for truth values).
        nans: How many values are not a number.
        positive_infinities: How many values are positive infinity.
        negative_infinities: How many values are negative infinity.
        masked: How many values are masked; they count nowhere else.
        histogram: How many values fall into each of some equal parts of the range from `low` to
            `high`, relative to the other parts; empty if nobody counted. A sample will do.
    """

    finite: int
    mean: float | complex | None = None
    std: float | None = None
    low: Any = None
    high: Any = None
    zeros: int = 0
    nans: int = 0
    positive_infinities: int = 0
    negative_infinities: int = 0
    masked: int = 0
    histogram: tuple[float, ...] = ()


Window = tuple[np.ndarray[Any, np.dtype[np.intp]], ...]
"""For each axis in the order of the data, the indices to fetch (an outer product)."""


@lru_cache(maxsize=1024)
def positional_axes(shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """The axes of an array that has no names for them."""
    return tuple(Axis(size, position=position) for position, size in enumerate(shape))


def shape_axes(shape: Sequence[Any]) -> tuple[Axis, ...]:
    """The axes of an array without names, some of whose sizes may be symbols of a tracer.

    To make a number of such a size would fail, or be an effect of the function being traced.
    """
    if all(isinstance(size, int | np.integer) for size in shape):
        return positional_axes(tuple(map(int, shape)))
    return tuple(
        Axis(int(size) if isinstance(size, int) else Symbol(str(size)), position=position)
        for position, size in enumerate(shape)
    )


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of an array that one device holds.

    An adapter may have a method `shards(array)` that returns one for each device, or None.

    Attributes:
        device: What to call the device.
        region: For each axis in the order of the data, the indices that it holds.
    """

    device: str
    region: tuple[slice, ...]


class ArrayAdapter(Protocol):
    """Speaks for one type of array.

    An adapter for which reading is slow may have one more method, which is then asked instead of
    `statistics` and `fetch`, so that no array is read twice. For each triple of an array, a window
    or None, and whether statistics are wanted, it returns the statistics or None, and the values
    or None:

        def read(self, requests: Sequence[tuple[Any, Window | None, bool]]) -> (
            Sequence[tuple[Statistics | None, np.ndarray | None]]): ...

    And if its arrays are made by a device that may still be busy, `is_ready(array)` may say whether
    they are there. A live notebook then waits where an interrupt is heard.
    """

    def describe(self, array: Any) -> ArrayInfo:
        """What is known without looking at values or devices."""
        ...

    def statistics(self, arrays: Sequence[Any]) -> Sequence[Statistics | None]:
        """Statistics of each array, computed where the data lives; None where there are none."""
        ...

    def fetch(self, requests: Sequence[tuple[Any, Window]]) -> Sequence[np.ndarray[Any, Any]]:
        """The values in each window, as NumPy arrays of the window's shape."""
        ...
