"""What every kind of checkpoint offers: a config, and tensors that are read one at a time."""

import abc
import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

_ALIGNMENT = 64


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Makes an uninitialised array that JAX can use on the CPU as it is.

    JAX takes over a host array without a copy only where it starts at a multiple of 64 bytes, which
    NumPy does not promise. For large tensors this halves the peak of memory.

    Args:
        shape: The shape.
        dtype: The type of the elements.

    Returns:
        The array.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """What is known of a stored tensor before it is read.

    Attributes:
        shape: The shape, outermost axis first, as NumPy counts.
        storage: How the values are stored, as the format calls it: `F32`, `BF16`, `Q4_K`.
        stored_bytes: The bytes that it takes in the checkpoint.
    """

    shape: tuple[int, ...]
    storage: str
    stored_bytes: int


class Checkpoint(abc.ABC):
    """Named tensors with a config.

    Opening one reads the config and the list of tensors; values are read only by `read`, one tensor
    at a time, so that the memory in use stays near one tensor.

    Attributes:
        source: Where it comes from, for error texts.
        naming: Which names its tensors have: `gguf` or `huggingface`.
        architecture: The model architecture, as the checkpoint calls it.
        config: The settings of the model under the names of the format.
        tensors: What is known of each tensor, by name.
    """

    source: str
    naming: str
    architecture: str
    config: Mapping[str, Any]
    tensors: Mapping[str, TensorInfo]

    @abc.abstractmethod
    def read(self, name: str, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Reads one tensor.

        Args:
            name: One of `tensors`.
            dtype: The type to convert to. Quantized values are expanded in float32 first.

        Returns:
            A contiguous array that shares no memory with the checkpoint.

        Raises:
            LoadError: If the tensor is missing, damaged, or stored in an unknown way.
        """
