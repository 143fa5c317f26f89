"""PyTorch: tensors of every layout and device, parameters, modules, and their small relatives."""

# pyright: standard, reportMissingImports=false
# PyTorch leaves many of its types unknown, and is not installed where types are checked.

import re
from collections.abc import Callable, Sequence
from typing import Any

import torch

from treeview._document import Text
from treeview._guard import safe_repr
from treeview._names import type_module, type_name
from treeview._registry import Registry
from treeview._view import ArraySketch, Sketch, View
from treeview.adapters._torch_modules import show_module
from treeview.adapters._torch_values import (
    read_statistics,
    read_windows,
    stored_count,
    untouched,
)
from treeview.arrays.expressions import LARGEST, array_expression
from treeview.arrays.protocol import ArrayInfo, Statistics, Window, shape_axes
from treeview.arrays.statistics import NumpyArray

# Neither is public, and there is no other way to tell such tensors.
_modules: Any = torch
_UNINITIALIZED: Any = _modules.nn.parameter.UninitializedTensorMixin
_is_wrapped: Any = _modules._C._functorch.is_functorch_wrapped_tensor  # noqa: SLF001
# PyTorch stores these types, but converts them to no other.
_UNREADABLE = re.compile(r"torch\.(bits|u?int[1-7]$|float4)")
_SPARSE = {
    torch.sparse_coo,
    torch.sparse_csr,
    torch.sparse_csc,
    torch.sparse_bsr,
    torch.sparse_bsc,
}


class TorchAdapter:
    """Speaks for `torch.Tensor`; no operation of a subclass or an active mode is called."""

    def describe(self, array: torch.Tensor) -> ArrayInfo:
        """What is known without looking at values or waiting for a device."""
        with untouched():
            problem = tensor_problem(array)
            dtype = str(array.dtype).removeprefix("torch.")
            if problem in ("uninitialized", "nested"):
                return ArrayInfo(_type_name(array), dtype, (), problem=problem)
            axes = shape_axes(array.shape)
            symbolic = any(type(size) is not int for size in array.shape)
            return ArrayInfo(
                type_name=_type_name(array),
                dtype=dtype,
                axes=axes,
                bytes=0 if symbolic else _byte_count(array),
                problem=problem,
                note=", ".join(_notes(array, problem)),
            )

    def statistics(self, arrays: Sequence[torch.Tensor]) -> Sequence[Statistics | None]:
        """Statistics of each tensor, made on its device, in at most one transfer for each type."""
        with untouched():
            return read_statistics(arrays)

    def fetch(self, requests: Sequence[tuple[torch.Tensor, Window]]) -> Sequence[NumpyArray]:
        """The values in each window."""
        with untouched():
            return read_windows(requests)

    def expression(self, array: torch.Tensor) -> str | None:
        """A Python expression of an equal tensor, or None."""
        plain = type(array) is torch.Tensor and array.layout is torch.strided
        if not plain or array.numel() > LARGEST or array.requires_grad or array.is_quantized:
            return None
        with untouched():
            try:
                values = array.detach().numpy()
            except (TypeError, RuntimeError):  # an element type or a device that NumPy has not
                return None
        source = array_expression(values, "numpy.array")
        return source and f"torch.from_numpy({source})"


def _type_name(tensor: torch.Tensor) -> str:
    if isinstance(tensor, torch.nn.Parameter):
        return "torch.nn.Parameter"
    cls = type(tensor)
    return "torch.Tensor" if _is_fake(tensor) or cls is torch.Tensor else type_name(cls)


def tensor_problem(tensor: torch.Tensor) -> str:
    """Why the values of a tensor cannot be read, or an empty string."""
    return next((problem for problem, applies in _PROBLEMS.items() if applies(tensor)), "")


def _is_fake(tensor: torch.Tensor) -> bool:
    return type_module(type(tensor)).startswith(
        ("torch._subclasses.fake_tensor", "torch._subclasses.functional_tensor")
    )


def _is_distributed(tensor: torch.Tensor) -> bool:
    # To read one would make all processes talk to each other.
    return type_module(type(tensor)).startswith("torch.distributed")


def _is_symbolic(tensor: torch.Tensor) -> bool:
    return any(type(size) is not int for size in tensor.shape)


# In the order in which they can be asked: an uninitialized or a nested tensor has no shape.
_PROBLEMS: dict[str, Callable[[torch.Tensor], bool]] = {
    "uninitialized": lambda tensor: isinstance(tensor, _UNINITIALIZED),
    "fake": _is_fake,
    "traced": _is_wrapped,
    "nested": lambda tensor: tensor.is_nested and tensor.layout is torch.strided,
    "meta": lambda tensor: tensor.is_meta,
    "values not readable": lambda tensor: bool(_UNREADABLE.match(str(tensor.dtype))),
    "distributed": _is_distributed,
    "symbolic": _is_symbolic,
}


def _byte_count(tensor: torch.Tensor) -> int:
    if tensor.layout is torch.strided:
        return tensor.numel() * tensor.element_size()
    return stored_count(tensor) * tensor.element_size() if tensor.layout in _SPARSE else 0


def _notes(tensor: torch.Tensor, problem: str) -> list[str]:
    notes: list[str] = []
    if tensor.layout in _SPARSE:
        layout = str(tensor.layout).removeprefix("torch.")
        notes.append(f"{layout} nnz:{stored_count(tensor):_}")
    if tensor.is_quantized:
        notes.append(_quantization(tensor))
    if tensor.device.type not in ("cpu", "meta"):
        notes.append(f"on {tensor.device}")
    if isinstance(tensor, torch.nn.Parameter):
        if not tensor.requires_grad:
            notes.append("frozen")
    elif tensor.requires_grad and problem != "traced":
        notes.append("requires_grad")
    if tensor.is_leaf and tensor.grad is not None:
        notes.append("has grad")
    return notes


def _quantization(tensor: torch.Tensor) -> str:
    if tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        return f"quantized, scale {tensor.q_scale():.4g}, zero point {tensor.q_zero_point()}"
    return f"quantized along axis {tensor.q_per_channel_axis()}"


def show_tensor(tensor: torch.Tensor, view: View) -> Sketch | ArraySketch:
    """A tensor with its statistics; a nested one by its parts."""
    unit = "parameters" if isinstance(tensor, torch.nn.Parameter) else None
    with untouched():
        if not tensor.is_nested or _is_fake(tensor):
            return view.array(tensor, unit=unit)
    parts = tensor.detach().unbind()
    name = f"{_type_name(tensor)} nested {str(tensor.dtype).removeprefix('torch.')}"
    return view.sequence(tensor, parts, name=name, steps="index", unit=unit)


def _show_constant(obj: object, view: View) -> Text:
    return view.text((safe_repr(obj), "plain"))


def _show_optimizer(optimizer: torch.optim.Optimizer, view: View) -> Sketch:
    fields = {"param_groups": optimizer.param_groups, "state": optimizer.state}
    return view.record(optimizer, fields)


def register(registry: Registry) -> None:
    """Tells a registry about PyTorch's types."""
    registry.register_array(torch.Tensor, TorchAdapter())
    registry.register(torch.Tensor, show_tensor)
    registry.register(torch.nn.Module, show_module)
    registry.register(torch.optim.Optimizer, _show_optimizer)
    for constant in (torch.dtype, torch.device, torch.layout, torch.memory_format, torch.Size):
        registry.register(constant, _show_constant)
