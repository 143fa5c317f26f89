"""The view: what handlers build with."""

from types import SimpleNamespace

import numpy as np
import pytest

import treeview
from treeview import Options, View
from treeview._document import Foreign, text
from treeview._paths import Attribute, Index, Key
from treeview._registry import default_registry
from treeview._view import instance_fields
from treeview._walk import build_document


def drawn(draw, **options):
    """The document and the text of an object that draws itself by a function of a view."""

    class Mine:
        a, b = 1, 2

        def __treeview__(self, view):
            return draw(self, view)

    chosen = Options(width=80, **options)
    mine = Mine()
    return build_document(mine, options=chosen), treeview.render_text(mine, width=80, **options)


def test_a_record_reads_like_a_call():
    root, shown = drawn(lambda obj, view: view.record(obj, {"a": [1], "b": 2}, note="3 parameters"))
    assert shown == "Mine(a=[1], b=2)  # 3 parameters"
    assert list(root.steps) == [Attribute("a"), Attribute("b")]


def test_a_record_without_fields_shows_what_the_instance_holds():
    holder = SimpleNamespace(x=1)
    root, shown = drawn(lambda obj, view: view.record(holder))
    assert shown == "SimpleNamespace(x=1)"


def test_settings_and_data_differ_in_style():
    root, _ = drawn(lambda obj, view: view.record(obj, {"w": 1, "size": 2}, static={"size"}))
    assert [label.spans for label in root.labels] == [(("w", "field"),), (("size", "static"),)]


def test_a_record_takes_name_colour_and_fold():
    root, shown = drawn(
        lambda obj, view: view.record(
            obj, {"a": 1}, name="Other", color="teal", folded="Other, folded", opened=False
        )
    )
    assert shown == "Other(a=1)"
    assert (root.color, root.opened, root.folded.plain) == ("teal", False, "Other, folded")


def test_a_sequence_reads_like_a_list():
    root, shown = drawn(
        lambda obj, view: view.sequence(obj, (n for n in "ab"), brackets=("(", ")"), name="Row")
    )
    assert shown == "Row('a', 'b')"
    assert list(root.steps) == [Index(0), Index(1)]


def test_a_mapping_reads_like_a_dictionary():
    root, shown = drawn(
        lambda obj, view: view.mapping(obj, [("a", 1), ((1, 2), [3])], name="Map", note="two")
    )
    assert shown == "Map{'a': 1, (1, 2): [3]}  # two"
    assert list(root.steps) == [Key("a"), Key((1, 2))]


def test_a_mapping_may_join_otherwise():
    _, shown = drawn(
        lambda obj, view: view.mapping(obj, [("a", 1)], brackets=("<", ">"), joint=" -> ")
    )
    assert shown == "<'a' -> 1>"


def test_steps_may_be_given_or_left_out():
    root, _ = drawn(lambda obj, view: view.record(obj, {"a": 1}, steps=[Key("k")]))
    assert list(root.steps) == [Key("k")]
    root, _ = drawn(lambda obj, view: view.sequence(obj, [1], steps=None))
    assert list(root.steps) == []


def test_children_may_be_nodes_and_sketches():
    _, shown = drawn(
        lambda obj, view: view.record(
            obj, {"a": view.text("words ", ("5", "number")), "b": view.sequence(obj, [1, 2])}
        )
    )
    assert shown == "Mine(a=words 5, b=[1, 2])"


def test_an_array_finds_its_adapter():
    _, shown = drawn(lambda obj, view: view.array(np.arange(3), name="Weights"))
    assert shown.startswith("Weights")
    assert "int64[3]" in shown


def test_an_array_without_an_adapter_is_an_error_that_says_what_to_do():
    view = View(Options(), default_registry, str)
    with pytest.raises(TypeError, match="has an adapter, got `str`; register one with"):
        view.array("no array")


def test_foreign_output_has_a_text_of_its_own():
    root, shown = drawn(lambda obj, view: view.foreign("<b>hi</b>", "a greeting"))
    assert shown == "a greeting"
    assert root == Foreign("<b>hi</b>", text("a greeting"))


def test_names_are_complete_in_roundtrips_only():
    import collections

    assert View(Options(), default_registry, str).type_name(collections.deque) == "deque"
    roundtrip = View(Options(roundtrip=True), default_registry, str)
    assert roundtrip.type_name(collections.deque) == "collections.deque"
    assert roundtrip.type_name(type("Lost", (), {})) == "<unreachable>.Lost"


def test_instance_fields_come_from_dictionaries_and_slots():
    class Base:
        __slots__ = ("a", "never")

    class Child(Base):
        def __init__(self):
            self.b, self.a = 2, 1

    assert instance_fields(Child()) == {"b": 2, "a": 1}
    assert instance_fields(3) == {}


def test_each_class_has_a_colour_of_its_own_that_pages_accept():
    from treeview._markup import css_color

    view = View(Options(), default_registry, lambda obj: obj)
    colors = [view.type_color(cls) for cls in (int, str, Options, View)]
    assert len(set(colors)) == 4
    assert colors == [view.type_color(cls) for cls in (int, str, Options, View)]
    assert all(css_color(color) == color for color in colors)
