"""A document as a few columns of text, from which the script builds lines as they are needed.

A payload is text. Its first line is a JSON object, the header; each further line is one node, in
reading order:

    a scalar      as Python writes it: `3`, `'text'`, `None`
    a branch      `#` and the position of its shape in the header; its children follow
    anything else `@` and its position among the leaves of the header

What large objects consist of comes cheap that way: scalars are joined without looking at them one
by one, and branches that look alike (the same head, tail and labels, such as the thousand
dictionaries of a list of records) share one shape. Python never writes scalars that begin with
`#` or `@`, nor over several lines.

How wide a character is depends on tables of Unicode that browsers do not offer. So the header lists
those characters in the payload that take two columns or none.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from treeview._document import (
    ATOM_TYPES,
    Atom,
    Branch,
    Foreign,
    IndexSteps,
    KeySteps,
    Node,
    Picture,
    Reference,
    Span,
    Style,
    Text,
    printable,
)
from treeview._inline import fills_lines, node_text, text_width
from treeview._markup import css_color
from treeview._paths import python_path

VERSION = 1
# Base64 of compressed text is longer than a short text itself.
_COMPRESSED = 1_000
# Beyond level 4 zlib takes twice the time for a tenth of the bytes.
_LEVEL = 5

STYLE_LETTERS: Mapping[Style, str] = {
    "plain": "",
    "number": "n",
    "keyword": "k",
    "string": "s",
    "type": "t",
    "field": "f",
    "static": "x",
    "comment": "c",
    "muted": "m",
    "array": "a",
    "error": "e",
    "strong": "g",
}
"""The letters of styles in payloads, which are those of the style sheet."""

_LITERALS = frozenset({str, int, bool, bytes, type(None)})

_Shape = dict[str, Any]
_Spans = list[str]


class Payload:
    """A document in columns.

    Args:
        root: The document.
        opened: The `id` of each branch that starts open, and how many of its children are in view.

    Attributes:
        lines: One line per node, in reading order.
        branches: How many branches there are.
        shapes: What branches that look alike have in common.
        leaves: What is neither a branch nor a scalar.
        views: Pictures and rich output, in the order of their appearance: the nodes that a page
            holds as markup, each with its position among the leaves.
    """

    def __init__(self, root: Node, opened: Mapping[int, int]) -> None:
        self.lines: list[str] = []
        self.branches = 0
        self.views: dict[int, Picture | Foreign] = {}
        self._opened = opened
        self._open_lines: list[int] = []
        self._shapes: dict[tuple[Any, ...], str] = {}
        self.shapes: list[_Shape] = []
        self._leaves: dict[tuple[Any, ...], str] = {}
        self.leaves: list[Any] = []
        self._totals: list[Any] = []
        self._write(root)

    def reads_like(self, other: "Payload") -> bool:
        """Whether two documents read the same, whatever is open."""
        parts = (self.lines, self.shapes, self.leaves)
        return parts == (other.lines, other.shapes, other.leaves)

    @property
    def is_plain(self) -> bool:
        """Whether all of it is plain containers of plain values, which a roundtrip writes alike."""
        heads = (shape["head"][1::2] for shape in self.shapes)
        return not self.leaves and not any("t" in letters for letters in heads)

    def text(self, **settings: Any) -> str:
        """The payload.

        Args:
            **settings: What else the header says, by name.
        """
        body = "\n".join(self.lines)
        header = {
            "version": VERSION,
            "shapes": self.shapes,
            "leaves": self.leaves,
            "opened": self._open_lines,
            "totals": self._totals,
            **settings,
        }
        first = json.dumps(header, separators=(",", ":"), ensure_ascii=False)
        wide, zero = _odd_characters(first + body)
        if wide or zero:
            header |= {"wide": wide, "zero": zero}
            first = json.dumps(header, separators=(",", ":"), ensure_ascii=False)
        return f"{first}\n{body}"

    def _write(self, root: Node) -> None:
        lines = self.lines
        stack = [iter((root,))]
        while stack:
            for node in stack[-1]:
                if type(node) is Branch:
                    values = node.values
                    kinds = set(map(type, values))
                    plain = kinds <= ATOM_TYPES
                    self._write_branch(node, plain=plain)
                    if plain:
                        lines.extend(map(repr, values))
                    else:
                        stack.append(iter(cast("tuple[Node, ...]", values)))
                        break
                elif type(node) in ATOM_TYPES:
                    lines.append(repr(node))
                else:
                    lines.append(self._leaf(cast("Any", node)))
            else:
                stack.pop()

    def _write_branch(self, branch: Branch, *, plain: bool) -> None:
        self.branches += 1
        place = len(self.lines)
        if id(branch) in self._opened:
            self._open_lines += (place, self._opened[id(branch)])
        if branch.totals:
            self._totals += (place, str(branch.totals))
        labels = _labels_key(branch.labels)
        rows = plain and branch.labels is None and fills_lines(branch)
        key = (
            branch.head.spans,
            branch.tail.spans,
            len(branch.values),
            labels,
            branch.joint,
            _step_rule(branch, labels),
            branch.separator,
            branch.omitted,
            branch.omitted_name,
            branch.note.spans,
            None if branch.folded is None else branch.folded.spans,
            branch.color,
            branch.opened,
            branch.inline,
            branch.number,
            rows,
        )
        line = self._shapes.get(key)
        if line is None:
            line = self._shapes[key] = f"#{len(self.shapes)}"
            self.shapes.append(_shape_row(branch, key))
        self.lines.append(line)

    def _leaf(self, node: Text | Picture | Foreign | Reference) -> str:
        spans = node_text(node).spans
        key: tuple[Any, ...] = (spans,)
        row: Any = _flat(spans)
        if isinstance(node, Reference):
            key, row = (spans, node.number), {"text": row, "to": node.number}
        elif not isinstance(node, Text):
            key, row = (spans, id(node)), {"text": row, "view": len(self.leaves)}
            if isinstance(node, Foreign) and node.opened:
                row["open"] = 1
        line = self._leaves.get(key)
        if line is None:
            if isinstance(node, Picture | Foreign):
                self.views[len(self.leaves)] = node
            line = self._leaves[key] = f"@{len(self.leaves)}"
            self.leaves.append(row)
        return line


def payload_element(text: str) -> str:
    """A payload as an element of a page; long ones are compressed.

    Args:
        text: What `Payload.text` returned.

    Returns:
        A script element of a type that browsers do not run, which holds a JSON string.
    """
    if len(text) < _COMPRESSED:
        quoted = json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")
        return f'<script type="application/json" class=tv-data>{quoted}</script>'
    packed = zlib.compress(text.encode("utf-8", "backslashreplace"), _LEVEL)
    data = base64.b64encode(packed).decode("ascii")
    return f'<script type="application/json" class=tv-data data-packed>"{data}"</script>'


def _labels_key(labels: Sequence[Text | Atom] | None) -> Any:
    """Labels as something that tells `1` from `True`, quickly made and compared."""
    if labels is None:
        return None
    kinds = set(map(type, labels))
    if kinds <= ATOM_TYPES:
        return "\n".join(map(repr, labels))
    if kinds == {Text}:
        return tuple([label.spans for label in cast("Sequence[Text]", labels)])
    return tuple([label.spans if isinstance(label, Text) else repr(label) for label in labels])


def _shape_row(branch: Branch, key: tuple[Any, ...]) -> _Shape:
    labels, rule, rows = key[3], key[5], key[15]
    row: _Shape = {
        "head": _flat(branch.head.spans),
        "tail": _flat(branch.tail.spans),
        "count": len(branch.values),
    }
    optional = {
        "labels": labels if labels is None or isinstance(labels, str) else _label_rows(labels),
        "joint": printable(branch.joint),
        "steps": rule,
        "separator": printable(branch.separator),
        "note": _flat(branch.note.spans),
        "color": css_color(branch.color),
        "number": branch.number,
        "rows": int(rows),
    }
    row |= {name: value for name, value in optional.items() if value}
    if branch.folded is not None:
        row["folded"] = _flat(branch.folded.spans)
    if branch.omitted != 0:
        row["omitted"] = branch.omitted
    if branch.omitted_name != "items":
        row["name"] = printable(branch.omitted_name)
    if branch.labels is not None and not labels:
        row["labels"] = []
    if branch.opened is not None:
        row["opened"] = branch.opened
    if not branch.inline:
        row["apart"] = 1
    return row


def _label_rows(labels: tuple[Any, ...]) -> list[Any]:
    return [label if isinstance(label, str) else _flat(label) for label in labels]


def _flat(spans: Sequence[Span]) -> _Spans:
    """Styled text as texts and letters in turn."""
    flat: _Spans = []
    for piece, style in spans:
        flat += (piece, STYLE_LETTERS[style])
    return flat


def _step_rule(branch: Branch, labels: Any) -> Any:
    """How paths to the children continue.

    Returns:
        `i` for positions, `k` for the label as a key, `a` for the label as an attribute, nothing
        where there are no paths, else the text of each step (None where there is no path).
    """
    steps, count = branch.steps, len(branch.values)
    known = min(len(steps), count)
    if not known:
        return ""
    if type(steps) is IndexSteps:
        return "i" if known == count else _step_texts(steps, known)
    if type(steps) is KeySteps and isinstance(labels, str):
        keys = steps.keys
        kinds = set(map(type, keys))
        if kinds <= _LITERALS and (keys is branch.labels or "\n".join(map(repr, keys)) == labels):
            return "k"
    texts = _step_texts(steps, known)
    if branch.labels is not None and known == count:
        shown = [label.plain if isinstance(label, Text) else repr(label) for label in branch.labels]
        if all(text == f".{label}" for text, label in zip(texts, shown, strict=False)):
            return "a"
        if all(text == f"[{label}]" for text, label in zip(texts, shown, strict=False)):
            return "k"
    return texts


def _step_texts(steps: Sequence[Any], count: int) -> tuple[str | None, ...]:
    return tuple([python_path((steps[position],)) for position in range(count)])


def _odd_characters(text: str) -> tuple[str, str]:
    """The characters in a text that take two columns, and those that take none."""
    if text.isascii():
        return "", ""
    odd = sorted(character for character in set(text) if not character.isascii())
    widths = {character: text_width(character) for character in odd}
    wide = "".join(character for character in odd if widths[character] == 2)
    return wide, "".join(character for character in odd if widths[character] == 0)
