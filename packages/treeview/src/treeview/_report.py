"""Pages that tell a story: headings, paragraphs, tables and renderings in one file."""

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, Self

from treeview._figures import as_displayable
from treeview._markup import Markup, escape, joined
from treeview._page import page_html
from treeview._rendering import Displayable, file_path, write_file
from treeview.arrays.given import short_text

_CODE = re.compile(r"`([^`\n]+)`")
_NUMERIC = re.compile(r"[-+\u2212]?[\d.,]+(?:e[-+]?\d+)? ?%?")


class Page:
    """Builds a page that opens offline and folds with scripts off.

    Of an object of more than some thousand values only the first levels show without scripts, and
    the page says so.

    Every method that adds something returns the page, so that calls can be chained.

    Args:
        title: The title, which is also the first heading.

    Raises:
        TypeError: `title` is not a string.

    Example:
        >>> page = Page("Results").paragraph("One layer.").table(["token", "p"], [["the", 0.3]])
        >>> page.save("results.html")  # doctest: +SKIP
    """

    def __init__(self, title: str) -> None:
        self.title = _checked(title, "title")
        self._parts: list[Markup] = [Markup(f"<h1>{escape(title)}</h1>")]

    def heading(self, text: str, level: int = 2) -> Self:
        """Adds a heading.

        Args:
            text: The heading.
            level: 2 for a chapter, 3 for a section, up to 6.

        Raises:
            TypeError: `text` is not a string.
            ValueError: `level` is not 2 to 6.
        """
        if level not in range(2, 7):
            raise ValueError(f"Expected `level` to be 2 to 6, got {level!r}; 1 is the title.")
        return self._add(Markup(f"<h{level}>{escape(_checked(text, 'text'))}</h{level}>"))

    def paragraph(self, text: str) -> Self:
        """Adds a paragraph.

        Args:
            text: What it says. Blank lines begin a new paragraph, single line breaks stay, and
                what stands in backticks is set as code.

        Raises:
            TypeError: `text` is not a string.
        """
        for block in _checked(text, "text").strip("\n").split("\n\n"):
            lines = "\n".join(map(escape, block.strip("\n").split("\n")))
            content = _CODE.sub(r"<code>\1</code>", lines)
            self._add(Markup(f"<p>{content}</p>"))
        return self

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = ""
    ) -> Self:
        """Adds a table.

        Args:
            columns: The heading of each column.
            rows: The cells of each row: strings, numbers, renderings, or other objects,
                which show their `str`. Columns of numbers stand to the right.
            caption: What the table shows.

        Raises:
            ValueError: A row has another number of cells than there are columns.
        """
        table = [list(row) for row in rows]
        for number, row in enumerate(table):
            if len(row) != len(columns):
                raise ValueError(
                    f"Expected {len(columns)} cells in each row of the table, got {len(row)} in"
                    f" row {number}; give each row one cell for each of `columns`."
                )
        numeric = [
            bool(table) and all(_is_number(row[position]) for row in table)
            for position in range(len(columns))
        ]
        cells = [[_cell(value) for value in row] for row in table]
        head = "".join(
            f"<th scope=col{' class=nu' if right else ''}>{escape(str(column))}</th>"
            for column, right in zip(columns, numeric, strict=True)
        )
        body = "".join(
            "<tr>"
            + "".join(
                f"<td{' class=nu' if right else ''}>{cell.html}</td>"
                for cell, right in zip(row, numeric, strict=True)
            )
            + "</tr>"
            for row in cells
        )
        said = f"<caption>{escape(caption)}</caption>" if caption else ""
        html = (
            f"<div class=tv-table><table>{said}<thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>"
        )
        return self._add(joined(html, [cell for row in cells for cell in row]))

    def add(self, value: object, **options: Any) -> Self:
        """Adds a rendering, a figure, a string (as it is) or another object (rendered).

        Args:
            value: What to add.
            **options: Changes of `treeview.options` for an object that is rendered.
        """
        return self._add(as_displayable(value, **options).card())

    def html(self) -> str:
        """The complete page."""
        return page_html(self._parts, self.title)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the page; the file appears complete or not at all.

        Args:
            path: Where to write, ending in `.html`. A file that is there is replaced.

        Raises:
            ValueError: The suffix is not `.html`.
            OSError: The folder does not exist or the file cannot be written.
        """
        target = file_path(path)
        if target.suffix.lower() not in {".html", ".htm"}:
            raise ValueError(
                f"Expected `path` to end in `.html`, got {str(target)!r}; a page is always HTML."
            )
        write_file(target, self.html())

    def _add(self, markup: Markup) -> Self:
        self._parts.append(markup)
        return self


def _checked(text: str, argument: str) -> str:
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
        raise TypeError(
            f"Expected `{argument}` to be a string, got {short_text(text)}; objects go to `add`."
        )
    return text


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return _NUMERIC.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> Markup:
    if isinstance(value, Displayable):
        return value.card()
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return Markup("<br>".join(map(escape, text.split("\n"))))
