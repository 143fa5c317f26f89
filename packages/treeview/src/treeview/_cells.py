"""What a script is to know of the pictures on a page, in one compressed element for all of them.

It holds the grids of pictures that stand in the markup, for values under the pointer, and whole
pictures that no markup shows yet, which the script builds when their lines are opened. All of it
shares one stream of compressed bytes: a header in JSON, led by its length, and behind it blocks of
bytes that the header points to. Numbers of several bytes stand in planes (all first bytes, then
all second bytes, ...), which compress better, for exponents repeat and digits do not.
"""

import base64
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from treeview._document import Picture
from treeview._grid import Array, Grid, GridAxis, Scale
from treeview._pictures import picture_element
from treeview.arrays.picture import encode_png, find_colors

MOST_BYTES = 20_000
"""How many bytes the exact values of all pictures in a tree may take."""

_LEVEL = 6
_MOST_COLORS = 1 << 16
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class CellData:
    """Collects what a script is to know of pictures.

    Args:
        room: How many bytes of compressed values there may be; None for any number.
    """

    def __init__(self, room: int | None = None) -> None:
        self.room = room
        self._blocks: list[bytes] = []
        self._length = 0
        self._tables: dict[bytes, int] = {}
        self._rows: list[str] = []
        self._palette = b""

    def add(self, pictures: Mapping[int, Picture]) -> None:
        """Adds the grids of pictures.

        Args:
            pictures: The pictures by the numbers under which the script knows them.
        """
        for view, row in self._grid_rows(pictures):
            self._keep(view, row)

    def add_figures(self, pictures: Mapping[int, Picture]) -> None:
        """Adds whole pictures; all of them share one palette.

        Args:
            pictures: The pictures by their numbers.
        """
        if not pictures:
            return
        packed = [one.pixels.reshape(-1, 4).view(np.uint32).ravel() for one in pictures.values()]
        everything = np.concatenate(packed)
        colors = find_colors(everything)
        places = None
        if len(colors) <= _MOST_COLORS:
            self._palette = colors.tobytes()
            places = np.searchsorted(colors, everything).astype(np.uint16)
        start = 0
        for view, row in self._grid_rows(pictures):
            picture = pictures[view]
            row["figure"] = picture_element(picture, None, view)
            height, width = picture.pixels.shape[:2]
            stop = start + height * width
            if places is None:
                data = encode_png(picture.pixels)
                row["png"] = [self._block(data), len(data)]
            else:
                row["pixels"] = [height, width, self._block(_planes(places[start:stop]))]
            start = stop
            self._keep(view, row)

    def _grid_rows(self, pictures: Mapping[int, Picture]) -> Iterator[tuple[int, dict[str, Any]]]:
        """What is to be known of the grids of each picture."""
        exact = self._affordable(pictures.values())
        for view, picture in pictures.items():
            grids = [self._grid(grid, exact=id(grid) in exact) for grid in picture.grids]
            yield view, {"grids": grids}

    def _keep(self, view: int, row: dict[str, Any]) -> None:
        # As text at once: many small objects that live long keep the garbage collector busy.
        self._rows.append(f'"{view}":{_encode(row)}')

    def element(self, *, name: str) -> str:
        """The element, or nothing where there is nothing to know.

        Args:
            name: Its class.
        """
        if not self._rows:
            return ""
        header: dict[str, Any] = {"tables": [table.hex() for table in self._tables]}
        if self._palette:
            header["palette"] = self._palette.hex()
        first = f'{{"views":{{{",".join(self._rows)}}},{_encode(header)[1:]}'
        encoded = first.encode("utf-8", "backslashreplace")
        body = b"".join((struct.pack("<I", len(encoded)), encoded, *self._blocks))
        # Matches of three bytes among the colours of noise cost more than they save.
        strategy = zlib.Z_FILTERED if self._palette else zlib.Z_DEFAULT_STRATEGY
        packer = zlib.compressobj(_LEVEL, strategy=strategy)
        data = base64.b64encode(packer.compress(body) + packer.flush()).decode("ascii")
        return f'<script type="application/json" class={name}>"{data}"</script>'

    def _affordable(self, pictures: Iterable[Picture]) -> set[int]:
        """The ids of the grids whose values there is room for, the smallest ones first."""
        grids = [grid for picture in pictures for grid in picture.grids]
        if self.room is None:
            return set(map(id, grids))
        chosen: set[int] = set()
        for grid in sorted(grids, key=_bytes):
            # Hardly anything but constants shrinks to less than this, and trying takes time.
            if _bytes(grid) > 64 * self.room:
                break
            self.room -= 0 if grid.values is None else len(zlib.compress(_planes(grid.values), 1))
            if self.room < 0:
                break
            chosen.add(id(grid))
        return chosen

    def _grid(self, grid: Grid, *, exact: bool) -> dict[str, Any]:
        row: dict[str, Any] = {
            "axes": list(map(_axis_row, grid.axes)),
            "rows": grid.rows,
            "columns": grid.columns,
            "cell": grid.cell,
        }
        scale = grid.scale
        optional = {
            "top": grid.top,
            "part": grid.part,
            "sliders": grid.sliders,
            "position": grid.position,
            "names": {str(value): name for value, name in grid.value_labels.items()},
            "scale": None if scale is None else self._scale(scale),
        }
        row |= {name: value for name, value in optional.items() if value}
        if exact and grid.values is not None:
            row |= self._exact(grid)
        elif scale is not None:
            row["kind"] = "~"
        if grid.tiles is not None and grid.choice is not None:
            row["tiles"] = self._block(np.ascontiguousarray(grid.tiles).tobytes())
            row["choice"] = self._block(_planes(grid.choice.astype(np.uint32)))
        return row

    def _exact(self, grid: Grid) -> dict[str, Any]:
        values = grid.values
        assert values is not None
        row: dict[str, Any] = {"kind": grid.kind}
        if grid.kind == "texts":
            values = values.astype(np.min_scalar_type(max(len(grid.texts) - 1, 0)))
            row |= {"texts": grid.texts, "wide": values.itemsize}
        row |= {"values": self._block(_planes(values)), "count": values.size}
        if grid.masked is not None and grid.masked.any():
            row["masked"] = self._block(np.packbits(grid.masked).tobytes())
        return row

    def _scale(self, scale: Scale) -> list[Any]:
        key = scale.table[:, :3].tobytes()
        number = self._tables.setdefault(key, len(self._tables))
        return [number, scale.low, scale.high, int(scale.clipped), int(scale.dynamic)]

    def _block(self, data: bytes) -> int:
        """Where a block begins that is put behind the others."""
        start = self._length
        self._blocks.append(data)
        self._length += len(data)
        return start


def _axis_row(axis: GridAxis) -> list[Any]:
    row: list[Any] = [axis.name, axis.label, axis.count, axis.cut, axis.jump]
    if axis.ranges or axis.items:
        row += [axis.ranges, axis.items]
    return row


def _bytes(grid: Grid) -> int:
    return 0 if grid.values is None else grid.values.nbytes


def _planes(values: Array) -> bytes:
    """All first bytes of numbers, then all second bytes, and so on, the least important first."""
    plain = np.ascontiguousarray(values)
    if plain.itemsize == 1:
        return plain.tobytes()
    if plain.dtype.byteorder == ">":
        plain = plain.astype(plain.dtype.newbyteorder("<"))
    return plain.view(np.uint8).reshape(-1, plain.itemsize).T.tobytes()
