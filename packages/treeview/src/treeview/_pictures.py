"""Pictures as elements: an image in the middle of a grid, with rows of labels around it.

A label belongs to a stretch of one edge. Labels along the top and the bottom stand upright where
they fit into their stretch and are turned where they do not. The sizes are those of the style
sheet: 11 pixels high, 6.7 wide for each column of monospaced text.
"""

import base64
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Literal

from treeview._document import ColorScale, EdgeLabel, Picture, Span, printable
from treeview._inline import text_width
from treeview._markup import css_color, escape
from treeview._payload import STYLE_LETTERS
from treeview.arrays.colors import css_colors, diverging_map, sequential_map
from treeview.arrays.picture import encode_png

FONT_PIXELS = 11.0
COLUMN_PIXELS = 6.7
LINE_PIXELS = 14
MOST_COLUMNS = 32
# The style sheet knows the grid of a picture with labels on the left, and the usual bars.
_COLUMNS = 2
_Side = Literal["top", "bottom", "left", "right"]

Element = tuple[str, dict[str, str], list["Element | str"]]
"""The name of an element, its attributes, and what is in it; text is not yet escaped."""


def picture_html(picture: Picture, depth: int = 0, view: int | None = None) -> str:
    """A picture with its labels, legend and caption.

    Args:
        picture: What to show.
        depth: How many levels the figure is indented.
        view: By which number the script knows the picture.

    Returns:
        A `figure` element.
    """
    return element_html(picture_element(picture, depth, view))


def picture_element(picture: Picture, depth: int | None, view: int | None = None) -> Element:
    """A picture with its labels, legend and caption, as a description of its elements.

    Args:
        picture: What to show.
        depth: How many levels the figure is indented; None where a script builds it, which knows
            that better and draws the pixels itself.
        view: By which number the script knows the picture.
    """
    rows: dict[tuple[_Side, int], list[EdgeLabel]] = defaultdict(list)
    for label in picture.labels:
        rows[label.side, label.level].append(label)
    before = 1 + max((level for side, level in rows if side == "left"), default=-1)
    above = 1 + max((level for side, level in rows if side == "top"), default=-1)
    # Grid lines count from 1; levels count from the image outwards.
    image = _image(picture, column=before + 1, row=above + 1, is_drawn=depth is None)
    cells: list[Element | str] = [image]
    for (side, level), labels in sorted(rows.items()):
        row, column = {
            "left": (above + 1, before - level),
            "right": (above + 1, before + 2 + level),
            "top": (above - level, before + 1),
            "bottom": (above + 2 + level, before + 1),
        }[side]
        cells.append(_edge(side, tuple(labels), picture.scale, f"{row}/{column}"))
    has_sliders = any(grid.sliders for grid in picture.grids)
    below = _legends(picture.legends)
    if picture.caption.plain:
        below += [_styled(span, has_sliders=has_sliders) for span in picture.caption.spans]
    if below:
        cells.append(("figcaption", {}, below))
    columns = before + 1 + sum(1 for side, _ in rows if side == "right")
    style = f"--d:{depth or 0}"
    if columns != _COLUMNS:
        style += f";grid-template-columns:repeat({columns},max-content) 1fr"
    attributes = {"style": style}
    if view is not None:
        attributes["data-v"] = str(view)
    if picture.grids:
        attributes["data-g"] = "s" if has_sliders else ""
    return ("figure", attributes, cells)


def element_html(element: Element) -> str:
    """An element and what is in it as markup; all text is escaped."""
    name, attributes, children = element
    # What has no other character needs no quotes.
    said = "".join(
        f" {key}={value}" if value.isalnum() else f' {key}="{escape(value)}"'
        for key, value in attributes.items()
    )
    inner = "".join(escape(one) if isinstance(one, str) else element_html(one) for one in children)
    return f"<{name}{said}>" if name == "img" else f"<{name}{said}>{inner}</{name}>"


def _styled(span: Span, *, has_sliders: bool) -> Element:
    """A piece of a caption. What is said of a slice goes where there are sliders."""
    piece, style = span
    letter = STYLE_LETTERS[style]
    is_slice = has_sliders and style == "comment"
    return ("b", {"class": f"{letter} tv-slice" if is_slice else letter}, [piece])


def _image(picture: Picture, *, column: int, row: int, is_drawn: bool) -> Element:
    height, width = picture.pixels.shape[:2]
    size = f"width:{width * picture.scale:g}px;height:{height * picture.scale:g}px"
    style = f"grid-area:{row}/{column};{size}"
    if is_drawn:
        return ("canvas", {"aria-label": printable(picture.description), "style": style}, [])
    data = base64.b64encode(encode_png(picture.pixels)).decode("ascii")
    source = f"data:image/png;base64,{data}"
    return ("img", {"src": source, "alt": picture.description, "style": style}, [])


@lru_cache(maxsize=64)
def _edge(side: _Side, labels: tuple[EdgeLabel, ...], scale: float, area: str) -> Element:
    """One row (or column) of labels along an edge of the image; many arrays have the same."""
    upright = stand_upright(side, labels, scale)
    thickness = LINE_PIXELS if side in ("left", "right") or not upright else 0
    longest = min(MOST_COLUMNS, max(text_width(label.text) for label in labels))
    depth = longest * COLUMN_PIXELS + 8 if thickness else LINE_PIXELS + 6
    along, extent, across = (
        ("top", "height", "width") if side in ("left", "right") else ("left", "width", "height")
    )
    spans: list[Element | str] = []
    for label in without_overlap(labels, scale, thickness):
        stretch = (label.stop - label.start) * scale
        style = f"{along}:{label.start * scale:g}px;{extent}:{stretch:g}px;{across}:{depth - 5:g}px"
        if font_pixels(stretch) != FONT_PIXELS:
            style += f";font-size:{font_pixels(stretch):g}px"
        content = printable(label.text)
        # The whole of a label that is cut is told on hover.
        hover = {"title": content} if text_width(label.text) > MOST_COLUMNS else {}
        spans.append(("span", {**hover, "style": style}, [content]))
    turned = "" if upright else " up"
    area_style = f"grid-area:{area};{across}:{depth:g}px"
    return ("div", {"class": f"ed {side}{turned}", "style": area_style}, spans)


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


def _legends(scales: Sequence[ColorScale]) -> list[Element | str]:
    """One legend on a line of its own, or several that fill lines."""
    pieces: list[Element | str] = [_legend(scale) for scale in scales]
    if len(pieces) <= 1:
        return pieces
    return [("div", {"style": "display:flex;flex-wrap:wrap;column-gap:3ch"}, pieces)]


def is_swatch(scale: ColorScale) -> bool:
    """Whether a legend explains a single colour."""
    return len(set(scale.colors)) == 1


@cache
def _known_bars() -> dict[tuple[str, ...], str]:
    return {css_colors(diverging_map()): "di", css_colors(sequential_map()): "sq"}


def _legend(scale: ColorScale) -> Element:
    known = _known_bars().get(scale.colors)
    bar = {"class": known or ""}
    if known is None:
        colors = ",".join(filter(None, map(css_color, scale.colors)))
        width = "width:.8em;" if is_swatch(scale) else ""
        bar = {"style": f"{width}background:linear-gradient(90deg,{colors})"}
    parts: list[Element | str] = [
        ("span", {}, [printable(scale.low)]),
        ("span", bar, [" "]),  # for where the colours are taken away
        ("span", {}, [printable(scale.high)]),
    ]
    if scale.note:
        parts.append(("span", {}, [printable(scale.note)]))
    return ("div", {"class": "le"}, parts)
