"""The columns that the script reads: small, complete, and nothing in them that ends a script."""

import base64
import json
import zlib

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

import treeview
from treeview._document import (
    Branch,
    Foreign,
    IndexSteps,
    KeySteps,
    NameSteps,
    Picture,
    Reference,
    text,
)
from treeview._paths import Attribute, Key, Opaque
from treeview._payload import Payload, payload_element

HOSTILE = ["</script><script>alert(1)</script>", "<!--", "\u2028", "\ud800", "\x00", "&lt;"]


def read(root, opened=(), **settings):
    """The header and the lines of a payload."""
    counts = {id(branch): len(branch.values) for branch in opened}
    first, *lines = Payload(root, counts).text(**settings).split("\n")
    return json.loads(first), lines


def of(value):
    options = {"max_nodes": 10**8, "max_items": 10**8, "max_lines": None}
    return read(treeview.render(value, **options).document)


def test_scalars_are_lines_as_python_writes_them():
    header, lines = of([1, "a\nb", None, 0.5, b"x", ...])
    assert lines == ["#0", "1", r"'a\nb'", "None", "0.5", "b'x'", "Ellipsis"]
    assert header["shapes"] == [
        {
            "head": ["[", ""],
            "tail": ["]", ""],
            "count": 6,
            "steps": "i",
            "separator": ",",
            "rows": 1,
        }
    ]


def test_branches_that_look_alike_share_a_shape():
    header, lines = of([{"a": 1, "b": index} for index in range(100)])
    assert len(header["shapes"]) == 2
    assert lines.count("#1") == 100
    assert header["shapes"][1]["labels"] == "'a'\n'b'"


def test_labels_that_are_equal_but_not_the_same_are_kept_apart():
    header, _ = of([{1: 0}, {True: 0}, {1.0: 0}])
    assert [shape["labels"] for shape in header["shapes"][1:]] == ["1", "True", "1.0"]


# Longer strings are branches of their pieces.
WORDS = st.text(max_size=99)


@given(WORDS | st.binary() | st.floats() | st.integers() | st.complex_numbers())
def test_no_scalar_looks_like_a_branch_or_takes_two_lines(value):
    _, lines = read(treeview.render(value).document)
    assert len(lines) == 1
    assert lines[0] in (repr(value), "@0")


STEPS = [
    (IndexSteps(2), "i"),
    (KeySteps(["a", "b"]), "k"),
    ([Key("a"), Key("b")], "k"),
    ([Key("a"), Key("x")], ["['a']", "['x']"]),
    ([Attribute("a"), Opaque("member")], [".a", None]),
    ((), None),
]


@pytest.mark.parametrize(("steps", "rule"), STEPS)
def test_paths_follow_a_rule_where_there_is_one(steps, rule):
    header, _ = read(Branch(text("{"), [1, 2], text("}"), labels=["a", "b"], steps=steps))
    assert header["shapes"][0].get("steps") == rule


def test_names_of_attributes_are_steps():
    labels = [text(("a", "field")), text(("b", "field"))]
    header, _ = read(Branch(text("M("), [1, 2], labels=labels, steps=NameSteps(["a", "b"])))
    assert header["shapes"][0]["steps"] == "a"
    assert header["shapes"][0]["labels"] == [["a", "f"], ["b", "f"]]


def test_keys_that_no_literal_writes_have_no_path():
    header, _ = read(Branch(text("{"), [1], text("}"), labels=["k"], steps=KeySteps([object()])))
    assert header["shapes"][0]["steps"] == [None]


def test_open_branches_say_how_many_children_are_in_view():
    inner = Branch(text("["), [1, 2, 3], text("]"))
    header, _ = read(Branch(text("["), [inner], text("]")), opened=[inner])
    assert header["opened"] == [1, 3]


def test_pictures_references_and_rich_output_are_leaves_of_their_own():
    picture = Picture(np.zeros((2, 2, 4), np.uint8), 1, "two by two")
    foreign = Foreign("<p>", text("rich"))
    root = Branch(text("["), [picture, foreign, Reference(3, text("<same>")), picture], text("]"))
    payload = Payload(root, {})
    header, lines = read(root)
    assert lines == ["#0", "@0", "@1", "@2", "@0"]
    assert [leaf.get("view") for leaf in header["leaves"]] == [0, 1, None]
    assert header["leaves"][2] == {"text": ["<same>", ""], "to": 3}
    assert payload.views == {0: picture, 1: foreign}


def test_wide_and_combining_characters_are_listed():
    header, _ = of(["世界", "a\u0301", "é", "plain"])
    assert header["wide"] == "世界"
    assert header["zero"] == "\u0301"
    assert "wide" not in of(["é"])[0]


@pytest.mark.parametrize("count", [1, 500])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_ends_the_script_element(hostile, count):
    root = Branch(text(hostile), [text(hostile)] * count, labels=[text(hostile)] * count)
    written = Payload(root, {}).text()
    element = payload_element(written)
    soup = BeautifulSoup(element, "html.parser")
    assert [one.name for one in soup.find_all()] == ["script"]
    data = json.loads(soup.script.string)
    if soup.script.has_attr("data-packed"):
        data = zlib.decompress(base64.b64decode(data)).decode()
    assert data == written


def test_a_tree_of_many_numbers_takes_few_bytes():
    value = {f"part {i}": [list(range(j, j + 10)) for j in range(100)] for i in range(100)}
    root = treeview.render(value, max_nodes=10**8, max_items=10**8, max_lines=None).document
    assert len(payload_element(Payload(root, {}).text())) < 40_000


def test_totals_stand_beside_their_branches():
    header, _ = of([{"a": np.zeros((3, 4), np.float32)}])
    assert header["totals"][:2] == [0, "12 values, 48 B"]
