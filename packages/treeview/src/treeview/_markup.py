"""Text as markup: the one place where text becomes HTML, and the files that style it.

Everything that stands in a page as text goes through `escape`. A `Markup` is a piece of HTML
together with the names of the style sheets it needs, so that a page that joins many pieces holds
each sheet once and an output that shows one number holds next to nothing.
"""

import functools
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from treeview._document import Span, Style, printable
from treeview._inline import atom_span

Sheet = str

CORE, BRANCHES, PICTURES = "core.css", "branches.css", "pictures.css"
SCRIPT, REPORT, TOKENS = "script.css", "report.css", "tokens.css"
_SHEET_ORDER: tuple[Sheet, ...] = (CORE, BRANCHES, PICTURES, TOKENS, SCRIPT, REPORT)
# Made of the other scripts by `npm run build` in `tests/js`.
_SCRIPT = "tree.min.js"
_PICTURES = "pictures.min.js"
_FRAMES = "frames.js"
ATTENTION = "attention.min.js"

# One letter each, because a page names them once per value. Numbers need none.
_STYLE_TAGS: dict[Style, tuple[str, str]] = {
    "plain": ("", ""),
    "number": ("<b>", "</b>"),
    "keyword": ("<b class=k>", "</b>"),
    "string": ("<b class=s>", "</b>"),
    "type": ("<b class=t>", "</b>"),
    "field": ("<b class=f>", "</b>"),
    "static": ("<b class=x>", "</b>"),
    "comment": ("<b class=c>", "</b>"),
    "muted": ("<b class=m>", "</b>"),
    "array": ("<b class=a>", "</b>"),
    "error": ("<b class=e>", "</b>"),
    "strong": ("<b class=g>", "</b>"),
}


@dataclass(frozen=True, slots=True)
class Markup:
    """A piece of HTML.

    Attributes:
        html: Markup that stands inside an element of class `treeview`.
        sheets: The names of the style sheets that it needs besides the core.
        interactive: Whether there is so much of it that an output should bring the script.
        data: What the script needs, which follows the markup where there is one.
        framed: Whether there is rich output whose height a script is to find out.
        pictured: Whether there are pictures whose values a script is to tell.
        scripts: The names of further scripts that it needs.
    """

    html: str
    sheets: frozenset[Sheet] = frozenset()
    interactive: bool = False
    data: str = ""
    framed: bool = False
    pictured: bool = False
    scripts: frozenset[str] = frozenset()


def escape(text: str) -> str:
    """`text` as it may stand between tags and in attributes in double quotes.

    Characters that are not plainly visible, lone surrogates among them, become visible escapes.
    """
    return escape_markup(printable(text))


def escape_source(source: str) -> str:
    """The HTML of a whole document as it may stand in a `srcdoc` attribute."""
    return escape_markup(source.encode("utf-8", "backslashreplace").decode("utf-8"))


def escape_markup(text: str) -> str:
    """As `html.escape`, whose module is slow to import for its table of entities."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;")


def styled_html(spans: Iterable[Span]) -> str:
    """Styled text as markup."""
    return "".join([_common_html(s) if len(s[0]) <= _COMMON else _span_html(s) for s in spans])


def _span_html(span: Span) -> str:
    text, style = span
    start, stop = _STYLE_TAGS[style]
    return f"{start}{escape(text)}{stop}"


# Brackets, commas, names of fields and classes come again and again.
_COMMON = 24
_common_html = functools.lru_cache(maxsize=8192)(_span_html)


def atom_html(atom: object) -> str:
    """A plain value as markup."""
    kind = type(atom)
    if kind is int or kind is float:  # the most common by far, and nothing to escape
        return f"<b>{atom!r}</b>"
    return styled_html((atom_span(atom),))


_COLOR = re.compile(
    r"#[0-9a-f]{3,8}|[a-z]{3,30}"
    r"|(?:rgb|rgba|hsl|hsla|hwb|lab|lch|oklab|oklch)\([0-9a-z.,%/ +-]{1,80}\)",
    re.IGNORECASE,
)


def css_color(color: str | None) -> str | None:
    """`color` where it is written like one CSS colour and nothing else, or None.

    Accepts hexadecimal colours, names and the colour functions with plain arguments.
    """
    return color if color and _COLOR.fullmatch(color) else None


@functools.cache
def read_static(name: str) -> str:
    """The text of a file in `treeview/static`, without comments and indentation."""
    loader: Any = __spec__.loader  # reads from zip files too
    folder = __file__.rpartition(os.sep)[0]  # importing pathlib takes long
    text = loader.get_data(f"{folder}{os.sep}static{os.sep}{name}").decode("utf-8")
    if not name.endswith(".css"):
        lines = (line.strip().partition(" // ")[0] for line in text.splitlines())
        return "\n".join(line for line in lines if line and not line.startswith("//"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\s*([{};,>])\s*", r"\1", re.sub(r"\s+", " ", text)).replace(";}", "}").strip()


def style_element(sheets: Iterable[Sheet]) -> str:
    """A style element with the core sheet and the given ones, each once."""
    wanted = {CORE, *sheets}
    return f"<style>{''.join(read_static(name) for name in _SHEET_ORDER if name in wanted)}</style>"


def script_element(name: str = _SCRIPT) -> str:
    """A script element that makes the trees of a page searchable, or does a part of that."""
    return f"<script>{read_static(name)}</script>"


def wrapped(markup: Markup) -> Markup:
    """A piece with its data inside the element that carries colours and fonts, for a page."""
    html = f'<div class="treeview">{markup.html}{markup.data}</div>'
    return replace(markup, html=html, data="", interactive=markup.interactive or bool(markup.data))


def embedded(markup: Markup) -> Markup:
    """A piece as a part of another one: a large tree in an element of its own, with its data."""
    return wrapped(markup) if markup.interactive and markup.data else replace(markup, data="")


def joined(html: str, parts: Iterable[Markup]) -> Markup:
    """Markup that is made of that of parts, with all that these need."""
    parts = list(parts)
    return Markup(
        html,
        frozenset[Sheet]().union(*(part.sheets for part in parts)),
        any(part.interactive for part in parts),
        framed=any(part.framed for part in parts),
        pictured=any(part.pictured for part in parts),
        scripts=frozenset[str]().union(*(part.scripts for part in parts)),
    )


def script_elements(parts: Iterable[Markup]) -> str:
    """The scripts that some parts of a page need, each once."""
    parts = list(parts)
    # The tree asks the pictures for those that no markup shows, so these come first.
    scripts = script_element(_PICTURES) if any(part.pictured for part in parts) else ""
    further = frozenset[str]().union(*(part.scripts for part in parts))
    scripts += "".join(map(script_element, sorted(further)))
    if any(part.interactive for part in parts):
        return scripts + script_element()
    return scripts + (script_element(_FRAMES) if any(part.framed for part in parts) else "")


def fragment_html(markup: Markup, *, busy: bool = False) -> str:
    """One output as HTML that brings its own styles, ready for a notebook or another page.

    Args:
        markup: What it shows.
        busy: Whether more is to come, which screen readers wait for.
    """
    sheets = {*markup.sheets, SCRIPT} if markup.interactive else markup.sheets
    data = markup.data if markup.interactive else ""
    # Where a program takes styles away, or spaces as nbconvert does, `pre` still keeps the lines.
    body = f"<pre>{markup.html}</pre>{data}{script_elements([markup])}"
    state = " aria-busy=true" if busy else ""
    return f'<div class="treeview"{state}>{style_element(sheets)}{body}</div>'
