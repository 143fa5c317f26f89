"""A document as HTML that folds without scripts.

An open branch is a `details` element whose summary is its first line and whose children are the
items of a list; everything that fits on one line is just that line. Lines carry their own
indentation as text, so that what a reader selects and copies is what the text output prints
(`_writer.py`). Of a document of more than `MOST_LINES` lines only the first ones become markup;
all of it is in the payload (`_payload.py`), from which the script builds lines as they are needed.
"""

from collections.abc import Mapping, Sequence

from treeview._cells import MOST_BYTES, CellData
from treeview._document import Branch, Foreign, Node, Picture
from treeview._foreign import is_framed
from treeview._markup import (
    BRANCHES,
    PICTURES,
    REPORT,
    SCRIPT,
    Markup,
    escape,
    script_elements,
    style_element,
)
from treeview._payload import Payload, payload_element
from treeview._writer import Writer

MOST_LINES = 1_000
"""Lines up to which all of a document becomes markup."""

FIRST_LINES = 120
"""How many lines of a longer document do, level by level."""

MORE_LINES = 80
"""How many lines below them do, so that without scripts the first parts can be unfolded in full."""

MOST_PIXELS = 24_000
"""How many pixels of pictures a document that brings the script holds as images."""

SCRIPT_VALUES = 300
"""How many values go without the script: a notebook keeps every output, even of one screen."""

_IN_VIEW = 40
# Below so many foldable branches a search field and buttons are only in the way.
_BAR_BRANCHES = 12
_ANY_WIDTH = 80


def document_markup(
    root: Node,
    *,
    opened: Mapping[int, int],
    width: int = 80,
    stretch: int | None = None,
    complete: bool = False,
    exact: Node | None = None,
    reason: str = "",
) -> Markup:
    """A document as a piece of HTML.

    Args:
        root: The document.
        opened: The `id` of each branch that starts open, and how many of its children are in view.
        width: Columns up to which a branch that is not open stands on one line in full.
        stretch: How many children of any other branch are in view when it opens; the rest is
            behind a fold of its own. None for all.
        complete: Whether all branches start open that do not fit on a line.
        exact: The document of the same value in a roundtrip, which the script can show instead.
        reason: Why there is none, where there might be one.

    Returns:
        The markup, which needs no script to fold.
    """
    payload = Payload(root, opened)
    size = len(payload.lines)
    writer = Writer(opened, width, stretch, {id(view): at for at, view in payload.views.items()})
    if size > MOST_LINES:
        writer.keep_to(_first_lines(root, opened), FIRST_LINES + MORE_LINES)
    if size > SCRIPT_VALUES:
        writer.draw_first(MOST_PIXELS)
    writer.write(root)
    if not payload.branches and not payload.views:
        return Markup("".join(writer.parts), frozenset(writer.sheets))
    if size > MOST_LINES:
        writer.parts.append(
            f"<p class=tv-said>These are the first levels of {size:,} values. A script opens the"
            " others, and it does not run here.</p>"
        )
    known, more, templates = _views_markup(root, payload.views, writer)
    settings = {"all": complete, "least": _BAR_BRANCHES, "root": ""}
    if exact is None and reason and not payload.is_plain:
        settings["reason"] = reason
    text = payload.text(width=width, stretch=stretch, **settings)
    return Markup(
        "".join(writer.parts) + known,
        frozenset(writer.sheets),
        size > SCRIPT_VALUES,
        f"{more}{templates}{payload_element(text)}{_exact_element(exact, payload, width)}",
        any(map(is_framed, payload.views.values())),
        bool(known or more),
    )


def _views_markup(
    root: Node, views: Mapping[int, Picture | Foreign], writer: Writer
) -> tuple[str, str, str]:
    """What scripts need besides the markup: values of its pictures, other pictures, rich output."""
    is_alone = isinstance(root, Picture)
    cells = CellData(None if is_alone else MOST_BYTES)
    shown = {at: view for at, view in views.items() if id(view) in writer.written}
    cells.add({at: view for at, view in shown.items() if isinstance(view, Picture) and view.grids})
    waiting = {at: view for at, view in views.items() if at not in shown}
    figures = CellData(cells.room)
    figures.add_figures({at: view for at, view in waiting.items() if isinstance(view, Picture)})
    templates = [writer.template(view) for view in waiting.values() if isinstance(view, Foreign)]
    known, more = cells.element(name="tv-cells"), figures.element(name="tv-more-cells")
    if more:
        writer.sheets |= {PICTURES, BRANCHES}
    return known, more, "".join(templates)


def _exact_element(root: Node | None, shown: Payload, width: int) -> str:
    """The payload of a roundtrip, where it says something else and is nothing but text."""
    payload = None if root is None else Payload(root, {})
    if payload is None or payload.views or payload.reads_like(shown):
        return ""
    return payload_element(payload.text(width=width))


def figure_templates(views: Mapping[int, Picture | Foreign]) -> str:
    """The pictures and rich output of a payload as templates, for a script that shows it.

    Args:
        views: What to show, by its position among the leaves of the payload.
    """
    writer = Writer({}, _ANY_WIDTH, None, {id(view): at for at, view in views.items()})
    return "".join(map(writer.template, views.values()))


def count_lines(root: Node, most: int) -> int:
    """How many nodes a document has; `most` if there are at least that many."""
    count, row = 0, [root]
    while row and count < most:
        count += len(row)
        row = [
            value
            for node in row
            if isinstance(node, Branch)
            for value in node.values[: most - count]
        ]
    return min(count, most)


def _first_lines(root: Node, opened: Mapping[int, int]) -> set[int]:
    """The ids of the branches of a long document whose children become markup.

    Level by level from the root they make `FIRST_LINES` lines; what comes first below these makes
    `MORE_LINES` more.
    """
    kept: set[int] = set()
    lines = 0

    def keep(branch: Branch, most: int) -> list[Branch]:
        nonlocal lines
        shown = branch.values[: min(opened.get(id(branch), _IN_VIEW), most - lines)]
        if id(branch) not in kept:
            lines += len(shown)
            kept.add(id(branch))
        return [value for value in shown if isinstance(value, Branch)]

    row = [root] if isinstance(root, Branch) else []
    while row and lines < FIRST_LINES:
        # What is open goes first, for that is what a reader sees.
        row.sort(key=lambda branch: id(branch) not in opened)
        below: list[Branch] = []
        for branch in row:
            below += keep(branch, FIRST_LINES)
            if lines >= FIRST_LINES:
                break
        row = below
    stack = [root] if isinstance(root, Branch) else []
    while stack and lines < FIRST_LINES + MORE_LINES:
        stack += reversed(keep(stack.pop(), FIRST_LINES + MORE_LINES))
    return kept


def page_html(parts: Sequence[Markup], title: str) -> str:
    """A complete page that needs nothing but itself.

    Args:
        parts: What stands on it, from top to bottom.
        title: Its title.

    Returns:
        An HTML document.
    """
    sheets = {REPORT}.union(*(part.sheets for part in parts))
    if any(part.interactive for part in parts):
        sheets.add(SCRIPT)
    script = script_elements(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title>{style_element(sheets)}</head>\n"
        f'<body class="treeview-page"><main>{"".join(part.html for part in parts)}</main>'
        f"{script}</body></html>\n"
    )
