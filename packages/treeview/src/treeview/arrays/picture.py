"""From tiles to pixels to PNG.

A picture of an array is made of few different tiles (one for each colour of a map, or for each
integer), so an image with a palette of at most 256 colours is almost always enough.
"""

import struct
import zlib
from typing import Any

import numpy as np

from treeview.arrays.colors import Colors
from treeview.arrays.facets import Side

NumpyColors = np.ndarray[Any, np.dtype[np.uint32]]

CUT_MARK = (140, 140, 140, 255)
"""The colour of the dotted strips where indices are left out."""


def compose(
    tiles: Colors, choice: np.ndarray[Any, np.dtype[Any]], rows: Side, columns: Side
) -> Colors:
    """Puts tiles in their places; what is between them stays transparent.

    Args:
        tiles: `uint8[count, cell, cell, 4]`.
        choice: The number of the tile in each cell, `int[cells of rows, cells of columns]`.
        rows: Where the rows stand.
        columns: Where the columns stand.

    Returns:
        `uint8[rows.length, columns.length, 4]`.
    """
    cell = tiles.shape[1]
    block = tiles[choice]
    if cell == 1:
        block = block[:, :, 0, 0]
    else:
        block = block.transpose(0, 2, 1, 3, 4).reshape(
            choice.shape[0] * cell, choice.shape[1] * cell, 4
        )
    if block.shape == (rows.length, columns.length, 4):
        return np.ascontiguousarray(block)
    canvas = np.zeros((rows.length, columns.length, 4), np.uint8)
    canvas[np.ix_(_pixels(rows), _pixels(columns))] = block
    _mark_cuts(canvas, rows)
    _mark_cuts(canvas.transpose(1, 0, 2), columns)
    return canvas


def _pixels(side: Side) -> np.ndarray[Any, np.dtype[np.intp]]:
    return np.add.outer(side.starts, np.arange(side.cell)).ravel()


def _mark_cuts(canvas: Colors, side: Side) -> None:
    """Draws a dotted line in the middle of each strip."""
    step = max(side.cell // 2, 1)
    for start in side.cuts.tolist():
        line = canvas[start + side.cell // 2]
        line[np.arange(len(line)) // step % 2 == 0] = CUT_MARK


def encode_png(pixels: Colors) -> bytes:
    """A PNG file of an image, without loss.

    Args:
        pixels: Red, green, blue and alpha, `uint8[rows, columns, 4]`, neither side empty.

    Returns:
        The bytes of the file: with a palette if there are at most 256 colours, else all channels.

    Raises:
        ValueError: `pixels` has another shape or element type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 4 or not pixels.size:
        raise ValueError(
            "Expected `pixels` to be uint8[rows, columns, 4] with at least one pixel, got "
            f"{pixels.dtype}[{', '.join(map(str, pixels.shape))}]."
        )
    height, width = pixels.shape[:2]
    packed = np.ascontiguousarray(pixels).view(np.uint32).ravel()
    colors = find_colors(packed)
    if len(colors) > 256:
        scanlines = np.zeros((height, 1 + 4 * width), np.uint8)
        scanlines[:, 1:] = pixels.reshape(height, -1)
        return _png(width, height, 6, b"", scanlines)
    palette = colors.view(np.uint8).reshape(-1, 4)
    chunks = _chunk(b"PLTE", palette[:, :3].tobytes())
    if palette[:, 3].min() < 255:
        chunks += _chunk(b"tRNS", palette[:, 3].tobytes())
    scanlines = np.zeros((height, 1 + width), np.uint8)
    scanlines[:, 1:] = np.searchsorted(colors, packed).reshape(height, width)
    return _png(width, height, 3, chunks, scanlines)


def find_colors(packed: NumpyColors) -> NumpyColors:
    """The different ones among colours of one number each, in ascending order."""
    ordered = np.sort(packed)
    if not len(ordered):
        return ordered
    return ordered[np.append(True, ordered[1:] != ordered[:-1])]


def _png(width: int, height: int, color_type: int, chunks: bytes, scanlines: Colors) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            chunks,
            _chunk(b"IDAT", zlib.compress(scanlines.tobytes(), 6)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
