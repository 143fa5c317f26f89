"""Pictures as files of their own: SVG with labels and legend, PNG of the image alone.

In SVG text is placed by coordinates, so this module lays out what `_pictures` leaves to the
browser, with the same sizes.
"""

import base64
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from treeview._document import ColorScale, EdgeLabel, Picture
from treeview._inline import text_width
from treeview._markup import css_color, escape
from treeview._pictures import (
    COLUMN_PIXELS,
    FONT_PIXELS,
    LINE_PIXELS,
    MOST_COLUMNS,
    font_pixels,
    is_swatch,
    stand_upright,
    without_overlap,
)
from treeview.arrays.picture import encode_png

_MARGIN = 8
_GAP = 5
_LEGEND_WIDTH = 100
_CAPTION_COLUMNS = 70
_INK = "#57606a"


def picture_png(picture: Picture) -> bytes:
    """The image of a picture, in the size in which it is shown, without labels and legend.

    Args:
        picture: What to write.
    """
    height, width = picture.pixels.shape[:2]
    rows, columns = _nearest(height, picture.scale), _nearest(width, picture.scale)
    return encode_png(np.ascontiguousarray(picture.pixels[np.ix_(rows, columns)]))


def _nearest(size: int, scale: float) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Which pixel of the image each of the pixels in its shown size takes its colour from."""
    shown = np.arange(max(round(size * scale), 1), dtype=np.float64)
    return np.minimum(shown / scale, size - 1).astype(np.intp)


def picture_svg(picture: Picture) -> str:
    """A picture with its labels, legend and caption.

    Args:
        picture: What to write.

    Returns:
        A complete SVG file.
    """
    rows: dict[tuple[str, int], list[EdgeLabel]] = defaultdict(list)
    for label in picture.labels:
        rows[label.side, label.level].append(label)
    depths = {key: _depth(key[0], labels, picture.scale) for key, labels in rows.items()}
    room = {
        side: sum(depth for (place, _), depth in depths.items() if place == side)
        for side in ("left", "right", "top", "bottom")
    }
    pixels_high, pixels_wide = picture.pixels.shape[:2]
    box = _Box(
        _MARGIN + room["left"],
        _MARGIN + room["top"],
        pixels_wide * picture.scale,
        pixels_high * picture.scale,
    )
    parts = [_image(picture, box)]
    for (side, level), labels in sorted(rows.items()):
        inner = sum(depths[side, other] for other in range(level) if (side, other) in depths)
        parts += _labels(side, labels, inner, picture.scale, box)
    below = box.bottom + room["bottom"] + _GAP
    for number, scale in enumerate(picture.legends):
        lines = _legend(scale, below, f"scale{number}")
        parts += lines
        below += LINE_PIXELS + _GAP if lines else 0
    caption = _wrapped(picture.caption.plain)
    for number, line in enumerate(caption):
        parts.append(_text(line, _MARGIN, below + (number + 0.8) * LINE_PIXELS))
    height = below + len(caption) * LINE_PIXELS + _MARGIN
    widest = max([box.right + room["right"], *(_MARGIN + _width(line) for line in caption)])
    legend_width = max(map(_legend_width, picture.legends), default=0.0)
    width = max(widest, _MARGIN + legend_width) + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}" role="img" font-family="monospace"'
        f' font-size="{FONT_PIXELS:g}" fill="{_INK}">'
        f"<title>{escape(picture.description)}</title>{''.join(parts)}</svg>\n"
    )


class _Box(NamedTuple):
    """Where the image is."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


def _image(picture: Picture, box: _Box) -> str:
    data = base64.b64encode(encode_png(picture.pixels)).decode("ascii")
    place = f'x="{box.left:g}" y="{box.top:g}" width="{box.width:g}" height="{box.height:g}"'
    return (
        f'<image {place} preserveAspectRatio="none" style="image-rendering:pixelated"'
        f' href="data:image/png;base64,{data}"/>'
        f'<rect {place} fill="none" stroke="{_INK}" stroke-opacity=".3"/>'
    )


def _depth(side: str, labels: Sequence[EdgeLabel], scale: float) -> float:
    """How far a row of labels reaches away from the image."""
    if side in ("top", "bottom") and stand_upright(side, labels, scale):
        return LINE_PIXELS + 6
    longest = min(MOST_COLUMNS, max(text_width(label.text) for label in labels))
    return longest * COLUMN_PIXELS + 8


def _labels(
    side: str, labels: Sequence[EdgeLabel], inner: float, scale: float, box: _Box
) -> Iterator[str]:
    """One row of labels, `inner` pixels away from the image."""
    upright = stand_upright(side, labels, scale)
    turned = side in ("top", "bottom") and not upright
    thickness = LINE_PIXELS if side in ("left", "right") or turned else 0
    for label in without_overlap(labels, scale, thickness):
        middle = (label.start + label.stop) / 2 * scale
        size = font_pixels((label.stop - label.start) * scale)
        content = _cut(label.text)
        match side:
            case "left":
                x, y = box.left - inner - _GAP, box.top + middle
                yield _text(content, x, y, "end", size, centred=True)
            case "right":
                x, y = box.right + inner + _GAP, box.top + middle
                yield _text(content, x, y, "start", size, centred=True)
            case "top":
                x, y = box.left + middle, box.top - inner - _GAP
                anchor = "start" if turned else "middle"
                yield _text(content, x, y, anchor, size, turned=turned)
            case _:
                x, y = box.left + middle, box.bottom + inner + _GAP
                anchor = "end" if turned else "middle"
                yield _text(content, x, y + (0 if turned else size), anchor, size, turned=turned)


def _text(
    content: str,
    x: float,
    y: float,
    anchor: str = "start",
    size: float = FONT_PIXELS,
    *,
    centred: bool = False,
    turned: bool = False,
) -> str:
    style = f' font-size="{size:g}"' if size != FONT_PIXELS else ""
    if anchor != "start":
        style += f' text-anchor="{anchor}"'
    if centred or turned:
        style += ' dominant-baseline="central"'
    if turned:
        style += f' transform="rotate(-90 {x:g} {y:g})"'
    return f'<text x="{x:g}" y="{y:g}"{style} xml:space="preserve">{escape(content)}</text>'


def _cut(content: str) -> str:
    return content if text_width(content) <= MOST_COLUMNS else content[: MOST_COLUMNS - 1] + "…"


def _legend(scale: ColorScale, top: float, name: str) -> list[str]:
    colors = list(filter(None, map(css_color, scale.colors)))
    if not colors:
        return []
    steps = (
        f'<stop offset="{number / max(len(colors) - 1, 1):.4g}" stop-color="{color}"/>'
        for number, color in enumerate(colors)
    )
    start = _MARGIN + _width(scale.low) + _GAP
    baseline = top + 0.8 * LINE_PIXELS
    width = _bar_width(scale)
    size = f'width="{width}" height="{LINE_PIXELS - 3}"'
    return [
        f'<linearGradient id="{name}">{"".join(steps)}</linearGradient>',
        _text(scale.low, _MARGIN, baseline),
        f'<rect fill="url(#{name})" x="{start:g}" y="{top:g}" {size}/>',
        _text(f"{scale.high}  {scale.note}".rstrip(), start + width + _GAP, baseline),
    ]


def _legend_width(scale: ColorScale) -> float:
    return _width(f"{scale.low}{scale.high}  {scale.note}") + _bar_width(scale) + 2 * _GAP


def _bar_width(scale: ColorScale) -> int:
    return LINE_PIXELS - 3 if is_swatch(scale) else _LEGEND_WIDTH


def _width(content: str) -> float:
    return text_width(content) * COLUMN_PIXELS


def _wrapped(content: str) -> list[str]:
    lines: list[str] = []
    for word in content.split():
        if lines and text_width(lines[-1]) + 1 + text_width(word) <= _CAPTION_COLUMNS:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
