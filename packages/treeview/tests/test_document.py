"""Document nodes: what they promise to every output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treeview._document import (
    Branch,
    IndexSteps,
    KeySteps,
    NameSteps,
    Text,
    printable,
    text,
)
from treeview._paths import Attribute, Index, Key


@given(st.text(st.characters()))
def test_text_never_carries_what_cannot_be_seen(raw):
    shown = Text(((raw, "plain"),)).plain
    assert shown.isprintable()
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\tb\n", "a\\tb\\n"),
        ("\u202eevil", "\\u202eevil"),
        ("\ud800", "\\ud800"),
        ("\x1b[31m", "\\x1b[31m"),
        ("naïve 漢字", "naïve 漢字"),
    ],
)
def test_invisible_characters_become_their_escapes(raw, shown):
    assert printable(raw) == shown


def test_text_joins_strings_spans_and_texts():
    joined = text("a", ("b", "number"), text("c", ("d", "type")))
    assert joined.spans == (("a", "plain"), ("b", "number"), ("c", "plain"), ("d", "type"))
    assert joined.plain == "abcd"


def test_texts_are_equal_if_they_read_and_look_the_same():
    assert text("a", ("b", "number")) == Text((("a", "plain"), ("b", "number")))
    assert text("a") != text(("a", "number"))
    assert text("a") != (("a", "plain"),)
    assert len({text("a"), text("a"), text("b")}) == 2
    assert repr(text("a")) == "Text((('a', 'plain'),))"


def test_a_branch_is_written_without_what_is_below():
    inner = Branch(text("{"), [1])
    assert repr(Branch(text("f("), [inner, 2])) == "<Branch 'f(' of 2>"


def test_steps_are_made_when_they_are_asked_for():
    assert list(IndexSteps(3)) == [Index(0), Index(1), Index(2)]
    assert list(NameSteps(["a", "b"])) == [Attribute("a"), Attribute("b")]
    assert list(KeySteps(["x", 1])) == [Key("x"), Key(1)]
    assert IndexSteps(3)[-1] == Index(2)
    assert (len(IndexSteps(3)), len(NameSteps("ab")), len(KeySteps("abc"))) == (3, 2, 3)
    with pytest.raises(IndexError, match="out of range"):
        IndexSteps(3)[3]
