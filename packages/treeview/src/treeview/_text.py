"""From a document to text, plain or with the colours of a terminal."""

import os
import sys
from functools import partial

from treeview._document import Node, Style
from treeview._layout import INDENT, lay_out, plain_text, shown_children
from treeview._options import Options
from treeview._walk import build_document

DEFAULT_WIDTH = 80

_RESET = "\x1b[0m"
# Only the sixteen colours that themes of terminals define, so that light and dark ones both work.
_CODES: dict[Style, str] = {
    "keyword": "\x1b[35m",
    "number": "\x1b[36m",
    "string": "\x1b[32m",
    "type": "\x1b[1;34m",
    "static": "\x1b[3m",
    "comment": "\x1b[90m",
    "muted": "\x1b[90m",
    "array": "\x1b[36m",
    "error": "\x1b[31m",
    "strong": "\x1b[1m",
}


def object_text(obj: object, options: Options) -> str:
    """An object as text; values of arrays in parts that are folded away are not read.

    Args:
        obj: Any object.
        options: How to show it; see `document_text`.
    """
    width = terminal_width() if options.width is None else options.width
    shown = partial(shown_children, width=width, max_lines=options.max_lines)
    return document_text(build_document(obj, options=options, shown_children=shown), options)


def document_text(root: Node, options: Options) -> str:
    """A document as text, without a newline at its end.

    Args:
        root: The document.
        options: `width`, `max_lines`, `color` and `roundtrip` are heeded. Colours are used only
            where `color` is True, for a string has no terminal.
    """
    width = terminal_width() if options.width is None else options.width
    lines, complete = options.max_lines, options.roundtrip
    if not options.color:
        return plain_text(root, width=width, max_lines=lines, complete=complete)
    return "\n".join(
        " " * (INDENT * line.level) + "".join(_colored(piece, style) for piece, style in line.spans)
        for line in lay_out(root, width=width, max_lines=lines, complete=complete)
    )


def terminal_width() -> int:
    """Columns of the terminal, or `DEFAULT_WIDTH` where there is none.

    As in `shutil.get_terminal_size`, whose module takes long to import, the environment variable
    `COLUMNS` goes first.
    """
    written = os.environ.get("COLUMNS", "")
    columns = int(written) if written.isdecimal() else 0
    if columns == 0:
        try:
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns  # pyright: ignore[reportOptionalMemberAccess]
        except (AttributeError, ValueError, OSError):  # closed, replaced, or no terminal
            return DEFAULT_WIDTH
    return columns or DEFAULT_WIDTH


def _colored(piece: str, style: Style) -> str:
    code = _CODES.get(style)
    return f"{code}{piece}{_RESET}" if code else piece
