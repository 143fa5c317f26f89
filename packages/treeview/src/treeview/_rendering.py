"""What `render` returns, and the ways to get it shown."""

import importlib
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from treeview._document import Node
from treeview._exact import ExactSource, exact_source
from treeview._layout import open_counts
from treeview._markup import Markup, fragment_html, wrapped
from treeview._options import Options, changed_options, current_options
from treeview._terminal import wants_color, write_line
from treeview._text import document_text, object_text
from treeview._totals import Totals
from treeview._walk import document_and_totals

if TYPE_CHECKING:
    from pathlib import Path

    from treeview._live import LiveOutput

_PAGE_WIDTH = 100


class Displayable(ABC):
    """Something that can be shown as text, as HTML and in a notebook, and saved to a file."""

    @abstractmethod
    def text(self, *, width: int | None = None, color: bool | None = None) -> str:
        """The text output.

        Args:
            width: Columns of a line; None for what the options say.
            color: Whether to colour it with ANSI codes; None for what the options say, and no if
                they leave it open, for a string has no terminal.
        """

    @abstractmethod
    def markup(self) -> Markup:
        """The HTML output as a piece that can be joined with others on one page."""

    def card(self) -> Markup:
        """The HTML output inside the element that carries colours and fonts, for a page."""
        return wrapped(self.markup())

    def html(self) -> str:
        """The HTML output: a fragment that brings its own styles and needs nothing else."""
        return fragment_html(self.markup())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a file: a page that opens offline (`.html`) or plain text (`.txt`).

        The file appears complete or not at all.

        Args:
            path: Where to write. A file that is there is replaced.

        Raises:
            ValueError: The suffix is neither `.html` nor `.txt`.
            OSError: The folder does not exist or the file cannot be written.
        """
        target = file_path(path)
        match target.suffix.lower():
            case ".html" | ".htm":
                from treeview._page import page_html  # noqa: PLC0415 - text does without

                content = page_html([self.card()], target.stem)
            case ".txt":
                content = self.text(color=False) + "\n"
            case suffix:
                raise ValueError(
                    f"Expected `path` to end in `.html` or `.txt`, got {suffix!r} in"
                    f" {str(target)!r}. Add one of the two."
                )
        write_file(target, content)

    def __repr__(self) -> str:
        return self.text()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython's protocol
        printer.text("..." if cycle else self.text())

    def _repr_html_(self) -> str:
        return self.html()

    def _mime_(self) -> tuple[str, str]:
        from treeview._marimo import marimo_html  # noqa: PLC0415 - marimo's protocol

        return "text/html", marimo_html(self.html())

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        wanted = {"text/plain", "text/html"}.intersection(include or {"text/plain", "text/html"})
        makers = {"text/plain": self.text, "text/html": self.html}
        return {kind: makers[kind]() for kind in sorted(wanted.difference(exclude or ()))}


class Rendering(Displayable):
    """An object as it looked when it was rendered.

    Attributes:
        document: What all outputs are made of.
        options: The settings it was made with.
        totals: What the arrays in the object hold together, as far as it was visited: counts and
            bytes by unit and by element type, NaN and infinities.
    """

    def __init__(
        self,
        document: Node,
        options: Options | None = None,
        exact: ExactSource | None = None,
        totals: Totals | None = None,
    ) -> None:
        self.document = document
        self.totals = totals or Totals()
        self.options = options or current_options()
        self._exact = exact or ExactSource()

    def text(self, *, width: int | None = None, color: bool | None = None) -> str:
        """The text output.

        Args:
            width: Columns of a line; None for what the options say.
            color: Whether to colour it with ANSI codes; None for what the options say, and no if
                they leave it open, for a string has no terminal.
        """
        chosen = replace(
            self.options,
            width=self.options.width if width is None else width,
            color=self.options.color if color is None else color,
        )
        return document_text(self.document, chosen)

    def markup(self) -> Markup:
        """The HTML output as a piece that can be joined with others on one page."""
        from treeview._page import SCRIPT_VALUES, count_lines  # noqa: PLC0415 - text does without

        size = count_lines(self.document, SCRIPT_VALUES + 1)
        return self._markup(self._exact.short and size > SCRIPT_VALUES)

    def card(self) -> Markup:
        """The HTML output inside the element that carries colours and fonts, for a page."""
        return wrapped(self._markup(with_exact=True))

    def _markup(self, with_exact: bool) -> Markup:  # noqa: FBT001
        from treeview._page import (  # noqa: PLC0415 - text does without
            FIRST_LINES,
            MOST_LINES,
            count_lines,
            document_markup,
        )

        width = self.options.width or _PAGE_WIDTH
        lines = self.options.max_lines
        # What opens where nothing limits it is found out in the browser, line by line.
        complete = lines is None and count_lines(self.document, MOST_LINES + 1) > MOST_LINES
        planned = FIRST_LINES if complete else lines
        return document_markup(
            self.document,
            opened=open_counts(self.document, width=width, max_lines=planned),
            width=width,
            stretch=lines,
            complete=complete,
            exact=self._exact.make() if with_exact and self._exact.make else None,
            reason=self._exact.reason,
        )


def render(obj: object, **options: Any) -> Rendering:
    """Looks at an object, once, and returns what can be shown of it.

    Args:
        obj: Any object.
        **options: Changes of `treeview.options` for this rendering.

    Raises:
        TypeError: An option is unknown or has a value of another type.
        ValueError: An option is out of range.

    Example:
        >>> print(render({"a": [1, 2]}).text())
        {'a': [1, 2]}
    """
    chosen = changed_options(options)
    return rendered(obj, chosen)


def rendered(obj: object, chosen: Options, live: "LiveOutput | None" = None) -> Rendering:
    """What can be shown of an object.

    Args:
        obj: Any object.
        chosen: How to show it.
        live: Shows it, if its arrays take long to read, before that is done.
    """
    if live is not None:
        live.prepare(lambda document, busy: mime_bundle(Rendering(document, chosen), busy=busy))
    document, totals = document_and_totals(obj, chosen, live)
    return Rendering(document, chosen, exact_source(obj, document, chosen), totals)


def mime_bundle(shown: Displayable, *, busy: bool = False) -> dict[str, str]:
    """All outputs of a rendering by their MIME types.

    Args:
        shown: The rendering.
        busy: Whether values of arrays are still to come.
    """
    html = fragment_html(shown.markup(), busy=True) if busy else shown.html()
    return {"text/plain": shown.text(), "text/html": html}


def render_text(obj: object, **options: Any) -> str:
    """An object as text; see `render`."""
    return object_text(obj, changed_options(options))


def render_html(obj: object, **options: Any) -> str:
    """An object as a fragment of HTML that brings its own styles; see `render`."""
    return render(obj, **options).html()


def show(*objects: object, **options: Any) -> None:
    """Shows objects: in a notebook as its outputs, elsewhere as text on the standard output.

    Args:
        *objects: What to show, one below the other. Strings are shown as they are.
        **options: Changes of `treeview.options`; `color=None` colours what goes to a terminal.
    """
    display = _notebook_display()
    chosen = changed_options(options)
    color = wants_color(sys.stdout) if chosen.color is None else chosen.color
    for obj in objects:
        if isinstance(obj, str):
            write_line(sys.stdout, obj)
        elif display is not None and isinstance(obj, Displayable):
            display(obj)
        elif display is not None:
            _show_live(obj, chosen, display)
        elif isinstance(obj, Displayable):
            write_line(sys.stdout, obj.text(color=color))
        else:
            write_line(sys.stdout, object_text(obj, replace(chosen, color=color)))


def _show_live(obj: object, chosen: Options, display: Callable[[Any], Any]) -> None:
    """Shows an object in a notebook; twice, if its arrays take long to read and it can be."""
    from treeview._live import live_output  # noqa: PLC0415 - of use in notebooks only

    live = live_output(chosen.progressive)
    if live is None:
        display(rendered(obj, chosen))
        return
    with live:
        rendering = rendered(obj, chosen, live)
        if live.shown:
            live.finish(mime_bundle(rendering))
    if not live.shown:
        display(rendering)


def _notebook_display() -> Any:
    """What shows an object as output where marimo or a kernel of IPython runs this, else None."""
    marimo: Any = sys.modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        return marimo.output.append
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return importlib.import_module("IPython.display").display


def file_path(path: str | os.PathLike[str]) -> "Path":
    """A path to save something to."""
    from pathlib import Path  # noqa: PLC0415 - slow, and of use only where something is saved

    return Path(path)


def write_file(target: "Path", content: str | bytes) -> None:
    """Writes a file completely or not at all.

    Args:
        target: The file, which is replaced if it is there.
        content: What to write; text is written as UTF-8.

    Raises:
        OSError: The folder does not exist or the file cannot be written.
    """
    # A file beside the target on the same file system, so that renaming it is one step.
    draft = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    try:
        try:
            # Lone surrogates have no encoding; they are written as Python escapes them.
            is_text = isinstance(content, str)
            draft.write_bytes(content.encode(errors="backslashreplace") if is_text else content)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"Expected the folder of {str(target)!r} to exist; create {str(target.parent)!r} first."
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise type(error)(
            error.errno,
            f"Could not write {str(target)!r} ({reason}); nothing was changed, so make room or"
            " choose another path and save again.",
        ) from error
