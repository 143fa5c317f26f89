"""What handlers are given to say how an object looks.

A handler returns a node of the document, or a `Sketch`: a branch whose children are still raw
objects. The walk takes from a sketch only as many children as there is room for, so a handler
costs the same for ten items and for ten million.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, Literal, Protocol
from zlib import crc32

from treeview._aliases import short_name
from treeview._document import EMPTY, Foreign, Node, Style, Text, text
from treeview._guard import Damage, guarded, safe_length
from treeview._names import (
    class_of,
    qualified_name,
    type_module,
    type_mro,
    type_name,
    type_namespace,
)
from treeview._options import Options
from treeview._paths import Attribute, Step

if TYPE_CHECKING:
    from treeview.arrays.protocol import ArrayAdapter

Steps = Literal["index", "key", "attribute"] | Sequence[Step] | None
"""How children are reached: by position, by their raw label as key or attribute, by explicit
steps, or not at all."""


@dataclass(slots=True, eq=False, repr=False)
class Sketch:
    """A branch whose children are raw objects.

    Attributes:
        head: What stands before the children.
        children: The raw children; with `paired`, pairs of raw label and raw child. Nodes of the
            document and sketches are taken as they are.
        tail: What stands after the children.
        labels: Raw labels, one for each child; texts and atoms are taken as they are, other
            objects are described in one line.
        paired: Whether `children` holds pairs.
        joint: What joins a label to its value.
        steps: How the children are reached.
        separator: What follows each child.
        count: How many children there are; None if nobody knows.
        omitted_name: What the children are called when they are counted.
        note: A comment beside the head.
        folded: The line that stands for the folded branch.
        color: A CSS colour.
        opened: Whether it starts open.
        inline: Whether it may stand on one line.
        unit: What arrays below count as in totals.
        fresh: Whether a second sighting of the object is shown in full again.
        revealed: Whether the branches around this one start open, so that it is seen.
    """

    head: Text
    children: Iterable[Any]
    tail: Text = EMPTY
    labels: Iterable[Any] | None = None
    paired: bool = False
    joint: str = ""
    steps: Steps = None
    separator: str = ","
    count: int | None = None
    omitted_name: str = "items"
    note: Text = EMPTY
    folded: Text | None = None
    color: str | None = None
    opened: bool | None = None
    inline: bool = True
    unit: str | None = None
    fresh: bool = False
    revealed: bool = False


@dataclass(slots=True, eq=False, repr=False)
class ArraySketch:
    """An array that is drawn together with all others.

    Attributes:
        array: The array.
        adapter: Who speaks for it.
        name: What to call it instead of its type.
        unit: What its values count as in totals; None for what the branch around it says.
    """

    array: Any
    adapter: "ArrayAdapter"
    name: str = ""
    unit: str | None = None


Shown = Node | Sketch | ArraySketch
"""What a handler may return."""


class _Adapters(Protocol):
    def adapter_for(self, cls: type) -> "ArrayAdapter | None": ...


class View:
    """Builds what a handler returns.

    Attributes:
        options: The options of this rendering.
    """

    __slots__ = ("_adapters", "_draw", "options")

    def __init__(self, options: Options, adapters: _Adapters, draw: Callable[[Any], Shown]) -> None:
        self.options = options
        self._adapters = adapters
        self._draw = draw

    def draw(self, obj: Any) -> Shown:
        """What the handlers make of another object: a node, or a sketch that may be changed.

        With this a handler wraps or completes the look of something that it stands for.
        """
        return self._draw(obj)

    def text(self, *parts: str | tuple[str, Style] | Text) -> Text:
        """One line of text from strings, `(text, style)` pairs and texts."""
        return text(*parts)

    def type_name(self, cls: type) -> str:
        """The name of a class: bare, or complete enough to evaluate in a roundtrip."""
        if not self.options.roundtrip:
            return type_name(cls)
        return qualified_name(cls) or f"<unreachable>.{type_name(cls)}"

    def short_name(self, name: str) -> str:
        """A full name as people write it (`np.sin`), or as it is in a roundtrip (`numpy.sin`)."""
        return name if self.options.roundtrip else short_name(name)

    def type_color(self, cls: type) -> str:
        """A CSS colour of its own for each class, the same in every process."""
        name = f"{type_module(cls)}.{type_name(cls)}"
        return f"oklch(0.70 0.12 {crc32(name.encode(errors='replace')) % 360})"

    def record(
        self,
        obj: object,
        fields: Mapping[str, Any] | None = None,
        *,
        name: str | None = None,
        steps: Steps = "attribute",
        color: str | None = None,
        note: str | Text | None = None,
        folded: str | Text | None = None,
        unit: str | None = None,
        static: Collection[str] = (),
        opened: bool | None = None,
    ) -> Sketch:
        """An object as a constructor call: `Name(field=value, ...)`.

        Args:
            obj: The object.
            fields: Names and raw values; None for all that the instance holds.
            name: What to call it instead of the name of its type.
            steps: How the values are reached from the object.
            color: A CSS colour for this kind of object.
            note: A comment; `# ` is put before a string.
            folded: The line that stands for the folded object.
            unit: What arrays below count as in totals, such as `parameters`.
            static: Names of fields that hold settings rather than data.
            opened: Whether it starts open or folded; None for where there is room.

        Returns:
            A sketch.
        """
        values = instance_fields(obj) if fields is None else dict(fields)
        return Sketch(
            head=text((name or self.type_name(type(obj)), "type"), "("),
            children=values.values(),
            tail=_CLOSE,
            labels=[text((key, "static" if key in static else "field")) for key in values],
            joint="=",
            steps=[Attribute(key) for key in values] if steps == "attribute" else steps,
            count=len(values),
            omitted_name="fields",
            note=_note(note),
            folded=text(folded) if isinstance(folded, str) else folded,
            color=color,
            opened=opened,
            unit=unit,
        )

    def sequence(
        self,
        obj: object,
        values: Iterable[Any],
        *,
        brackets: tuple[str, str] = ("[", "]"),
        name: str | None = None,
        steps: Steps = "index",
        count: int | None = None,
        color: str | None = None,
        note: str | Text | None = None,
        unit: str | None = None,
        opened: bool | None = None,
    ) -> Sketch:
        """An object as a row of items: `[first, second, ...]`.

        Args:
            obj: The object.
            values: Raw items; iterated only as far as there is room.
            brackets: What stands before and after the items.
            name: What to write before the brackets, such as `deque`; None for nothing.
            steps: How the items are reached from the object.
            count: How many there are; None to ask `values`.
            color: A CSS colour for this kind of object.
            note: A comment; `# ` is put before a string.
            unit: What arrays below count as in totals.
            opened: Whether it starts open or folded; None for where there is room.

        Returns:
            A sketch.
        """
        del obj  # in the signature so that all three builders read alike
        start, stop = brackets
        return Sketch(
            head=text((name, "type"), start) if name else text(start),
            children=values,
            tail=text(stop),
            steps=steps,
            count=safe_length(values) if count is None else count,
            note=_note(note),
            color=color,
            opened=opened,
            unit=unit,
        )

    def mapping(
        self,
        obj: object,
        pairs: Iterable[tuple[Any, Any]],
        *,
        brackets: tuple[str, str] = ("{", "}"),
        joint: str = ": ",
        name: str | None = None,
        steps: Steps = "key",
        count: int | None = None,
        color: str | None = None,
        note: str | Text | None = None,
        unit: str | None = None,
        opened: bool | None = None,
    ) -> Sketch:
        """An object as keys and values: `{key: value, ...}`.

        Args:
            obj: The object.
            pairs: Raw keys and values; iterated only as far as there is room.
            brackets: What stands before and after the pairs.
            joint: What stands between a key and its value.
            name: What to write before the brackets, such as `Counter`; None for nothing.
            steps: How the values are reached from the object.
            count: How many there are; None to ask `pairs`.
            color: A CSS colour for this kind of object.
            note: A comment; `# ` is put before a string.
            unit: What arrays below count as in totals.
            opened: Whether it starts open or folded; None for where there is room.

        Returns:
            A sketch.
        """
        sketch = self.sequence(
            obj,
            pairs,
            brackets=brackets,
            name=name,
            steps=steps,
            count=count,
            color=color,
            note=note,
            unit=unit,
            opened=opened,
        )
        sketch.paired = True
        sketch.joint = joint
        return sketch

    def array(
        self,
        obj: Any,
        adapter: "ArrayAdapter | None" = None,
        *,
        name: str | None = None,
        unit: str | None = None,
    ) -> ArraySketch:
        """An array, summarized or drawn together with all others of the rendering.

        Args:
            obj: The array.
            adapter: Who speaks for it; None for the adapter registered for its type.
            name: What to call it instead of its type.
            unit: What its values count as in totals; None for what the branch around it says.

        Returns:
            A sketch.

        Raises:
            TypeError: No adapter is registered for this type.
        """
        adapter = adapter or self._adapters.adapter_for(class_of(obj))
        if adapter is None:
            raise TypeError(
                f"Expected an array whose type has an adapter, got `{type_name(class_of(obj))}`; "
                "register one with `treeview.register_array`, or pass `adapter`."
            )
        return ArraySketch(obj, adapter, name or "", unit)

    def foreign(self, html: str, fallback: str | Text) -> Foreign:
        """Markup of an object's own, shown in a sandbox.

        Args:
            html: The markup.
            fallback: What stands for it in text.
        """
        return Foreign(html, text(fallback))


def instance_fields(obj: object) -> dict[str, Any]:
    """What an instance holds: its `__dict__`, then its slots that are set."""
    fields: dict[str, Any] = {}
    try:
        own: Any = guarded(object.__getattribute__, obj, "__dict__", doing="__dict__")
    except Damage:
        own = {}
    if class_of(own) is dict:
        fields.update({key: value for key, value in own.items() if class_of(key) is str})
    for name, descriptor in slot_descriptors(type(obj)):
        try:
            fields.setdefault(name, descriptor.__get__(obj))
        except AttributeError:
            continue
    return fields


def slot_descriptors(cls: type) -> list[tuple[str, Any]]:
    """The names and descriptors of the slots that instances of a class have, base class first."""
    found: list[tuple[str, Any]] = []
    for base in reversed(type_mro(cls)):
        namespace = type_namespace(base)
        # Classes written in C have such members too, which their own handlers show.
        if "__slots__" not in namespace:
            continue
        for name, member in namespace.items():
            if type(member) is MemberDescriptorType and not name.startswith("__"):
                found.append((name, member))
    return found


def _note(note: str | Text | None) -> Text:
    if note is None:
        return EMPTY
    return text((f"# {note}", "comment")) if isinstance(note, str) else note


_CLOSE = text(")")
