"""The head of a table as lines of text, no wider than there is room."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from treeview._document import Span, Text, printable
from treeview._guard import Damage, guarded, plain_string
from treeview._inline import text_width
from treeview._totals import short_bytes
from treeview._view import Sketch, View

ROWS = 8
"""Rows that are shown of a longer table, of which the last ones are its end."""

_END = 2
_COLUMNS = 20
_CELL = 29
_GAP = "  "
_MORE = "…"


@dataclass(slots=True, eq=False)
class Column:
    """A column of a table.

    Attributes:
        name: Its name, as text.
        dtype: The name of its element type.
        cell: Gives the value in a row, by position.
    """

    name: str
    dtype: str
    cell: Callable[[int], Any]


def shown_rows(count: int) -> list[int]:
    """The positions of the rows that are shown."""
    if count <= ROWS + 1:
        return list(range(count))
    return [*range(ROWS - _END), *range(count - _END, count)]


def shown_columns(count: int) -> list[int]:
    """The positions of the columns among which those are chosen that fit."""
    if count <= _COLUMNS:
        return list(range(count))
    return [*range(_COLUMNS - 1), count - 1]


def table_sketch(
    view: View,
    *,
    name: str,
    index: Column | None,
    columns: Sequence[Column],
    rows: int,
    total: int | None = None,
    size: int | None = None,
    more: Sequence[Any] = (),
) -> Sketch:
    """A table by its head: column names, element types, the first and last rows.

    Args:
        view: The builder.
        name: What the table calls itself.
        index: What names the rows, or None.
        columns: The columns at the positions that `shown_columns` gives.
        rows: How many rows there are.
        total: How many columns there are; None for a table that is one column.
        size: How many bytes it takes, or None where that is not known.
        more: Further raw children.
    """
    places = shown_rows(rows)
    width = (view.options.width or 80) - 6
    lines = _lines(index, columns, places, width, total)
    if len(places) < rows:
        hidden = f"{_MORE} {rows - len(places):,} more rows"
        lines.insert(len(lines) - _END, Text(((hidden, "muted"),)))
    words = [f"{rows:,} rows" if total is None else f"{rows:,} rows, {total:,} columns"]
    if size is not None:
        words.append(short_bytes(size))
    children = [*(lines if columns else ()), *more]
    names = _short(", ".join(column.name for column in columns), 2 * _CELL)
    return Sketch(
        head=Text(((name, "type"), ("(", "plain"))),
        children=children,
        tail=Text(((")", "plain"),)),
        separator="",
        count=len(children),
        omitted_name="lines",
        note=Text(((f"# {', '.join(words)}", "comment"),)),
        folded=Text(((name, "type"), ("(", "plain"), (names, "field"), (")", "plain"))),
        inline=False,
    )


def _lines(
    index: Column | None, columns: Sequence[Column], rows: list[int], width: int, total: int | None
) -> list[Text]:
    """Names, element types and rows, with as many columns as fit."""
    blocks = [] if index is None else [_block(index, rows)]
    fixed = len(blocks)
    blocks += [_block(column, rows) for column in columns]
    total = len(columns) if total is None else total
    while len(blocks) > fixed + 1:
        rest = _rest(total - len(blocks) + fixed)
        needed = sum(_width(block) + len(_GAP) for block in blocks) + len(rest)
        if needed - (0 if rest else len(_GAP)) <= width:
            break
        blocks.pop()
    if rest := _rest(total - len(blocks) + fixed):
        blocks.append([rest, *([""] * (len(rows) + 1))])
    widths = [_width(block) for block in blocks]
    first = 0 if any(block[0] for block in blocks) else 1  # nothing has a name
    return [
        _line([block[row] for block in blocks], widths, row, fixed)
        for row in range(first, len(rows) + 2)
    ]


def _rest(count: int) -> str:
    """What stands for columns that do not fit."""
    return f"{_MORE} {count:,} more" if count else ""


def _block(column: Column, rows: list[int]) -> list[str]:
    """A column as texts: its name, its element type, its values."""
    cells = [_cell(column.cell, row) for row in rows]
    return [_short(column.name), _short(column.dtype), *cells]


def _cell(cell: Callable[[int], Any], row: int) -> str:
    try:
        value = guarded(cell, row, doing="a cell")
        if type(value) is float:
            written = f"{value:.6g}"
            return f"{written}.0" if written.lstrip("-").isdecimal() else written
        return _short(plain_string(guarded(str, value, doing="__str__")))
    except Damage as damage:
        return _short(f"<{damage}>")


def _short(value: str, limit: int = _CELL) -> str:
    value = printable(value[: limit + 1])
    return value if len(value) <= limit else f"{value[: limit - 1]}{_MORE}"


def _width(block: list[str]) -> int:
    return max(map(text_width, block))


def _line(cells: list[str], widths: list[int], row: int, fixed: int) -> Text:
    spans: list[Span] = []
    if cells[-1] == "" or cells[-1].startswith(_MORE):
        widths = [*widths[:-1], len(cells[-1])]
    for position, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        piece = " " * (width - text_width(cell)) + cell
        style = "field" if row == 0 else "muted" if row == 1 or position < fixed else "plain"
        if piece:
            spans.append((piece if position == 0 else f"{_GAP}{piece}", style))
    return Text(tuple(spans))
