"""Reading values of tensors: in place on the processor, else reduced or sliced on their device."""

# pyright: standard, reportMissingImports=false
# PyTorch leaves many of its types unknown, and is not installed where types are checked.

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from treeview.adapters._merging import dense_window, merged_statistics, with_zeros
from treeview.arrays.histogram import (
    LEAST_VALUES,
    PARTS,
    histogram,
    part_count,
    relative_counts,
    sample_step,
)
from treeview.arrays.protocol import Statistics, Window
from treeview.arrays.statistics import NumpyArray, array_statistics
from treeview.arrays.windows import take_window

_CHUNK = 1 << 20
_REMOTE_CHUNK = 1 << 26
_LOW, _HIGH = 2, 3
_NUMPY_TYPES = (
    *("float16", "float32", "float64", "complex64", "complex128", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
_NUMPY_HAS = {getattr(torch, name) for name in _NUMPY_TYPES if hasattr(torch, name)}

# None of this is public, and without it a display would be seen by profilers and tracers.
_dispatch: Any = getattr(torch.utils, "_python_dispatch", None)
_no_modes: Any = getattr(_dispatch, "_disable_current_modes", nullcontext)
_no_subclasses: Any = torch._C.DisableTorchFunctionSubclass  # noqa: SLF001


@contextmanager
def untouched() -> Generator[None]:
    """Inside, no code of tensor subclasses runs, nothing is recorded, and no mode sees anything."""
    with ExitStack() as stack:
        stack.enter_context(_no_subclasses())
        stack.enter_context(torch.no_grad())
        stack.enter_context(_no_modes())
        yield


def stored_count(tensor: torch.Tensor) -> int:
    """How many values a sparse tensor stores."""
    if tensor.layout is torch.sparse_coo:
        return tensor._values().numel()  # noqa: SLF001 - `values` refuses what is not coalesced
    return tensor.values().numel()


def read_statistics(tensors: Sequence[torch.Tensor]) -> list[Statistics | None]:
    """Statistics of each tensor; those on accelerators are reduced there and come over together."""
    results: list[Statistics | None] = [None] * len(tensors)
    remote: list[int] = []
    for index, tensor in enumerate(tensors):
        if tensor.device.type == "cpu":
            results[index] = _host_statistics(tensor)
        elif tensor.layout is torch.strided and _is_real(tensor):
            remote.append(index)
        else:
            results[index] = _host_statistics(tensor.detach().cpu())
    for index, found in zip(
        remote, device_statistics([tensors[index] for index in remote]), strict=True
    ):
        results[index] = found
    return results


def _is_real(tensor: torch.Tensor) -> bool:
    return not (tensor.is_complex() or tensor.is_quantized)


def _host_statistics(tensor: torch.Tensor) -> Statistics | None:
    if tensor.layout is not torch.strided:
        sparse = tensor.detach().to_sparse().coalesce()
        zero = complex(0) if tensor.is_complex() else 0.0 if tensor.is_floating_point() else 0
        # A tensor may be sparse along its first axes only, and store arrays.
        values = sparse.values()
        return with_zeros(_host_statistics(values), tensor.numel() - values.numel(), zero)
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.dtype in _NUMPY_HAS:
        return array_statistics(_host_view(tensor))
    # NumPy does not know this type; a wider one holds its values. Chunks keep the copies small.
    flat = tensor.reshape(-1)
    parts = [array_statistics(_widened(chunk)) for chunk in flat.split(_CHUNK)] or [Statistics(0)]
    merged = merged_statistics([part for part in parts if part is not None])
    return merged if tensor.is_complex() else _with_histogram(merged, flat)


def _with_histogram(statistics: Statistics, flat: torch.Tensor) -> Statistics:
    """Statistics that were merged, with the histogram of a sample of all values."""
    if statistics.finite < LEAST_VALUES or statistics.low == statistics.high:
        return statistics
    sample = _widened(flat[:: sample_step(flat.numel())])
    finite = sample[np.isfinite(sample)]
    found = histogram(finite, statistics.low, statistics.high, whole=False)
    return replace(statistics, histogram=found)


def _host_view(tensor: torch.Tensor) -> NumpyArray:
    return tensor.resolve_conj().resolve_neg().numpy()


def _widened(tensor: torch.Tensor) -> NumpyArray:
    """Values of a type that NumPy does not know in one that holds them all.

    Raises:
        NotImplementedError: PyTorch itself cannot read values of this type.
    """
    if tensor.is_complex():
        return _host_view(tensor.to(torch.complex64))
    return _host_view(tensor.float())


def device_statistics(tensors: Sequence[torch.Tensor]) -> list[Statistics]:
    """Statistics of real tensors, reduced where they live; all results come over together."""
    queued: list[list[list[torch.Tensor]]] = []
    for tensor in tensors:
        flat = tensor.detach().reshape(-1)
        chunks = [_reduced(chunk) for chunk in flat.split(_REMOTE_CHUNK)]
        queued.append([*chunks, _counts_inside(flat, chunks)])
    scalars = [scalar for chunks in queued for chunk in chunks for scalar in chunk]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, scalar in enumerate(scalars):
        groups.setdefault((scalar.device, scalar.dtype), []).append(index)
    values: list[Any] = [None] * len(scalars)
    for members in groups.values():
        stacked = torch.stack([scalars[index] for index in members])
        for index, value in zip(members, stacked.cpu().tolist(), strict=True):
            values[index] = value
    found = iter(values)
    results: list[Statistics] = []
    for tensor, chunks in zip(tensors, queued, strict=True):
        *parts, counts = [[next(found) for _ in chunk] for chunk in chunks]
        merged = merged_statistics([_decoded(part) for part in parts])
        results.append(_with_counts(merged, counts, whole=not tensor.is_floating_point()))
    return results


def _counts_inside(flat: torch.Tensor, chunks: list[list[torch.Tensor]]) -> list[torch.Tensor]:
    """How many values of a sample fall into each part of the range; unused parts stay empty."""
    wide = torch.float32 if flat.device.type == "mps" else torch.float64
    low = torch.stack([chunk[_LOW] for chunk in chunks]).min().to(wide)
    high = torch.stack([chunk[_HIGH] for chunk in chunks]).max().to(wide)
    sample = flat[:: sample_step(flat.numel())].to(wide)
    if flat.is_floating_point():
        # Halves, for the distance of the largest numbers is not finite.
        places = (sample / 2 - low / 2) / (high / 2 - low / 2) * PARTS
    else:
        size = high - low + 1
        places = (sample - low) * size.clamp(max=PARTS) / size
    numbers = torch.nan_to_num(places).clamp(0, PARTS - 1).to(torch.int8)
    numbers = torch.where(torch.isfinite(sample), numbers, -1)
    return [(numbers == part).sum() for part in range(PARTS)]


def _with_counts(statistics: Statistics, counts: list[int], *, whole: bool) -> Statistics:
    low, high = statistics.low, statistics.high
    if statistics.finite < LEAST_VALUES or isinstance(low, bool):
        return statistics
    shown = counts[: part_count(low, high, whole=whole)]
    return replace(statistics, histogram=relative_counts(shown, low, high, whole=whole))


def _reduced(flat: torch.Tensor) -> list[torch.Tensor]:
    """Mean, deviation, extremes (at `_LOW` and `_HIGH`) and counts, each without axes."""
    # Apple's devices have no float64, others have no reason to do without.
    wide = torch.float32 if flat.device.type == "mps" else torch.float64
    if flat.dtype is torch.bool or flat.element_size() == 1:
        flat = flat.float() if flat.is_floating_point() else flat.to(torch.int16)
    finite = torch.isfinite(flat)
    count = finite.sum()
    if flat.is_floating_point():
        limits = torch.finfo(flat.dtype)
        low = torch.where(finite, flat, limits.max)
        high = torch.where(finite, flat, limits.min)
    else:
        low = high = flat
    values = torch.where(finite, flat, 0).to(wide)
    mean = values.sum() / count.clamp(min=1)
    squares = torch.where(finite, (values - mean).square(), 0).sum()
    empty = flat.numel() == 0
    extremes = (count, count) if empty else (low.min(), high.max())
    return [
        mean,
        (squares / count.clamp(min=1)).sqrt(),
        *extremes,
        count,
        (flat == 0).sum(),
        torch.isnan(flat).sum(),
        torch.isposinf(flat).sum(),
        torch.isneginf(flat).sum(),
    ]


def _decoded(values: list[Any]) -> Statistics:
    mean, std, low, high, finite, zeros, nans, positive, negative = values
    if not finite:
        mean = std = low = high = None
    return Statistics(
        finite=finite,
        mean=mean,
        std=std,
        low=low,
        high=high,
        zeros=zeros,
        nans=nans,
        positive_infinities=positive,
        negative_infinities=negative,
    )


def read_windows(requests: Sequence[tuple[torch.Tensor, Window]]) -> list[NumpyArray]:
    """The values in each window; slices of tensors on accelerators are all begun, then fetched."""
    begun = [_window(tensor.detach(), window) for tensor, window in requests]
    return [part if isinstance(part, np.ndarray) else _as_numpy(part.cpu()) for part in begun]


def _window(tensor: torch.Tensor, window: Window) -> Any:
    if tensor.layout is not torch.strided:
        sparse = tensor.to_sparse().coalesce().cpu()
        coordinates = [axis.numpy() for axis in sparse.indices()]
        return dense_window(coordinates, _as_numpy(sparse.values()), window)
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.device.type == "cpu" and tensor.dtype in _NUMPY_HAS:
        return take_window(_host_view(tensor), window)
    for axis, indices in enumerate(window):
        if len(indices) < tensor.shape[axis]:
            places = torch.from_numpy(indices.astype(np.int64)).to(tensor.device)
            tensor = tensor.index_select(axis, places)
    return tensor


def _as_numpy(tensor: torch.Tensor) -> NumpyArray:
    return _host_view(tensor) if tensor.dtype in _NUMPY_HAS else _widened(tensor)
