"""Small layouts of text and renderings: side by side, indented, coloured."""

import math
import re
from collections.abc import Sequence
from typing import Any

from treeview._document import Branch, Foreign, Node, printable
from treeview._foreign import foreign_markup
from treeview._inline import text_width
from treeview._markup import Markup, css_color, embedded, escape, escape_markup, joined
from treeview._names import class_of
from treeview._rendering import Displayable, render
from treeview.arrays.colors import diverging_map, parse_colormap, sequential_map
from treeview.arrays.given import given_number, short_text

_DARK, _LIGHT = "#111", "#fff"
_MOST_CHARACTERS = 1_000_000
_CODES = re.compile(r"\x1b\[[0-9;]*m")


class Figure(Displayable):
    """Pieces of text and renderings put together, with a form for text and one for HTML."""

    def __init__(self, plain: str, markup: Markup, colored: str | None = None) -> None:
        self._plain = plain
        self._colored = plain if colored is None else colored
        self._markup = markup

    def text(self, *, width: int | None = None, color: bool | None = None) -> str:  # noqa: ARG002
        """The text output, whose width is that of its parts."""
        return self._colored if color else self._plain

    def markup(self) -> Markup:
        """The HTML output as a piece that can be joined with others on one page."""
        return self._markup


def as_displayable(value: object, **options: Any) -> Displayable:
    """A displayable as it is, a string as its own text, anything else rendered.

    Objects that treeview draws no better than others show their rich output.
    """
    if isinstance(value, Displayable):
        return value
    if isinstance(value, str):
        lines = [printable(line) for line in value.split("\n")]
        return Figure("\n".join(lines), Markup("\n".join(map(escape, lines))))
    from treeview.handlers.rich import (  # noqa: PLC0415 - handlers load with what is shown first
        offers_rich,
    )

    rendering = render(value, **options)
    rich = _rich_output(rendering.document) if offers_rich(class_of(value)) else None
    if rich is None:
        return rendering
    return Figure(rendering.text(color=False), foreign_markup(rich), rendering.text(color=True))


def _rich_output(document: Node) -> Foreign | None:
    """What an object brought along to be looked at, unless treeview knows something better."""
    if isinstance(document, Branch) and document.values:
        document = document.values[-1]
    return document if isinstance(document, Foreign) else None


def inline(*parts: object, wrap: bool = False) -> Figure:
    """Puts parts side by side.

    Args:
        *parts: Renderings, strings (as they are) or other objects (which are rendered).
        wrap: Whether a row that is too long goes on below.

    Returns:
        A figure. As text, parts of several lines stand beside each other, too, unless that takes
        millions of spaces.
    """
    shown = [as_displayable(part) for part in parts]
    markups = [embedded(part.markup()) for part in shown]
    style = "display:flex;align-items:flex-start;flex-wrap:" + ("wrap" if wrap else "nowrap")
    cells = "".join(f"<div>{markup.html}</div>" for markup in markups)
    plain, colored = (
        _side_by_side([part.text(color=color) for part in shown]) for color in (False, True)
    )
    return Figure(
        plain, joined(f'<div class=tv-row style="{style}">{cells}</div>', markups), colored
    )


def indented(part: object) -> Figure:
    """Moves a part to the right by two columns."""
    shown = as_displayable(part)
    markup = embedded(shown.markup())
    plain, colored = (
        "\n".join(f"  {line}" for line in shown.text(color=color).split("\n"))
        for color in (False, True)
    )
    body = f'<div style="margin-left:2ch">{markup.html}</div>'
    return Figure(plain, joined(body, [markup]), colored)


def styled(part: object, css: str) -> Figure:
    """Gives a part CSS declarations of the caller's, such as `font-weight: bold`.

    Args:
        part: A rendering, a string (as it is) or another object (which is rendered).
        css: Declarations, which hold for this part only. Text output ignores them.

    Raises:
        TypeError: `css` is not a string.
    """
    if not isinstance(css, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
        raise TypeError(f"Expected `css` to be a string of CSS declarations, got {css!r}.")
    shown = as_displayable(part)
    markup = embedded(shown.markup())
    body = f'<div style="{escape_markup(css)}">{markup.html}</div>'
    return Figure(shown.text(color=False), joined(body, [markup]), shown.text(color=True))


def with_font_size(part: object, size: str | float) -> Figure:
    """Shows a part in another size.

    Args:
        part: What to show.
        size: A CSS size such as `12px`, or a factor.

    Raises:
        ValueError: `size` is neither text nor a positive number.
    """
    if not isinstance(size, str):
        factor = given_number(size, "size")
        if not 0 < factor < math.inf:
            raise ValueError(
                f"Expected `size` to be a CSS size such as '12px' or a positive factor, got {size}."
            )
        size = f"{factor:g}em"
    return styled(part, f"font-size: {size}")


def with_color(part: object, color: str) -> Figure:
    """Shows a part in a colour.

    Args:
        part: What to show.
        color: A CSS colour.

    Raises:
        ValueError: `color` is not a CSS colour.
    """
    checked = css_color(color) if isinstance(color, str) else None  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
    if checked is None:
        raise ValueError(f"Expected `color` to be a CSS colour such as 'teal', got {color!r}.")
    return styled(part, f"color: {checked}")


def bolded(part: object) -> Figure:
    """Shows a part in bold."""
    return styled(part, "font-weight: bold")


def text_on_color(
    text: str,
    value: float,
    *,
    vmax: float = 1.0,
    vmin: float | None = None,
    colormap: Sequence[Any] | None = None,
) -> Figure:
    """Shows text on a background that stands for a number.

    The letters are black or white, whichever is easier to read. Numbers outside of the range
    have an outline besides the colour of the nearest end, and so has NaN, on grey.

    Args:
        text: What to show.
        value: The number, which the page also tells on hover.
        vmax: The value of the last colour.
        vmin: The value of the first colour; None for `-vmax`.
        colormap: Colours from the lowest to the highest value. None for a map around zero if
            `vmin` is None and a sequential one otherwise.

    Raises:
        TypeError: `text` is not a string.
        ValueError: The range is empty or the map holds something that is no colour.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
        raise TypeError(
            f"Expected `text` to be a string, got {short_text(text)}; pass `str(text)`."
        )
    high = given_number(vmax, "vmax")
    low = -high if vmin is None else given_number(vmin, "vmin")
    shading = Shading(low, high, colormap, diverging=vmin is None)
    number, text = given_number(value, "value"), printable(text)
    return Figure(
        text, Markup(shading.span(text, number)), colored_text(text, *shading.colors(number))
    )


class Shading:
    """Colours for text that stand for numbers.

    Args:
        low: The value of the first colour.
        high: The value of the last colour.
        colormap: Colours from the lowest to the highest value, or None for the usual ones.
        diverging: Whether these are those around zero.

    Attributes:
        table: The colours, `uint8[256, 4]`.

    Raises:
        ValueError: The range is empty or not finite, or the map holds something that is no colour.
    """

    def __init__(self, low: float, high: float, colormap: Any, *, diverging: bool) -> None:
        if not -math.inf < low < high < math.inf:
            raise ValueError(
                f"Expected `vmin` to be less than `vmax`, both finite, got {low!r} and {high!r};"
                " pass the limits of the values."
            )
        self._low, self._high = low, high
        if colormap is not None:
            self.table = parse_colormap(colormap)
        else:
            self.table = diverging_map() if diverging else sequential_map()

    def colors(self, number: float) -> tuple[tuple[int, int, int], str]:
        """The background for a number, grey for NaN, and the letters that are legible on it."""
        if math.isnan(number):
            rgb = (128, 128, 128)
        else:
            low, high, number = self._low, self._high, min(max(number, self._low), self._high)
            # Halves where the distance of the largest numbers is not finite.
            part = 1.0 if high - low < math.inf else 0.5
            share = (number * part - low * part) / (high * part - low * part)
            red, green, blue = self.table[round(share * (len(self.table) - 1)), :3].tolist()
            rgb = (red, green, blue)
        return rgb, _LIGHT if _luminance(*rgb) < 0.18 else _DARK

    def span(self, text: str, number: float) -> str:
        """Text on the colour of a number, which is told on hover and to screen readers.

        Numbers outside of the range have an outline.
        """
        (red, green, blue), letters = self.colors(number)
        inside = self._low <= number <= self._high
        outline = "" if inside else ";outline:2px solid #e07000;outline-offset:-2px"
        style = f"background:rgb({red},{green},{blue});color:{letters};padding:0 2px{outline}"
        said = f'role=img aria-label="{escape(f"{text}: {number!r}")}"'
        return f'<span style="{style}" title="{escape(repr(number))}" {said}>{escape(text)}</span>'


def colored_text(text: str, background: tuple[int, int, int], letters: str) -> str:
    """Text on a background for a terminal."""
    red, green, blue = background
    front = 231 if letters == _LIGHT else 16
    return f"\x1b[48;2;{red};{green};{blue};38;5;{front}m{text}\x1b[0m"


def _luminance(red: int, green: int, blue: int) -> float:
    """Relative luminance (WCAG 2.2), at 0.18 of which black and white contrast equally."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def _side_by_side(texts: Sequence[str]) -> str:
    """Blocks of lines beside each other; below each other where that would be mostly spaces."""
    blocks = [text.split("\n") for text in texts]
    rows = [""] * max(map(len, blocks), default=0)
    sizes = [[text_width(_CODES.sub("", line)) for line in lines] for lines in blocks]
    if len(rows) * sum(map(max, sizes)) > _MOST_CHARACTERS + 2 * sum(map(len, texts)):
        return "\n".join(texts)
    for lines, widths in zip(blocks, sizes, strict=True):
        full = max(widths)
        for row in range(len(rows)):
            line, width = (lines[row], widths[row]) if row < len(lines) else ("", 0)
            rows[row] += line + " " * (full - width)
    return "\n".join(row.rstrip() for row in rows)
