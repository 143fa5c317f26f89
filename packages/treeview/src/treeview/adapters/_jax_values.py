"""Reading values of JAX arrays: in place, in one transfer, or reduced on their device.

Values in the memory of the host are read where they are. All other arrays come over in one transfer
for all of them, which compiles nothing, and none comes twice. Only what is large and lives on an
accelerator is reduced and sliced there, by programs that are compiled once for each shape.

JAX keeps a copy on the host of every array that was converted to NumPy, for as long as the array
lives. Fresh array objects around the same buffers are converted instead, and thrown away.
"""

# pyright: standard
# JAX leaves many of its types unknown, which strict checking takes for errors.

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from treeview.arrays.histogram import LEAST_VALUES, PARTS, part_count, relative_counts
from treeview.arrays.protocol import Statistics, Window
from treeview.arrays.statistics import NumpyArray, array_statistics
from treeview.arrays.windows import take_window

LARGEST_TRANSFER = 1 << 26
"""From this many bytes on, an array on an accelerator is not copied to the host."""


def read_both(
    requests: Sequence[tuple[jax.Array, Window | None, bool]],
) -> list[tuple[Statistics | None, NumpyArray | None]]:
    """Statistics and values of arrays, in at most one transfer for all of them.

    Args:
        requests: Arrays, each with the window of its values or None, and whether its statistics
            are wanted. Random keys have no statistics.
    """
    with jax.ensure_compile_time_eval():  # the arrays may be constants of a function being traced
        waiting = [_begun(array, window, counted=counted) for array, window, counted in requests]
        found = transfer(waiting)
    return [
        _answer(window, values, counted=counted)
        for (_, window, counted), values in zip(requests, found, strict=True)
    ]


def _begun(array: jax.Array, window: Window | None, *, counted: bool) -> Any:
    """What is to come over of an array: all of it, or what its device made of it."""
    if _is_opaque(array):
        return None
    if not _stays_on_device(array) or (counted and not _is_real(array)):
        return array
    reduced = _reduce(array) if counted else None
    return reduced, None if window is None else _take(array, window)


def _answer(
    window: Window | None, found: Any, *, counted: bool
) -> tuple[Statistics | None, NumpyArray | None]:
    """Statistics and values, made of what came over."""
    if found is None:
        return None, None
    if isinstance(found, tuple):
        reduced, values = found
        return None if reduced is None else _decoded(reduced), values
    # Copies, for what came over may be JAX's own memory.
    values = None
    if window is not None:
        values = take_window(found, window)
    return array_statistics(found) if counted else None, values


def transfer(waiting: Sequence[Any]) -> list[Any]:
    """Brings arrays (and tuples of arrays) to the host, all remote ones together."""
    results: list[Any] = list(waiting)
    remote: list[int] = []
    for position, item in enumerate(waiting):
        if isinstance(item, jax.Array) and _is_on_host(item):
            results[position] = np.asarray(item)  # a view of JAX's own memory
        elif item is not None:
            remote.append(position)
    if remote:
        fresh = jax.tree.map(_fresh, [waiting[position] for position in remote])
        for position, values in zip(remote, jax.device_get(fresh), strict=True):
            results[position] = values
    return results


def _fresh(array: jax.Array) -> jax.Array:
    if array.is_fully_replicated:
        return array.addressable_data(0)
    shards = [shard.data for shard in array.addressable_shards]
    return jax.make_array_from_single_device_arrays(array.shape, array.sharding, shards)


def _is_on_host(array: jax.Array) -> bool:
    devices = array.sharding.device_set
    return len(devices) == 1 and next(iter(devices)).platform == "cpu"


def _is_opaque(array: jax.Array) -> bool:
    return jnp.issubdtype(array.dtype, jax.dtypes.extended)


def _is_real(array: jax.Array) -> bool:
    return jnp.issubdtype(array.dtype, jnp.floating) or jnp.issubdtype(array.dtype, jnp.integer)


def _stays_on_device(array: jax.Array) -> bool:
    return array.nbytes >= LARGEST_TRANSFER and _is_remote(array)


def _is_remote(array: jax.Array) -> bool:
    """Whether an array is not in the memory of the host, be it in parts of several devices."""
    return next(iter(array.sharding.device_set)).platform != "cpu"


def _decoded(found: Sequence[Any]) -> Statistics:
    """Statistics that a device made."""
    mean, std, low, high, inside, *counts = found
    finite, zeros, nans, positive, negative = map(int, counts)
    known = Statistics(
        finite=finite,
        zeros=zeros,
        nans=nans,
        positive_infinities=positive,
        negative_infinities=negative,
    )
    if not finite:
        return known
    low, high, whole = low.item(), high.item(), jnp.issubdtype(low.dtype, jnp.integer)
    parts = inside[: part_count(low, high, whole=whole)].tolist()
    return replace(
        known,
        mean=float(mean),
        std=float(std),
        low=low,
        high=high,
        histogram=() if finite < LEAST_VALUES else relative_counts(parts, low, high, whole=whole),
    )


@jax.jit
def _reduce(array: jax.Array) -> tuple[jax.Array, ...]:
    """Mean, deviation, extremes, a histogram, and counts as arrays without axes.

    Moments are sums of float32 in two passes (the compiler adds in a tree, so little is lost).
    """
    floating = jnp.issubdtype(array.dtype, jnp.floating)
    finite = jnp.isfinite(array) if floating else jnp.ones(array.shape, bool)
    limits = jnp.finfo(array.dtype) if floating else jnp.iinfo(array.dtype)
    wide = jnp.where(finite, array, 0).astype(jnp.result_type(float))
    count = _count(finite)
    divisor = jnp.maximum(count, 1).astype(wide.dtype)
    mean = wide.sum() / divisor
    squares = jnp.where(finite, jnp.square(wide - mean), 0).sum()
    low = jnp.where(finite, array, limits.max).min()
    high = jnp.where(finite, array, limits.min).max()
    return (
        mean,
        jnp.sqrt(squares / divisor),
        low,
        high,
        _counts_inside(array, finite, low, high),
        count,
        _count(array == 0),
        _count(jnp.isnan(array)),
        _count(jnp.isposinf(array)) if floating else jnp.uint32(0),
        _count(jnp.isneginf(array)) if floating else jnp.uint32(0),
    )


def _counts_inside(
    array: jax.Array, finite: jax.Array, low: jax.Array, high: jax.Array
) -> jax.Array:
    """How many values fall into each part of the range; parts that are not needed stay empty."""
    real = jnp.result_type(float)
    if jnp.issubdtype(array.dtype, jnp.integer):
        # Distances wrap around into the unsigned type, where they are exact.
        unsigned = jnp.dtype(f"uint{max(8, jnp.iinfo(array.dtype).bits)}")
        size = (high.astype(unsigned) - low.astype(unsigned)).astype(real) + 1
        distances = (array.astype(unsigned) - low.astype(unsigned)).astype(real)
        places = distances * jnp.minimum(size, PARTS) / size
    else:
        start, stop = low.astype(real) / 2, high.astype(real) / 2
        places = (array.astype(real) / 2 - start) / (stop - start) * PARTS
    numbers = jnp.where(finite, jnp.clip(jnp.nan_to_num(places), 0, PARTS - 1), -1).astype(jnp.int8)
    return jnp.stack([_count(numbers == part) for part in range(PARTS)])


def _count(flags: jax.Array) -> jax.Array:
    return flags.sum(dtype=jnp.uint32)


@jax.jit
def _take(array: jax.Array, window: Window) -> jax.Array:
    return array[jnp.ix_(*window)]
