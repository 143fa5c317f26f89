"""Text: plain, coloured, roundtrip."""

import collections
import datetime
import decimal
import enum
import math
import pathlib
import re
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treeview
from treeview import Options
from treeview._text import document_text, terminal_width
from treeview._walk import build_document

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def document(obj, **options):
    chosen = Options(**options)
    return document_text(build_document(obj, options=chosen), chosen)


def test_colours_are_codes_around_the_same_text():
    value = {"a": [1, None, "x"], "b": SimpleNamespace(q=1.5)}
    plain, colored = document(value, width=60), document(value, width=60, color=True)
    assert "\x1b" not in plain
    assert "\x1b[36m1\x1b[0m" in colored
    assert ANSI.sub("", colored) == plain


def test_no_colours_unless_they_are_asked_for():
    assert "\x1b" not in document([1], color=None)
    assert "\x1b" not in document([1], color=False)


def test_codes_from_objects_never_reach_the_terminal():
    class Sly:
        def __repr__(self):
            return "\x1b[2J\x07"

    assert document(["\x1b[2J", Sly()], width=60) == "['\\x1b[2J', \\x1b[2J\\x07]"


def test_the_width_is_that_of_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "33")
    assert terminal_width() == 33
    assert max(map(len, document(["word"] * 20).splitlines())) <= 33
    monkeypatch.setenv("COLUMNS", "0")
    assert terminal_width() >= 1


def test_a_line_number_is_a_moderate_default():
    assert len(document([[i] * 40 for i in range(500)], width=80).splitlines()) <= 41


class Color(enum.Enum):
    RED = 1


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: object = None


@dataclass
class Layer:
    name: str
    sizes: list = field(default_factory=list)
    hidden: int = field(default=3, repr=False)


@dataclass
class Derived:
    size: int
    double: int = field(init=False)

    def __post_init__(self):
        self.double = 2 * self.size


atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**90, 10**120)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=200)
    | st.just(...)
)
hashable = st.recursive(
    atoms, lambda inner: st.tuples(inner) | st.frozensets(inner, max_size=3), max_leaves=5
)
builtin_data = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(hashable, inner, max_size=5)
        | st.sets(hashable, max_size=4)
        | st.frozensets(hashable, max_size=4)
    ),
    max_leaves=30,
)


@settings(max_examples=300)
@given(builtin_data, st.integers(1, 120))
def test_roundtrip_text_evaluates_to_an_equal_object(value, width):
    written = document(value, roundtrip=True, width=width)
    again = eval(written)
    assert again == value
    assert type(again) is type(value)


NAMES = {
    "collections": collections,
    "datetime": datetime,
    "decimal": decimal,
    "fractions": __import__("fractions"),
    "pathlib": pathlib,
    "types": __import__("types"),
}


@pytest.mark.parametrize(
    "value",
    [
        collections.OrderedDict(a=1, b=[2]),
        collections.defaultdict(list, {"a": [1]}),
        collections.Counter("abca"),
        collections.deque([1, 2], maxlen=3),
        collections.deque([1, [2]]),
        collections.ChainMap({1: 2}, {3: 4}),
        collections.UserDict({1: 2}),
        collections.UserList([1, 2]),
        MappingProxyType({1: 2}),
        SimpleNamespace(a=1, b=[2]),
        datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC),
        datetime.timedelta(days=1, seconds=3),
        decimal.Decimal("1.50"),
        Fraction(1, 3),
        pathlib.PurePosixPath("a/b"),
        range(3, 10, 2),
        slice(1, None),
        bytearray(b"abc" * 100),
        list(range(5000)),
        "word " * 5000,
        {(1, (2, "three")): 4},
        [int, dict, math.sin, len],
    ],
    ids=lambda value: type(value).__name__,
)
def test_roundtrip_text_of_the_standard_library_evaluates_to_an_equal_object(value):
    written = document(value, roundtrip=True, width=40)
    assert eval(written, {**NAMES, "math": math}) == value


def test_roundtrip_text_names_what_is_defined_elsewhere():
    for name in ("Color", "Mode", "Point", "Layer", "Derived"):
        globals()[name].__module__ = "__main__"
    main = __import__("sys").modules["__main__"]
    kept = {}
    for name in ("Color", "Mode", "Point", "Layer", "Derived"):
        kept[name] = getattr(main, name, None)
        setattr(main, name, globals()[name])
    try:
        value = [Color.RED, Mode.READ | Mode.WRITE, Point(1), Layer("a", [2])]
        written = document(value, roundtrip=True, width=200)
    finally:
        for name, old in kept.items():
            delattr(main, name) if old is None else setattr(main, name, old)
    assert written == (
        "[Color.RED, Mode.READ | Mode.WRITE, Point(x=1, y=None), "
        "Layer(name='a', sizes=[2], hidden=3)]"
    )
    assert eval(written) == value


def test_special_floats_evaluate_too():
    values = eval(document([math.inf, -math.inf, math.nan, complex(1, math.inf)], roundtrip=True))
    assert values[:2] == [math.inf, -math.inf]
    assert math.isnan(values[2])
    assert values[3] == complex(1, math.inf)


def test_objects_that_are_shared_are_written_again_but_not_without_end():
    shared = [1, {"a": 2}]
    value = [shared, shared, {"k": shared}]
    assert eval(document(value, roundtrip=True)) == value
    node = [0]
    for _ in range(60):
        node = [node, node]
    with pytest.raises(SyntaxError):
        eval(document(node, roundtrip=True))


class Plain:
    def __init__(self):
        self.a = 1


@pytest.mark.parametrize(
    "value",
    [Plain(), object(), lambda: 0, Derived(1), (i for i in "abc"), print.__self__],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_rebuilt_is_no_python(value):
    with pytest.raises(SyntaxError):
        compile(document([value], roundtrip=True), "", "eval")


def test_cycles_are_no_python():
    loop = [1]
    loop.append(loop)
    with pytest.raises(SyntaxError):
        eval(document(loop, roundtrip=True))


def test_a_render_ends_without_a_newline():
    assert not treeview.render_text([1] * 100).endswith("\n")


def test_parts_from_the_abbreviation_threshold_on_are_their_name_and_size():
    tree = {"a": [1, 2, 3], "b": {"c": [4], "d": []}, "e": SimpleNamespace(x=[5])}
    assert document(tree, abbreviation_threshold=1, width=80) == (
        "{\n  'a': [… 3 items],\n  'b': {… 2 items},\n  'e': SimpleNamespace(… 1 field),\n}"
    )
    assert document(tree["b"], abbreviation_threshold=1, width=80) == (
        "{\n  'c': [… 1 item],\n  'd': [],\n}"
    )
    assert document(tree, abbreviation_threshold=3) == document(tree)


def test_html_opens_what_is_abbreviated():
    html = treeview.render_html({"a": ["inside"]}, abbreviation_threshold=1)
    assert "… 1 item" in html
    assert "'inside'" in html


def test_a_roundtrip_abbreviates_nothing():
    tree = [[1, [2, 3]]]
    assert document(tree, abbreviation_threshold=1, roundtrip=True) == "[[1, [2, 3]]]"
