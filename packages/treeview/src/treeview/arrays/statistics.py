"""Statistics of NumPy arrays of any element type, exact where that is possible.

One pass over cache-sized chunks counts zeros and values that are not finite, finds the extremes in
the array's own type, and sums values and squares in float64. Squares lose digits where the mean is
much larger than the deviation, and overflow for huge values, so such arrays (they are rare) are
read again in two passes: the mean first, then the squared distances from it, scaled by a power of
two. The same pass picks a sample of the values, from which their histogram is made.

The array itself is never copied as a whole. Axes that only repeat the same memory (`broadcast_to`)
are read once and counted as often as they repeat.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from treeview.arrays.histogram import LEAST_VALUES, histogram, sample_step
from treeview.arrays.protocol import Statistics

NumpyArray = np.ndarray[Any, np.dtype[Any]]
NumberKind = Literal["bool", "integer", "real", "complex", "time", ""]

_CHUNK = 1 << 16
_SAFE_LOW, _SAFE_HIGH = 1e-100, 1e100  # squares of magnitudes in between fit float64
_KINDS: dict[str, NumberKind] = {
    "b": "bool",
    "i": "integer",
    "u": "integer",
    "f": "real",
    "c": "complex",
    "m": "time",
    "M": "time",
}


def number_kind(dtype: np.dtype[Any]) -> NumberKind:
    """What kind of numbers an element type holds; empty for text, records and objects.

    Types that extend NumPy (bfloat16, float8, int4, ...) are told by their names.
    """
    if dtype.kind == "V" and dtype.type is not np.void:
        if dtype.name.startswith(("bfloat", "float")):
            return "real"
        if dtype.name.startswith(("int", "uint")):
            return "integer"
    return _KINDS.get(dtype.kind, "")


def array_statistics(array: NumpyArray) -> Statistics | None:
    """Statistics of the values of `array`, or None if its type has no order and no moments.

    Masked elements of a masked array are counted as `masked` and otherwise left out.
    """
    kind = number_kind(array.dtype)
    if not kind:
        return None
    with np.errstate(all="ignore"):
        if isinstance(array, np.ma.MaskedArray):
            return _masked_statistics(array)
        distinct, repeats = _without_repeats(np.asarray(array))
        statistics = _BY_KIND[kind](distinct)
    return statistics if repeats == 1 else _repeated(statistics, repeats)


def _masked_statistics(array: "np.ma.MaskedArray[Any, np.dtype[Any]]") -> Statistics | None:
    data = np.ma.getdata(array)
    valid = data[~np.ma.getmaskarray(array)]
    statistics = array_statistics(valid)
    return statistics and replace(statistics, masked=data.size - valid.size)


def _without_repeats(array: NumpyArray) -> tuple[NumpyArray, int]:
    """The array without axes of stride zero, and how often each of its values repeats."""
    if array.size == 0:
        return array, 1
    window = tuple(slice(0, 1) if stride == 0 else slice(None) for stride in array.strides)
    distinct = array[window]
    return distinct, array.size // distinct.size


def _repeated(statistics: Statistics, repeats: int) -> Statistics:
    counts = ("finite", "zeros", "nans", "positive_infinities", "negative_infinities")
    return replace(statistics, **{name: getattr(statistics, name) * repeats for name in counts})


def _chunks(array: NumpyArray) -> Iterator[NumpyArray]:
    """The values in the order of memory, in flat pieces that fit a processor's cache."""
    if array.flags.forc:
        flat = array.ravel(order="K")
        for start in range(0, flat.size, _CHUNK):
            yield flat[start : start + _CHUNK]
    elif array.size:
        pieces: Any = np.nditer(array, ["external_loop", "buffered"], order="K", buffersize=_CHUNK)
        yield from pieces


def _bool_statistics(array: NumpyArray) -> Statistics:
    trues = int(np.count_nonzero(array))
    count = array.size
    if not count:
        return Statistics(finite=0)
    mean = trues / count
    return Statistics(
        finite=count,
        mean=mean,
        std=math.sqrt(mean * (1 - mean)),
        low=trues == count,
        high=trues > 0,
        zeros=count - trues,
    )


@dataclass(slots=True)
class _Sums:
    """What one pass over the chunks of an array collects; `step` apart are values of the sample."""

    step: int
    finite: int = 0
    total: float = 0.0
    squares: float = 0.0
    low: Any = None
    high: Any = None
    zeros: int = 0
    nans: int = 0
    positive: int = 0
    negative: int = 0
    sample: list[NumpyArray] = field(default_factory=list[NumpyArray])
    offset: int = 0

    def pick(self, chunk: NumpyArray) -> None:
        """Takes what of the chunk belongs to the sample; copies, for a chunk may be a buffer."""
        self.sample.append(chunk[self.offset :: self.step].copy())
        self.offset = (self.offset - chunk.size) % self.step

    def result(self, mean: float | None, std: float | None, *, whole: bool = False) -> Statistics:
        return Statistics(
            finite=self.finite,
            mean=mean,
            std=std,
            low=_python_value(self.low),
            high=_python_value(self.high),
            zeros=self.zeros,
            nans=self.nans,
            positive_infinities=self.positive,
            negative_infinities=self.negative,
            histogram=self._histogram(whole=whole),
        )

    def _histogram(self, *, whole: bool) -> tuple[float, ...]:
        if self.finite < LEAST_VALUES or self.low == self.high:
            return ()
        return histogram(np.concatenate(self.sample), self.low, self.high, whole=whole)


def _python_value(value: Any) -> Any:
    """A NumPy scalar as the Python number that equals it; itself where there is none."""
    return value if value is None or type(value) is np.longdouble else value.item()


def _real_statistics(array: NumpyArray) -> Statistics:
    if array.dtype.kind == "V":  # small types of ml_dtypes: float32 holds them all exactly
        return _float_statistics(array, lambda chunk: chunk.astype(np.float32))
    if array.dtype == np.float16:
        return _float_statistics(array, lambda chunk: chunk.astype(np.float32))
    return _float_statistics(array, lambda chunk: chunk)


def _float_statistics(array: NumpyArray, widen: Callable[[NumpyArray], NumpyArray]) -> Statistics:
    sums = _Sums(sample_step(array.size))
    longest = min(array.size, _CHUNK)
    values, flags = np.empty(longest), np.empty(longest, np.bool_)
    for piece in _chunks(array):
        chunk = widen(piece)
        low, high = chunk.min(), chunk.max()
        if not (math.isfinite(low) and math.isfinite(high)):
            chunk = _only_finite(chunk, sums)
            if not chunk.size:
                continue
            low, high = chunk.min(), chunk.max()
        sums.low = low if sums.low is None else min(sums.low, low)
        sums.high = high if sums.high is None else max(sums.high, high)
        if low <= 0 <= high:
            equal = np.equal(chunk, 0, out=flags[: chunk.size])
            sums.zeros += int(np.count_nonzero(equal))
        sums.pick(chunk)
        _add_moments(sums, chunk, values[: chunk.size])
    moments = _moments(sums)
    if moments is None:
        moments = _float_moments_again(array, widen, sums)
    return sums.result(*moments)


def _only_finite(chunk: NumpyArray, sums: _Sums) -> NumpyArray:
    sums.nans += int(np.count_nonzero(np.isnan(chunk)))
    sums.positive += int(np.count_nonzero(chunk == np.inf))
    sums.negative += int(np.count_nonzero(chunk == -np.inf))
    return chunk[np.isfinite(chunk)]


def _add_moments(sums: _Sums, chunk: NumpyArray, buffer: NumpyArray) -> None:
    # Sums and products without BLAS: its threads fight over chunks of this size.
    np.copyto(buffer, chunk, casting="unsafe")
    sums.finite += chunk.size
    sums.total += float(buffer.sum())
    sums.squares += float(np.square(buffer, out=buffer).sum())


def _moments(sums: _Sums) -> tuple[float | None, float | None] | None:
    """Mean and deviation from plain sums, or None where they are not exact enough."""
    if not sums.finite:
        return None, None
    if sums.low == sums.high:
        return float(sums.low), 0.0
    magnitude = max(abs(float(sums.low)), abs(float(sums.high)))
    if not _SAFE_LOW < magnitude < _SAFE_HIGH:
        return None
    mean = sums.total / sums.finite
    variance = sums.squares / sums.finite - mean * mean
    if variance <= 1e-5 * mean * mean:
        return None
    return mean, math.sqrt(variance)


def _float_moments_again(
    array: NumpyArray, widen: Callable[[NumpyArray], NumpyArray], sums: _Sums
) -> tuple[Any, Any]:
    exponent = int(np.frexp(max(abs(sums.low), abs(sums.high)))[1])

    def scaled() -> Iterator[NumpyArray]:
        for piece in _chunks(array):
            chunk = widen(piece)
            yield np.ldexp(chunk[np.isfinite(chunk)], -exponent).astype(np.float64)

    mean = sum(float(chunk.sum()) for chunk in scaled()) / sums.finite
    squares = sum(float(np.square(chunk - mean).sum()) for chunk in scaled())
    std = math.sqrt(squares / sums.finite)
    if array.dtype == np.longdouble:  # whose range is larger than that of float
        return np.ldexp(np.longdouble(mean), exponent), np.ldexp(np.longdouble(std), exponent)
    return float(np.ldexp(mean, exponent)), float(np.ldexp(std, exponent))


def _integer_statistics(array: NumpyArray) -> Statistics:
    sums = _Sums(sample_step(array.size))
    buffer = np.empty(min(array.size, _CHUNK))
    for piece in _chunks(array):
        chunk = (
            piece.astype(np.int8 if "u" not in piece.dtype.name else np.uint8)
            if (piece.dtype.kind == "V")
            else piece
        )
        low, high = chunk.min(), chunk.max()
        sums.low = low if sums.low is None else min(sums.low, low)
        sums.high = high if sums.high is None else max(sums.high, high)
        sums.zeros += chunk.size - int(np.count_nonzero(chunk))
        sums.pick(chunk)
        _add_moments(sums, chunk, buffer[: chunk.size])
    moments = _moments(sums)
    if moments is None:
        moments = _integer_moments_again(array, int(sums.low), sums.finite)
    return sums.result(*moments, whole=True)


def _integer_moments_again(array: NumpyArray, low: int, count: int) -> tuple[float, float]:
    """Moments of the distances from the lowest value, which fit an unsigned integer exactly."""
    base = np.array(low % (1 << 64), np.uint64)

    def distances() -> Iterator[NumpyArray]:
        for chunk in _chunks(array):
            wide = chunk if chunk.dtype == np.uint64 else chunk.astype(np.int64).view(np.uint64)
            yield (wide - base).astype(np.float64)

    mean = sum(float(chunk.sum()) for chunk in distances()) / count
    squares = sum(float(np.square(chunk - mean).sum()) for chunk in distances())
    return low + mean, math.sqrt(squares / count)


def _complex_statistics(array: NumpyArray) -> Statistics:
    """Mean and deviation in the plane; a value is infinite if a part is and none is NaN."""
    count = nans = zeros = 0
    largest = 0.0
    for chunk in _chunks(array):
        finite = chunk[np.isfinite(chunk)]
        count += finite.size
        nans += int(np.count_nonzero(np.isnan(chunk)))
        zeros += chunk.size - int(np.count_nonzero(chunk))
        parts = (np.abs(np.real(finite)), np.abs(np.imag(finite)))
        largest = max(largest, *(float(part.max(initial=0)) for part in parts))
    infinities = array.size - count - nans
    if not count:
        return Statistics(finite=0, nans=nans, positive_infinities=infinities)
    # A power of two keeps squares within float64 and costs no digits.
    scale = 2.0 ** -max(-1000, min(1000, int(np.frexp(largest)[1])))

    def scaled() -> Iterator[NumpyArray]:
        for chunk in _chunks(array):
            yield chunk[np.isfinite(chunk)].astype(np.complex128) * scale

    mean = sum(complex(chunk.sum()) for chunk in scaled()) / count
    squares = sum(float(np.square(np.abs(chunk - mean)).sum()) for chunk in scaled())
    return Statistics(
        finite=count,
        mean=complex(mean.real / scale, mean.imag / scale),
        std=math.sqrt(squares / count) / scale,
        zeros=zeros,
        nans=nans,
        positive_infinities=infinities,
    )


def _time_statistics(array: NumpyArray) -> Statistics:
    """Extremes of dates or durations; `not a time` counts as not a number."""
    sums = _Sums(sample_step(array.size))
    for piece in _chunks(array):
        chunk = piece[~np.isnat(piece)]
        sums.nans += piece.size - chunk.size
        sums.finite += chunk.size
        if chunk.size:
            low, high = chunk.min(), chunk.max()
            sums.low = low if sums.low is None else min(sums.low, low)
            sums.high = high if sums.high is None else max(sums.high, high)
            if chunk.dtype.kind == "m":
                sums.zeros += chunk.size - int(np.count_nonzero(chunk.view(np.int64)))
    return Statistics(
        finite=sums.finite, low=sums.low, high=sums.high, zeros=sums.zeros, nans=sums.nans
    )


_BY_KIND: dict[NumberKind, Callable[[NumpyArray], Statistics]] = {
    "bool": _bool_statistics,
    "integer": _integer_statistics,
    "real": _real_statistics,
    "complex": _complex_statistics,
    "time": _time_statistics,
}
