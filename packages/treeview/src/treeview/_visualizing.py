"""What users want to see of an object beside its text: the option `autovisualize` as a rule.

A rule is asked about each object of a tree that is visited. Whatever it does wrong is said beside
the object, and never stops the walk.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from treeview._document import EMPTY, Branch, Foreign, Node, Picture, Reference, Text, text
from treeview._frames import Frame, rule_path
from treeview._guard import Damage, guarded
from treeview._names import class_of, type_name
from treeview._options import Options, options

if TYPE_CHECKING:
    from treeview.arrays.autovisualizer import ArrayAutovisualizer


class Verdict(NamedTuple):
    """What a rule says of an object.

    Attributes:
        picture: Whether to draw it if it is an array, or how.
        extra: What else to show of it, or, as text, what went wrong.
    """

    picture: "bool | ArrayAutovisualizer" = False
    extra: Picture | Foreign | Text | None = None


_NOTHING = Verdict()


class Visualizer:
    """Asks the rule of a walk.

    Args:
        chosen: The options of the walk.
        root: What its root is called.

    Attributes:
        has_rule: Whether objects other than arrays have to be asked about.
    """

    def __init__(self, chosen: Options, root: str) -> None:
        self._rule: Any = False if chosen.roundtrip else chosen.autovisualize
        self._root = root
        self.has_rule = not _is_same_for_all(self._rule)

    def look(self, value: object, frame: Frame, index: int) -> Verdict:
        """What to show of an object.

        Args:
            value: The object.
            frame: The branch that holds it.
            index: Where it is in there.
        """
        rule = self._rule
        if rule is False:
            return _NOTHING
        if not self.has_rule:
            return Verdict(picture=rule)
        try:
            # What the rule renders by itself does not ask the rule again.
            path = rule_path(self._root, frame, index)
            with options(autovisualize=False):
                return _verdict(guarded(rule, value, path, doing="autovisualize"))
        except Damage as damage:
            return _problem(str(damage))


def _is_same_for_all(answer: object) -> "TypeGuard[bool | ArrayAutovisualizer]":
    """Whether something says of arrays, and of nothing else, that or how they are drawn."""
    if class_of(answer) is bool:
        return True
    from treeview.arrays.autovisualizer import (  # noqa: PLC0415 - loads all that draws pictures
        ArrayAutovisualizer,
    )

    return issubclass(class_of(answer), ArrayAutovisualizer)


def _verdict(answer: Any) -> Verdict:
    kind: type[object] = class_of(answer)
    if kind is type(None):
        return _NOTHING
    if _is_same_for_all(answer):
        return Verdict(picture=answer)
    figure = guarded(getattr, answer, "document", None, doing="autovisualize: document")
    if isinstance(figure, Picture):
        return Verdict(extra=figure)
    from treeview.handlers.rich import (  # noqa: PLC0415 - handlers load with what is shown first
        add_rich,
        offers_rich,
    )

    if not offers_rich(kind):
        return _problem(
            f"autovisualize returned `{type_name(kind)}`, not a truth value, an"
            " `ArrayAutovisualizer`, something with rich output, or None"
        )
    shown = add_rich(answer, text((f"<{type_name(kind)}>", "muted")))
    if isinstance(shown, Foreign):
        return Verdict(extra=replace(shown, opened=True))
    return _problem(f"autovisualize returned `{type_name(kind)}` without rich output")


def _problem(words: str) -> Verdict:
    return Verdict(extra=text((f"<{words}>", "error")))


def with_extra(node: Node, extra: Picture | Foreign | Text | None) -> Node:
    """A node of a walk that is still going on, with what a rule wants to show beside it.

    Args:
        node: The node; a branch is changed in place.
        extra: What to show; text goes to the end of the line.
    """
    if extra is None or isinstance(node, Reference):
        return node
    if isinstance(node, Branch):
        if isinstance(extra, Text):
            gap = "  " if node.note.spans else ""
            node.note = text(node.note, gap, extra)
            return node
        _append(node, extra)
        return node
    line = _line(node)
    if isinstance(extra, Text):
        return text(line, " ", extra)
    values: list[Node] = [node, extra] if isinstance(node, Picture | Foreign) else [extra]
    return Branch(head=line, values=values, folded=line, inline=False)


def _append(branch: Branch, extra: Picture | Foreign) -> None:
    values: Any = branch.values  # a list as long as the walk goes on
    values.append(extra)
    branch.inline = False
    if branch.labels is not None:
        branch.labels = [*branch.labels, EMPTY]


def _line(node: Node) -> Text:
    if isinstance(node, Text):
        return node
    if isinstance(node, Foreign):
        return node.fallback
    return text((node.description, "array")) if isinstance(node, Picture) else text(repr(node))
