"""Pictures as markup: an image in the middle of a grid, with rows of labels around it.

A label belongs to a stretch of one edge. Labels along the top and the bottom stand upright where
they fit into their stretch and are turned where they do not. The sizes are those of the style
sheet: 11 pixels high, 6.7 wide for each column of monospaced text.
"""

import base64
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Literal

from treeview._document import ColorScale, EdgeLabel, Picture
from treeview._inline import text_width
from treeview._markup import css_color, escape, styled_html
from treeview.arrays.colors import css_colors, diverging_map, sequential_map
from treeview.arrays.picture import encode_png

FONT_PIXELS = 11.0
COLUMN_PIXELS = 6.7
LINE_PIXELS = 14
MOST_COLUMNS = 32
# The style sheet knows the grid of a picture with labels on the left, and the usual bars.
_COLUMNS = 2
_Side = Literal["top", "bottom", "left", "right"]


def picture_html(picture: Picture, depth: int = 0, view: int | None = None) -> str:
    """A picture with its labels, legend and caption.

    Args:
        picture: What to show.
        depth: How many levels the figure is indented.
        view: By which number the script knows the picture.

    Returns:
        A `figure` element.
    """
    rows: dict[tuple[_Side, int], list[EdgeLabel]] = defaultdict(list)
    for label in picture.labels:
        rows[label.side, label.level].append(label)
    before = 1 + max((level for side, level in rows if side == "left"), default=-1)
    above = 1 + max((level for side, level in rows if side == "top"), default=-1)
    # Grid lines count from 1; levels count from the image outwards.
    cells = [_image_html(picture, column=before + 1, row=above + 1)]
    for (side, level), labels in sorted(rows.items()):
        column, row = before + 1, above + 1
        match side:
            case "left":
                column = before - level
            case "right":
                column += 1 + level
            case "top":
                row = above - level
            case "bottom":
                row += 1 + level
        cells.append(_edge_html(side, labels, picture.scale, f"{row}/{column}"))
    below = _legends_html(picture.legends)
    if picture.caption.plain:
        below += styled_html(picture.caption.spans)
    caption = f"<figcaption>{below}</figcaption>" if below else ""
    columns = before + 1 + sum(1 for side, _ in rows if side == "right")
    style = f"--d:{depth}"
    if columns != _COLUMNS:
        style += f";grid-template-columns:repeat({columns},max-content) 1fr"
    name = "" if view is None else f" data-v={view}"
    return f'<figure{name} style="{style}">{"".join(cells)}{caption}</figure>'


def _image_html(picture: Picture, *, column: int, row: int) -> str:
    height, width = picture.pixels.shape[:2]
    data = base64.b64encode(encode_png(picture.pixels)).decode("ascii")
    size = f"width:{width * picture.scale:g}px;height:{height * picture.scale:g}px"
    return (
        f'<img src="data:image/png;base64,{data}" alt="{escape(picture.description)}"'
        f' style="grid-area:{row}/{column};{size}">'
    )


def _edge_html(side: _Side, labels: list[EdgeLabel], scale: float, area: str) -> str:
    """One row (or column) of labels along an edge of the image."""
    upright = stand_upright(side, labels, scale)
    thickness = LINE_PIXELS if side in ("left", "right") or not upright else 0
    longest = min(MOST_COLUMNS, max(text_width(label.text) for label in labels))
    depth = longest * COLUMN_PIXELS + 8 if thickness else LINE_PIXELS + 6
    along, extent, across = (
        ("top", "height", "width") if side in ("left", "right") else ("left", "width", "height")
    )
    spans: list[str] = []
    for label in without_overlap(labels, scale, thickness):
        stretch = (label.stop - label.start) * scale
        style = f"{along}:{label.start * scale:g}px;{extent}:{stretch:g}px;{across}:{depth - 5:g}px"
        if font_pixels(stretch) != FONT_PIXELS:
            style += f";font-size:{font_pixels(stretch):g}px"
        content = escape(label.text)
        # The whole of a label that is cut is told on hover.
        hover = f' title="{content}"' if text_width(label.text) > MOST_COLUMNS else ""
        spans.append(f'<span{hover} style="{style}">{content}</span>')
    turned = "" if upright else " up"
    area_style = f"grid-area:{area};{across}:{depth:g}px"
    return f'<div class="ed {side}{turned}" style="{area_style}">{"".join(spans)}</div>'


def stand_upright(side: str, labels: Sequence[EdgeLabel], scale: float) -> bool:
    """Whether a row of labels is written as usual, because all fit, or turned by 90 degrees."""
    return side in ("left", "right") or all(
        text_width(label.text) * COLUMN_PIXELS <= (label.stop - label.start) * scale
        for label in labels
    )


def font_pixels(stretch: float) -> float:
    """The height of the letters of a label that has a stretch of so many pixels."""
    return max(8.0, min(FONT_PIXELS, stretch))


def without_overlap(labels: Sequence[EdgeLabel], scale: float, thickness: float) -> list[EdgeLabel]:
    """The labels that can stand beside each other where each takes `thickness` pixels."""
    kept: list[EdgeLabel] = []
    free = float("-inf")
    for label in sorted(labels, key=lambda label: label.start):
        middle = (label.start + label.stop) / 2 * scale
        needed = min(thickness, font_pixels((label.stop - label.start) * scale)) / 2
        if middle - needed >= free - 0.5:
            kept.append(label)
            free = middle + needed
    return kept


def _legends_html(scales: Sequence[ColorScale]) -> str:
    """One legend on a line of its own, or several that fill lines."""
    if len(scales) <= 1:
        return "".join(map(_legend_html, scales))
    pieces = "".join(map(_legend_html, scales))
    return f'<div style="display:flex;flex-wrap:wrap;column-gap:3ch">{pieces}</div>'


def is_swatch(scale: ColorScale) -> bool:
    """Whether a legend explains a single colour."""
    return len(set(scale.colors)) == 1


@cache
def _known_bars() -> dict[tuple[str, ...], str]:
    return {css_colors(diverging_map()): "class=di", css_colors(sequential_map()): "class=sq"}


def _legend_html(scale: ColorScale) -> str:
    bar = _known_bars().get(scale.colors)
    if bar is None:
        colors = ",".join(filter(None, map(css_color, scale.colors)))
        width = "width:.8em;" if is_swatch(scale) else ""
        bar = f'style="{width}background:linear-gradient(90deg,{colors})"'
    note = f"<span>{escape(scale.note)}</span>" if scale.note else ""
    return (
        f"<div class=le><span>{escape(scale.low)}</span>"
        f"<span {bar}></span>"
        f"<span>{escape(scale.high)}</span>{note}</div>"
    )
