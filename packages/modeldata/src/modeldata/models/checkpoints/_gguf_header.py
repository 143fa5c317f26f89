"""Reads the header of a GGUF file: its metadata, and where each tensor lies.

The `gguf` package reads headers too, but it makes several NumPy views for each string, which takes
20 seconds for a vocabulary of 262,144 pieces, and reports a damaged file as an error of NumPy. The
format is small enough to read here in a fraction of a second with a check at every step.

A file is: magic, version, number of tensors, number of metadata entries; the entries (key, type,
value); the tensors (name, number of axes, sizes with the innermost first, storage type, offset);
padding; the data. All numbers are little-endian here; version 1 had other sizes and is refused.
Source: the GGUF specification in the documentation of ggml.
"""

import dataclasses
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modeldata.models.checkpoints._errors import LoadError

_MAGIC = b"GGUF"
_SUPPORTED_VERSIONS = (2, 3)
_DEFAULT_ALIGNMENT = 32
_MAX_AXES = 8
_MAX_NESTING = 4
_STRING, _ARRAY = 8, 9
_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_UINT32, _UINT64 = _SCALARS[4], _SCALARS[10]


@dataclasses.dataclass(frozen=True)
class TensorEntry:
    """Where a tensor lies in the file.

    Attributes:
        shape: The shape, outermost axis first.
        type_number: The storage type, as a number of ggml.
        offset: Its first byte, counted from the start of the file.
    """

    shape: tuple[int, ...]
    type_number: int
    offset: int


@dataclasses.dataclass(frozen=True)
class GGUFHeader:
    """All of a GGUF file but the values of its tensors.

    Attributes:
        metadata: The metadata, as plain Python values and lists.
        tensors: The entry of each tensor, by name.
        file_size: The size of the file, in bytes.
    """

    metadata: dict[str, Any]
    tensors: dict[str, TensorEntry]
    file_size: int


def read_header(path: Path) -> GGUFHeader:
    """Reads the header of the file at `path`.

    Args:
        path: An existing file.

    Returns:
        The header. Offsets are not yet checked against the size of the file, because that needs the
        sizes of the storage types.

    Raises:
        LoadError: If this is no GGUF file, or its header is cut off or damaged.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
        if start != _MAGIC:
            raise LoadError(
                f"A GGUF file starts with the bytes {_MAGIC!r}, but `{path}` starts with "
                f"{start!r}. It is another kind of file, or a download that went wrong."
            )
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(data, path).header(size)


class _Reader:
    """A position in the file, with reads that are checked against its end."""

    def __init__(self, data: mmap.mmap, path: Path) -> None:
        self.data = data
        self.path = path
        self.position = len(_MAGIC)

    def header(self, size: int) -> GGUFHeader:
        version = self.scalar(_UINT32)
        if version not in _SUPPORTED_VERSIONS:
            raise LoadError(
                f"Expected a little-endian GGUF file of version {_SUPPORTED_VERSIONS[0]} or "
                f"{_SUPPORTED_VERSIONS[1]}, but `{self.path}` says version {version}. Convert it "
                "anew with a current converter."
            )
        tensor_count, entry_count = self.scalar(_UINT64), self.scalar(_UINT64)
        metadata = dict(self.entry() for _ in self.repeat(entry_count))
        named = [self.tensor() for _ in self.repeat(tensor_count)]
        tensors = dict(named)
        if len(tensors) != len(named):
            raise self.damaged("two tensors have the same name")
        alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment <= 0:
            raise self.damaged(f"`general.alignment` is {alignment!r}")
        start = -(-self.position // alignment) * alignment
        tensors = {
            name: dataclasses.replace(entry, offset=start + entry.offset)
            for name, entry in tensors.items()
        }
        return GGUFHeader(metadata, tensors, size)

    def entry(self) -> tuple[str, Any]:
        key = self.string()
        return key, self.value(self.scalar(_UINT32))

    def tensor(self) -> tuple[str, TensorEntry]:
        name = self.string()
        axes = self.scalar(_UINT32)
        if axes > _MAX_AXES:
            raise self.damaged(f"the tensor `{name}` has {axes} axes")
        sizes = [self.scalar(_UINT64) for _ in range(axes)]
        type_number, offset = self.scalar(_UINT32), self.scalar(_UINT64)
        return name, TensorEntry(tuple(reversed(sizes)), type_number, offset)

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind in _SCALARS:
            return self.scalar(_SCALARS[kind])
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY and depth < _MAX_NESTING:
            return self.array(depth)
        raise self.damaged(f"a metadata value has the unknown type {kind}")

    def array(self, depth: int) -> list[Any]:
        kind, count = self.scalar(_UINT32), self.scalar(_UINT64)
        if kind not in _SCALARS:
            return [self.value(kind, depth + 1) for _ in self.repeat(count)]
        unit = _SCALARS[kind]
        start = self.advance(count * unit.size)
        numbers = struct.Struct(f"<{count}{unit.format[-1]}")
        return list(numbers.unpack_from(self.data, start))

    def scalar(self, unit: struct.Struct) -> Any:
        return unit.unpack_from(self.data, self.advance(unit.size))[0]

    def string(self) -> str:
        length = self.scalar(_UINT64)
        start = self.advance(length)
        try:
            return self.data[start : start + length].decode()
        except UnicodeDecodeError as error:
            raise self.damaged(f"a string is not UTF-8 ({error})") from error

    def advance(self, length: int) -> int:
        start = self.position
        if start + length > len(self.data):
            raise self.damaged(
                f"its header needs at least {start + length:,} bytes and the file has "
                f"{len(self.data):,}"
            )
        self.position = start + length
        return start

    def repeat(self, count: int) -> Iterator[int]:
        # Each entry takes at least one byte, so a count beyond the file is damage, not data.
        if count > len(self.data):
            raise self.damaged(f"it announces {count:,} entries and has {len(self.data):,} bytes")
        return iter(range(count))

    def damaged(self, what: str) -> LoadError:
        return LoadError(
            f"The GGUF file `{self.path}` is damaged or cut off: {what}. Fetch it again."
        )
