"""Weights in 4 bits, as published GPT-OSS models have them.

Each row of a weight is stored in groups of 32 numbers. A number takes four bits: a sign, two bits
of exponent and one of mantissa, which makes one of 16 values; two of them share a byte, the first
in the lower half. A group has one scale, a power of two stored as its exponent plus 127. The
tensors `X_blocks` and `X_scales` hold a weight that transformers calls `X` and keeps with its last
two axes exchanged.
Source: the microscaling formats of the Open Compute Project, version 1.0 (MXFP4).
"""

import dataclasses

import numpy as np
from numpy.typing import DTypeLike

from modeldata.models.checkpoints._base import Checkpoint, TensorInfo, aligned_empty
from modeldata.models.checkpoints._errors import LoadError

_BLOCKS, _SCALES = "_blocks", "_scales"
_BYTES = 16
_POSITIVE = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_VALUES = np.array([*_POSITIVE, *(-value for value in _POSITIVE)], np.float32)
_BIAS = 127


def is_mxfp4(checkpoint: Checkpoint) -> bool:
    """Returns whether a checkpoint says that it has weights in 4 bits.

    Args:
        checkpoint: The checkpoint.
    """
    quantization = checkpoint.config.get("quantization_config")
    return isinstance(quantization, dict) and quantization.get("quant_method") == "mxfp4"


class ExpandedCheckpoint(Checkpoint):
    """A checkpoint with weights in 4 bits, as if it had them in full.

    The settings say nothing of the 4 bits either, so that the model is saved as what it has become.
    """

    def __init__(self, stored: Checkpoint) -> None:
        """Wraps a checkpoint.

        Args:
            stored: The checkpoint.

        Raises:
            LoadError: If blocks and scales do not belong together.
        """
        self.source, self.naming = stored.source, stored.naming
        self.architecture = stored.architecture
        self.config = {k: v for k, v in stored.config.items() if k != "quantization_config"}
        self._stored = stored
        self._packed = [
            name.removesuffix(_BLOCKS) for name in stored.tensors if name.endswith(_BLOCKS)
        ]
        hidden = {f"{name}{ending}" for name in self._packed for ending in (_BLOCKS, _SCALES)}
        self.tensors = {
            **{name: info for name, info in stored.tensors.items() if name not in hidden},
            **{name: self._info(name) for name in self._packed},
        }

    def read(self, name: str, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Reads one tensor; see `Checkpoint.read`."""
        if name not in self._packed:
            return self._stored.read(name, dtype)
        blocks = self._stored.read(f"{name}{_BLOCKS}", np.uint8)
        scales = self._stored.read(f"{name}{_SCALES}", np.uint8)
        values = aligned_empty(self.tensors[name].shape, dtype)
        # One expert at a time, since expanding takes several copies.
        for part, block, scale in zip(values, blocks, scales, strict=True):
            numbers = np.stack([_VALUES[block & 15], _VALUES[block >> 4]], axis=-1)
            numbers = numbers.reshape(*scale.shape, -1)
            expanded = np.ldexp(numbers, scale.astype(np.int32)[..., None] - _BIAS)
            part[...] = expanded.reshape(len(block), -1).T
        return values

    def _info(self, name: str) -> TensorInfo:
        blocks = self._stored.tensors[f"{name}{_BLOCKS}"]
        scales = self._stored.tensors.get(f"{name}{_SCALES}")
        shapes = blocks.shape, scales and scales.shape
        if len(blocks.shape) != 4 or shapes != ((*blocks.shape[:3], _BYTES), blocks.shape[:3]):
            raise LoadError(
                f"Expected `{name}{_BLOCKS}` in groups of {_BYTES} bytes, with a scale for each in "
                f"`{name}{_SCALES}`, but {self.source} has the shapes {shapes[0]} and {shapes[1]}. "
                "The file is damaged; fetch it again."
            )
        experts, rows, groups, _ = blocks.shape
        size = blocks.stored_bytes + (scales.stored_bytes if scales else 0)
        return dataclasses.replace(
            blocks, shape=(experts, groups * 2 * _BYTES, rows), storage="MXFP4", stored_bytes=size
        )
