"""Numbers, strings and other scalars that are not short enough, or not plain enough, for atoms."""

from collections.abc import Iterator
from math import log10
from typing import Any

from treeview._document import Text, text
from treeview._inline import text_width
from treeview._names import class_of, type_attribute
from treeview._registry import Registry
from treeview._view import Sketch, View

PIECE = 72
"""Columns of a piece of a long string: with quotes and some indentation, those of a terminal."""

_LEAST_PIECE = 16
_AROUND = 8  # columns for quotes and indentation

_SHOWN = 10_000
_DECIMAL_BITS = 2_000
"""Longer integers are written in base 16: Python refuses, or takes long, to write them in ten."""


def register(registry: Registry) -> None:
    """Registers the handlers of this module."""
    registry.register(int, draw_int)
    registry.register(float, draw_float)
    registry.register(complex, draw_complex)
    registry.register(str, draw_string)
    registry.register(bytes, draw_string)
    registry.register(bytearray, draw_bytearray)


def has_own_repr(obj: object, base: type) -> bool:
    """Whether a subclass of a builtin has a `__repr__` of its own."""
    return type_attribute(type(obj), "__repr__") is not base.__dict__["__repr__"]


def draw_int(obj: int, view: View) -> Text | Sketch | None:
    """A huge integer, or one of a subclass: `Count(3)`."""
    if type(obj) is not int:
        plain = int.__index__(obj)
        return None if has_own_repr(obj, int) else _call(view, obj, plain)
    if view.options.roundtrip:
        return text((hex(obj), "number"))
    bits = obj.bit_length()
    digits = f"{int(bits * log10(2)) + 1:,}"
    if bits <= _DECIMAL_BITS:
        written = repr(obj)
        shown, digits = f"{written[:40]}…{written[-10:]}", f"{len(written.lstrip('-')):,}"
    else:
        start = hex(abs(obj) >> (bits - bits % 4 - 128))
        shown, digits = f"{'-' if obj < 0 else ''}{start}…", f"about {digits}"
    return text((shown, "number"), (f" ({digits} digits)", "muted"))


def draw_float(obj: float, view: View) -> Text | Sketch | None:
    """A float that does not write itself as Python: `float('nan')`, or one of a subclass."""
    if type(obj) is not float:
        plain = float.__float__(obj)
        return None if has_own_repr(obj, float) else _call(view, obj, plain)
    return text((f"float('{obj!r}')", "number"))


def draw_complex(obj: complex, view: View) -> Text | None:
    """A complex number that does not write itself as Python."""
    del view
    if type(obj) is not complex:
        return None
    return text((f"complex('{obj!r}')", "number"))


def draw_string(obj: str | bytes, view: View) -> Sketch | None:
    """A long string or bytes: pieces of it, one a line, as Python joins them."""
    kind = str if isinstance(obj, str) else bytes
    if type(obj) is not kind:
        plain: Any = kind.__add__(kind(), obj)  # pyright: ignore[reportArgumentType]
        return None if has_own_repr(obj, kind) else _call(view, obj, plain)
    whole = view.options.roundtrip or len(obj) <= _SHOWN
    columns = max(min(PIECE, (view.options.width or 80) - _AROUND), _LEAST_PIECE)
    pieces: list[Any] = list(_pieces(obj if whole else obj[:_SHOWN], columns))
    unit = "characters" if kind is str else "bytes"
    if not whole:
        pieces.append(text((f"… {len(obj) - _SHOWN:,} more {unit}", "muted")))
    opening = repr(obj[:40])
    return Sketch(
        head=text("("),
        children=pieces,
        tail=text(")"),
        separator="",
        count=len(pieces),
        omitted_name="lines",
        folded=text(
            (opening[:-1], "string"),
            ("…", "muted"),
            (opening[-1], "string"),
            (f" ({len(obj):,} {unit})", "muted"),
        ),
        inline=view.options.roundtrip,
        fresh=True,
    )


def _pieces(string: str | bytes, columns: int) -> Iterator[str | bytes]:
    """The lines of a string, in pieces that take about so many columns as Python writes them."""
    for line in string.splitlines(keepends=True):
        start = 0
        while start < len(line):
            piece = line[start : start + columns]
            while len(piece) > 1 and (width := text_width(repr(piece)[:-2])) > columns + 1:
                # Escapes and wide characters: as many fewer as these take more.
                piece = piece[: max(len(piece) * columns // width, 1)]
            yield piece
            start += len(piece)


def draw_bytearray(obj: bytearray, view: View) -> Sketch | None:
    """A bytearray: `bytearray(b'...')`."""
    limit = len(obj) if view.options.roundtrip else _SHOWN
    return _call(view, obj, bytes(obj[:limit]))


def _call(view: View, obj: object, plain: object) -> Sketch:
    return Sketch(
        head=text((view.type_name(class_of(obj)), "type"), "("),
        children=[plain],
        tail=text(")"),
        count=1,
        fresh=True,
    )
