"""Values that stand in a document as themselves."""

import pytest

import treeview
from treeview import Options, Registry
from treeview._atoms import SHORT, AtomCheck
from treeview._document import text
from treeview._text import document_text
from treeview._walk import build_document

LONG = "x" * (SHORT + 1)
NAN = float("nan")


def check(*, exact=False, room=1000):
    return AtomCheck(exact=exact, room=room)


@pytest.mark.parametrize(
    ("values", "pending"),
    [
        ([], []),
        ([1, 2], []),
        ([1, 10**100], [1]),
        ([-(10**100), 1], [0]),
        ([1, None, True, 0.5, 1j, "a", b"b", ..., text("t")], []),
        ([1, [], "a", {}], [1, 3]),
        ([[], {}], [0, 1]),
        (["a", LONG, LONG.encode()], [1, 2]),
        ([NAN, 1.0], []),
    ],
)
def test_all_but_short_atoms_and_nodes_have_to_be_visited(values, pending):
    assert check().pending(values) == pending


@pytest.mark.parametrize(
    ("value", "settled"),
    [
        (1.5, True),
        (NAN, False),
        (float("inf"), False),
        (1 + 2j, True),
        (1 - 2j, True),
        (complex(-0.0, 1), False),
        (complex(1, -0.0), False),
    ],
)
def test_what_does_not_evaluate_to_itself_is_visited_where_that_matters(value, settled):
    assert (check(exact=True).pending([value]) == []) is settled
    assert not settled or eval(repr(value)) == value


def test_a_subclass_of_an_atom_has_to_be_visited():
    class Count(int):
        pass

    assert check().pending([1, Count(2)]) == [1]


class BrokenMeta(type):
    def __hash__(cls):
        raise RuntimeError


class Broken(metaclass=BrokenMeta):
    pass


def test_types_that_cannot_be_hashed_have_to_be_visited():
    assert check().pending([1, Broken(), "a"]) == [1]
    assert not check().are_labels([Broken()])


def test_the_text_of_atoms_is_counted():
    atoms = check(room=100)
    atoms.pending(["abc", 1, b"de", LONG])
    assert atoms.room == 95
    assert atoms.are_labels(["abc", "de"])
    assert atoms.room == 90


def test_texts_and_short_strings_are_labels():
    atoms = check()
    assert atoms.are_labels([text("a"), text("b")])
    assert atoms.are_labels(["a" * SHORT, "b"])
    assert not atoms.are_labels(["a", LONG])
    assert not atoms.are_labels(["a", 1])


def test_a_handler_for_lists_is_asked_about_lists_of_atoms():
    assert treeview.render_text([[1], [2]]) == "[[1], [2]]"
    treeview.register(list, lambda obj, view: view.text(f"{len(obj)} items"))
    try:
        assert treeview.render_text({"a": [1, 2]}) == "{'a': 2 items}"
    finally:
        treeview.unregister(list)
    assert treeview.render_text({"a": [1, 2]}) == "{'a': [1, 2]}"


def test_a_rule_is_asked_about_lists_of_atoms():
    asked = []
    rule = lambda value, path: asked.append(path)  # noqa: E731
    treeview.render({"a": [1, 2], "b": {"c": 1}}, autovisualize=rule)
    assert asked == ["", "['a']", "['b']"]


class Mute:
    """A handler of which nothing can be learnt but what it draws."""

    def __call__(self, obj, view):
        return view.text("drawn")

    def __getattribute__(self, name):
        raise RuntimeError(name)


def test_nothing_is_asked_of_a_handler_but_to_draw():
    registry = Registry()
    registry.load_plugins()
    registry.register(list, Mute())
    assert document_text(build_document([[1]], registry=registry), Options()) == "drawn"
    assert document_text(build_document((3, [1]), registry=registry), Options()) == "(3, drawn)"
