"""Shows each step of an example in the terminal and collects it on one page."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

import treeview as tv


class Output:
    """Writes to the terminal and to a page at the same time.

    Args:
        title: The title of the page.
    """

    def __init__(self, title: str) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._page = tv.Page(title)

    def heading(self, text: str) -> None:
        """Begins a step."""
        self._console.print(f"\n{text}", style="bold", markup=False)
        self._page.heading(text)

    def say(self, text: str) -> None:
        """Adds a paragraph."""
        self._console.print(text, markup=False)
        self._page.paragraph(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Adds a table."""
        table = Table(*columns)
        for row in rows:
            table.add_row(*map(Text, row))
        self._console.print(table)
        self._page.table(columns, rows)

    def show(self, value: object, **options: object) -> None:
        """Adds an object as a tree."""
        tv.show(value, **options)
        self._page.add(value, **options)

    def picture(self, picture: tv.Rendering) -> None:
        """Adds a picture."""
        tv.show(picture)
        self._page.add(picture)

    def save(self, path: str) -> None:
        """Writes the page."""
        self._page.save(path)
        self._console.print(f"\nWrote {path}", markup=False)
