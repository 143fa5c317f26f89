"""The document: what the walk makes of an object, and what every output reads.

A document is a tree of six kinds of nodes:

    atom        a plain Python scalar standing for itself (`None`, `True`, `3`, `0.5`, `'text'`)
    Text        one line of styled text
    Branch      a head, children and a tail; it can be folded to one line
    Picture     a small image with labels around it
    Foreign     rich output that an object brought along, such as its HTML
    Reference   a pointer to a branch that is shown elsewhere in the same document

Atoms are not wrapped because large objects are mostly scalars: a list of a million integers is
one branch that holds those integers. For the same reason a branch keeps its children in columns
(`labels`, `values`, `steps`) rather than as a list of little objects.

Nodes do not change once a document is handed out, so threads may share it. Text cannot carry
control, bidirectional or surrogate characters: `Text` replaces them by visible escapes when it is
made, so no output has to think of them again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from treeview._paths import Attribute, Index, Key, Step
from treeview._totals import Totals

if TYPE_CHECKING:
    from treeview._grid import Grid

Style = Literal[
    "plain",  # punctuation and everything else
    "keyword",  # None, True, ...
    "number",
    "string",
    "type",  # names of classes and functions
    "field",  # names of attributes that hold data
    "static",  # names of attributes that hold settings
    "comment",  # notes that are not part of the value
    "muted",  # what stands for something left out
    "array",  # summaries of arrays
    "error",  # what went wrong while an object was looked at
    "strong",
]

Span = tuple[str, Style]

ATOM_TYPES: frozenset[type] = frozenset(
    {type(None), bool, int, float, complex, str, bytes, type(...)}
)
"""Exact types whose values may stand in a document as themselves."""


def printable(text: str) -> str:
    """`text` with every character that is not plainly visible replaced by its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class Text:
    """One line of text.

    Attributes:
        spans: Pairs of text and style, in reading order.
    """

    __slots__ = __match_args__ = ("spans",)

    def __init__(self, spans: tuple[Span, ...] = ()) -> None:
        for piece, _ in spans:
            if not piece.isprintable():
                spans = tuple((printable(text), style) for text, style in spans)
                break
        self.spans: Final = spans

    def __eq__(self, other: object) -> bool:
        return type(other) is Text and other.spans == self.spans

    def __hash__(self) -> int:
        return hash(self.spans)

    def __repr__(self) -> str:
        return f"Text({self.spans!r})"

    @property
    def plain(self) -> str:
        """The text without styles."""
        return "".join(text for text, _ in self.spans)


def text(*parts: str | Span | Text) -> Text:
    """Joins strings, styled spans and texts into one line."""
    if len(parts) == 1 and type(parts[0]) is str and len(parts[0]) <= _BRACKETS:
        return _plain_text(parts[0])
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, Text):
            spans.extend(part.spans)
        elif isinstance(part, str):
            spans.append((part, "plain"))
        else:
            spans.append(part)
    return Text(tuple(spans))


# Brackets come again and again, and all branches may share them.
_BRACKETS = 8


@lru_cache(maxsize=1024)
def _plain_text(piece: str) -> Text:
    return Text(((piece, "plain"),))


EMPTY = Text()


@dataclass(slots=True, eq=False, repr=False)
class Branch:
    """A node with children.

    Open, it stands on several lines:

        head  note
          label joint value separator
          ...
        tail

    and folded on one, `head … tail` or `folded` where that is given. Where all of it fits into
    the width, an output may write it on one line in full.

    Attributes:
        head: What stands before the children, such as `Linear(`.
        values: The children that are shown.
        tail: What stands after the children, such as `)`.
        labels: For each child what stands before it (a text or an atom), or None for no labels.
        joint: What joins a label to its value, such as `=` or `: `.
        steps: The step that leads from this object to each child; shorter than `values` where
            the rest has no path.
        separator: What follows each child, such as `,`.
        omitted: How many children are left out; None if there are more, but nobody knows how many.
        omitted_name: What the children are called when they are counted, such as `items`.
        note: A comment beside the head.
        folded: The whole line that stands for the folded branch; None for head, elided children
            and tail.
        color: A CSS colour for this kind of object, already validated, or None.
        opened: True to start open, False to start folded, None to let the output decide.
        number: The number by which references name this branch, or 0 if none does.
        totals: What the arrays below hold together; None if there are none.
        inline: Whether the branch may stand on one line in full if it fits.
    """

    head: Text
    values: Sequence["Node"]
    tail: Text = EMPTY
    labels: Sequence["Text | Atom"] | None = None
    joint: str = ""
    steps: Sequence[Step] = ()
    separator: str = ""
    omitted: int | None = 0
    omitted_name: str = "items"
    note: Text = EMPTY
    folded: Text | None = None
    color: str | None = None
    opened: bool | None = None
    number: int = 0
    totals: Totals | None = None
    inline: bool = True

    def __repr__(self) -> str:
        # Of this branch only: a document may be deeper than Python can recurse.
        return f"<Branch {self.head.plain!r} of {len(self.values)}>"


@dataclass(frozen=True, slots=True)
class EdgeLabel:
    """Text beside a picture.

    Attributes:
        side: The side of the picture on which the text stands.
        start: Where the labelled stretch begins along that side, in pixels of the picture.
        stop: Where it ends.
        text: The label.
        level: The row of labels, counted from the picture outwards.
    """

    side: Literal["top", "bottom", "left", "right"]
    start: float
    stop: float
    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class ColorScale:
    """The legend of a picture.

    Attributes:
        colors: CSS colours from the lowest to the highest value.
        low: The lowest value as text.
        high: The highest value as text.
        note: What else the reader should know, such as how many outliers are clipped.
    """

    colors: tuple[str, ...]
    low: str
    high: str
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image.

    Attributes:
        pixels: Red, green, blue and alpha, `uint8[rows, columns, 4]`.
        scale: CSS pixels per pixel of the image.
        description: A text alternative: what is shown, its shape and its range.
        labels: Texts around the image.
        legends: What the colours mean: a scale for each range or category.
        caption: A line below the image.
        grids: What is known of the cells of the image, for each array of cells in it.
    """

    pixels: np.ndarray[Any, np.dtype[np.uint8]]
    scale: float
    description: str
    labels: tuple[EdgeLabel, ...] = ()
    legends: tuple[ColorScale, ...] = ()
    caption: Text = EMPTY
    grids: "tuple[Grid, ...]" = ()

    @property
    def scale_legend(self) -> ColorScale | None:
        """The first legend, if there is one."""
        return self.legends[0] if self.legends else None


@dataclass(slots=True)
class Foreign:
    """Rich output of an object's own, shown in a sandbox.

    Attributes:
        html: Markup that is not trusted.
        fallback: What stands for it in text.
        opened: Whether it starts unfolded.
    """

    html: str
    fallback: Text
    opened: bool = False


@dataclass(slots=True)
class Reference:
    """A pointer to a branch that is shown elsewhere in the document.

    Attributes:
        number: The number of that branch.
        text: What to show, such as `<same Linear as .layers[0]>`.
    """

    number: int
    text: Text


Atom = None | bool | int | float | complex | str | bytes
Node = Atom | Text | Branch | Picture | Foreign | Reference


class IndexSteps(Sequence[Step]):
    """The steps to the first `count` positions of a sequence, made when they are asked for."""

    __slots__ = ("_count",)

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Step:  # type: ignore[override]
        return Index(range(self._count)[index])


@lru_cache(maxsize=1024)
def index_steps(count: int) -> IndexSteps:
    """The steps to the first `count` positions, which all branches of that size may share."""
    return IndexSteps(count)


class NameSteps(Sequence[Step]):
    """The steps to attributes of the given names."""

    __slots__ = ("_names",)

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Step:  # type: ignore[override]
        return Attribute(self._names[index])


class KeySteps(Sequence[Step]):
    """The steps to the values under the given keys."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Sequence[Any]) -> None:
        self._keys = keys

    @property
    def keys(self) -> Sequence[Any]:
        """The keys, in the order of the children."""
        return self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> Step:  # type: ignore[override]
        return Key(self._keys[index])
