"""GGUF files: quantized checkpoints in one file, as llama.cpp makes them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from modeldata.models.checkpoints._base import Checkpoint, TensorInfo, aligned_empty
from modeldata.models.checkpoints._errors import LoadError, import_extra
from modeldata.models.checkpoints._gguf_header import TensorEntry, read_header

# Tensors are expanded in pieces of this size, since expanding takes several copies of a piece.
_BLOCK_BYTES = 2**22


class GGUFCheckpoint(Checkpoint):
    """A GGUF file.

    Storage types are expanded by the `gguf` package of llama.cpp.

    Attributes:
        path: The file.
    """

    naming = "gguf"

    def __init__(self, path: Path) -> None:
        """Opens a file and checks that every tensor lies inside it.

        Args:
            path: An existing file.

        Raises:
            LoadError: If the file is damaged or cut off, stores values in an unknown way, or the
                package `gguf` is missing.
        """
        self.path = path
        self.source = f"the GGUF file `{path}`"
        header = read_header(path)
        self._library: Any = import_extra("gguf", "gguf", "Reading the tensors of a GGUF file")
        self._entries = header.tensors
        self.config = header.metadata
        self.architecture = str(header.metadata.get("general.architecture", ""))
        self.tensors = {name: self._info(name, entry) for name, entry in header.tensors.items()}
        ends = (
            entry.offset + self.tensors[name].stored_bytes for name, entry in self._entries.items()
        )
        end = max(ends, default=0)
        if end > header.file_size:
            raise LoadError(
                f"The GGUF file `{path}` is cut off: its tensors need {end:,} bytes and the file "
                f"has {header.file_size:,}. Fetch it again."
            )

    def read(self, name: str, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Reads one tensor; see `Checkpoint.read`."""
        if name not in self.tensors:
            raise LoadError(
                f"Expected a tensor `{name}` in {self.source}, which has none of this name."
            )
        info = self.tensors[name]
        values = aligned_empty(info.shape, dtype)
        if values.size == 0:
            return values
        rows = values.reshape(-1, info.shape[-1] if info.shape else 1)
        row_bytes = info.stored_bytes // len(rows)
        step = max(1, _BLOCK_BYTES // max(row_bytes, 1))
        with self.path.open("rb") as file:
            file.seek(self._entries[name].offset)
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                stored = file.read(len(part) * row_bytes)
                if len(stored) < len(part) * row_bytes:
                    raise LoadError(
                        f"Expected {info.stored_bytes:,} bytes for the tensor `{name}`, but "
                        f"{self.source} ends before: it has changed since it was opened. Load it "
                        "again."
                    )
                part[...] = self._expand(name, stored, len(part))
        return values

    def _expand(self, name: str, stored: bytes, rows: int) -> np.ndarray:
        """Expands some rows of a tensor to float32, or to what plain numbers are."""
        block = np.frombuffer(stored, np.uint8)
        kind = self._library.GGMLQuantizationType(self._entries[name].type_number)
        try:
            return self._library.quants.dequantize(block.reshape(rows, -1), kind)
        except NotImplementedError as error:
            raise LoadError(
                "Expected a storage type that the package `gguf` can expand, but the tensor "
                f"`{name}` in {self.source} is stored as {kind.name}. A newer `gguf` may read it."
            ) from error

    def _info(self, name: str, entry: TensorEntry) -> TensorInfo:
        try:
            kind = self._library.GGMLQuantizationType(entry.type_number)
            block, block_bytes = self._library.GGML_QUANT_SIZES[kind]
        except (KeyError, ValueError) as error:
            raise LoadError(
                f"Expected a storage type that the package `gguf` knows, but the tensor `{name}` "
                f"in {self.source} has number {entry.type_number}. A newer `gguf` may read it, or "
                "the file is damaged."
            ) from error
        innermost = entry.shape[-1] if entry.shape else 1
        if innermost % block:
            raise LoadError(
                f"Expected rows of a multiple of {block} values for {kind.name}, but the tensor "
                f"`{name}` in {self.source} has the shape {entry.shape}. The file is damaged."
            )
        return TensorInfo(entry.shape, kind.name, math.prod(entry.shape) // block * block_bytes)
