"""Objects that raise, lie, or never end: the damage stays with them and is said."""

import enum
import types

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

import treeview


def boom(*_):
    raise ValueError("boom")


def hostile(**methods):
    return type("Hostile", (), methods)()


class BadClass:
    @property
    def __class__(self):
        raise RuntimeError("no class")


class LyingClass:
    @property
    def __class__(self):
        return dict


class BadDict(dict):
    items = keys = values = __iter__ = __getitem__ = __len__ = boom


class BadList(list):
    __iter__ = __getitem__ = __len__ = boom


class BadTuple(tuple):
    __iter__ = __getitem__ = __len__ = boom


class BadSet(set):
    __iter__ = __contains__ = __len__ = boom


class BadStr(str):
    __str__ = __len__ = __getitem__ = __add__ = __radd__ = isprintable = boom


class SlyString(str):
    def isprintable(self):
        return True

    def __str__(self):
        return "sly"


class BadKey:
    __hash__ = object.__hash__
    __eq__ = __repr__ = boom


class BadError(Exception):
    __str__ = __repr__ = boom


class Raising:
    def __repr__(self):
        raise BadError


class BadMeta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(f"no {name}")

    __repr__ = __hash__ = __eq__ = __instancecheck__ = boom


class BadlyMade(metaclass=BadMeta):
    pass


class Endless:
    def __repr__(self):
        return repr(self)


class Grows:
    def __treeview__(self, view):
        return view.record(self, {"next": Grows(), "list": [Grows()]})


class ReturnsItself:
    def __treeview__(self, view):
        return view.sequence(self, [self])


class Anything:
    def __getattr__(self, name):
        return Anything()

    def __repr__(self):
        return "Anything()"


class NotText:
    def __repr__(self):
        return 5


class Surrogates:
    def __repr__(self):
        return "\ud800\u202e\x00</script>"


class SlyRepr:
    def __repr__(self):
        return SlyString("line\u202e")


class LongLength(list):
    def __len__(self):
        return 2**62


class NegativeLength:
    def __len__(self):
        return -1


class MutatingDict(dict):
    def __repr__(self):
        self[len(self)] = 1
        return "x"


class DictProperty:
    __dict__ = property(boom)


TABLE = {
    "repr raises": hostile(__repr__=boom),
    "repr is no string": NotText(),
    "repr never ends": Endless(),
    "repr with bad text": Surrogates(),
    "repr of a sly string": SlyRepr(),
    "repr raises a bad error": Raising(),
    "getattr raises": hostile(__getattr__=boom),
    "getattr invents": Anything(),
    "getattribute raises": hostile(__getattribute__=boom),
    "class raises": BadClass(),
    "class lies": LyingClass(),
    "eq raises": hostile(__eq__=boom, __hash__=None),
    "bool raises": hostile(__bool__=boom),
    "len raises": hostile(__len__=boom),
    "iter raises": hostile(__iter__=boom),
    "dir raises": hostile(__dir__=boom),
    "format raises": hostile(__format__=boom, __str__=boom),
    "html raises": hostile(_repr_html_=boom, _repr_mimebundle_=boom),
    "treeview raises": hostile(__treeview__=boom),
    "treeview is a string": hostile(__treeview__="text"),
    "slots": hostile(__slots__=("a", "b")),
    "dict property": DictProperty(),
    "dict": BadDict(a=1),
    "list": BadList([1]),
    "tuple": BadTuple([1]),
    "set": BadSet([1]),
    "str": BadStr("text"),
    "sly str": SlyString("a\u202eb"),
    "key": {BadKey(): 1},
    "keys": {BadKey(): 1, (BadKey(), 1): 2, frozenset([BadKey()]): 3},
    "metaclass": BadlyMade(),
    "metaclass type": BadlyMade,
    "endless children": Grows(),
    "its own child": ReturnsItself(),
    "lying length": LongLength([1, 2]),
    "negative length": NegativeLength(),
    "mutates": MutatingDict(a=1),
    "huge int": 10**5000,
    "huge negative int": -(10**5000),
    "odd strings": ["\ud800", "\x00", "\u202e", "</script>", "\x1b[2J", "\r\n" * 100],
    "odd keys": {"\ud800": 1, "\x1b[2J": 2, "x" * 10_000: 3, "\n" * 300: 4},
    "bad error": BadError(),
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("options", [{}, {"roundtrip": True, "depth": 6}, {"totals": True}])
def test_nothing_raises_and_the_neighbours_are_shown(name, options):
    if name == "endless children":
        options = {**options, "depth": 6, "max_nodes": 300}
    value = {"before": "first neighbour", "hostile": TABLE[name], "after": [1, 2, 3]}
    shown = treeview.render_text(value, width=80, max_lines=None, seconds=600, **options)
    assert "'before': 'first neighbour'" in shown
    assert "'after': [1, 2, 3]" in shown
    assert all(line.isprintable() for line in shown.splitlines())
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("repr raises", "Hostile()  # __repr__ raised ValueError: boom"),
        ("repr is no string", "NotText()  # __repr__ raised TypeError: __repr__ returned non-string (type int)"),
        ("repr never ends", "Endless()  # __repr__ raised RecursionError: maximum recursion depth exceeded"),
        ("repr raises a bad error", "Raising()  # __repr__ raised BadError"),
        ("repr with bad text", "\\ud800\\u202e\\x00</script>"),
        ("repr of a sly string", "line\\u202e"),
        ("getattr invents", "Anything()"),
        ("getattribute raises", "Hostile()"),
        ("class raises", "BadClass()"),
        ("class lies", "LyingClass()"),
        ("dict", "BadDict({'a': 1})"),
        ("list", "BadList([1])"),
        ("tuple", "BadTuple((1,))"),
        ("set", "BadSet({1})"),
        ("str", "BadStr('text')"),
        ("key", "{BadKey(): 1}"),
        ("metaclass", "BadlyMade()"),
        ("its own child", "[<back to the ReturnsItself at the root>]"),
        ("lying length", "LongLength([1, 2])"),
    ],
)  # fmt: skip
def test_the_damage_is_said(name, text):
    shown = treeview.render_text(TABLE[name], width=200)
    assert shown.startswith(text)


actions = st.sampled_from(
    [
        boom,
        lambda *_: None,
        lambda *_: 5,
        lambda *_: "text\n\ud800",
        lambda *_: [1, [2]],
        lambda self, *_: self,
        lambda *_: NotImplemented,
        lambda *_: iter(range(10**9)),
    ]
)
methods = st.sampled_from(
    "__repr__ __str__ __len__ __iter__ __getitem__ __getattr__ __getattribute__ __eq__ "
    "__bool__ __contains__ __dir__ __treeview__ items keys values _repr_html_ __class__".split()
)


@settings(max_examples=300)
@given(
    st.sampled_from([object, dict, list, tuple, set, str, int, float]),
    st.dictionaries(methods, actions, max_size=5),
)
def test_no_mixture_of_bad_methods_raises(base, namespace):
    if "__eq__" in namespace:
        namespace["__hash__"] = object.__hash__
    value = type("Mixture", (base,), namespace)()
    shown = treeview.render_text([value, {"key": value}, 1], width=80, max_nodes=2000)
    assert shown.startswith("[")


graphs = st.lists(
    st.tuples(
        st.sampled_from(["list", "dict", "object"]), st.lists(st.integers(0, 11), max_size=4)
    ),
    min_size=1,
    max_size=12,
)


class Node:
    pass


def members(obj):
    return obj.values() if isinstance(obj, dict) else obj


@settings(max_examples=200)
@given(graphs, st.integers(5, 90), st.booleans())
def test_any_graph_of_objects_is_shown(shape, width, totals):
    made = [{"list": list, "dict": dict, "object": Node}[kind]() for kind, _ in shape]
    for obj, (_, links) in zip(made, shape):
        targets = [made[link % len(made)] for link in links]
        if isinstance(obj, list):
            obj.extend(targets)
        elif isinstance(obj, dict):
            obj.update(enumerate(targets))
        else:
            obj.__dict__.update((f"a{i}", target) for i, target in enumerate(targets))
    shown = treeview.render_text(made[0], width=width, totals=totals, max_lines=None)
    reachable, todo = {}, [made[0]]
    while todo:
        obj = todo.pop()
        if id(obj) not in reachable:
            reachable[id(obj)] = obj
            todo.extend(vars(obj).values() if isinstance(obj, Node) else members(obj))
    edges = sum(len(vars(obj) if isinstance(obj, Node) else obj) for obj in reachable.values())
    # Every object is written once; whatever else leads to it is a reference.
    assert shown.count("<same ") + shown.count("<back ") <= edges - len(reachable) + 1
    assert len(shown.splitlines()) <= edges + len(reachable) + 1


# Whole pages, and what only shows there.


class Shouts:
    """Markup wherever an object can put text."""

    def __init__(self):
        setattr(self, MARKUP, MARKUP)

    def __repr__(self):
        return MARKUP


class Sour:
    def __getattr__(self, name):
        raise ValueError(MARKUP)

    __repr__ = __getattr__


MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'"
Shouting = enum.Enum("Shouting", {"X": "a\nb"})
PLACES = {
    "value": MARKUP,
    "key": {MARKUP: 1},
    "repr": Shouts(),
    "error": Sour(),
    "attribute": types.SimpleNamespace(**{MARKUP: 1}),
    "class": type(MARKUP, (), {"__repr__": object.__repr__})(),
    "type": type(MARKUP, (), {}),
    "note": ValueError(MARKUP),
    "function": types.FunctionType((lambda: 0).__code__.replace(co_filename=MARKUP), {}, MARKUP),
    "module": types.ModuleType(MARKUP),
    "axis": np.array([(1,)] * 20, dtype=[(MARKUP, "i4")]),
    "text array": np.array([MARKUP] * 3),
    "enum": {Shouting.X: Shouting.X},
}


def assert_no_markup(page):
    parsed = BeautifulSoup(page, "html.parser")
    assert parsed.find("img", onerror=True) is None
    assert all("alert(1)" not in script.text for script in parsed.find_all("script"))
    assert all(not name.startswith("on") for tag in parsed.find_all(True) for name in tag.attrs)
    page.encode("utf-8")


@pytest.mark.parametrize("name", PLACES)
def test_no_text_of_an_object_becomes_markup(name):
    for options in ({}, {"autovisualize": True}, {"roundtrip": True}):
        assert_no_markup(treeview.render_html([PLACES[name], [PLACES[name]] * 2], **options))


@pytest.mark.parametrize("name", TABLE)
def test_no_hostile_object_breaks_a_page(name):
    options = {"depth": 6, "max_nodes": 300} if name == "endless children" else {}
    value = {"before": "first neighbour", "hostile": TABLE[name], "after": "last neighbour"}
    page = treeview.render_html(value, seconds=600, **options)
    shown = BeautifulSoup(page, "html.parser").text
    assert "first neighbour" in shown
    assert "last neighbour" in shown
    assert_no_markup(page)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("method", ["__repr__", "__treeview__", "_repr_html_"])
def test_requests_to_stop_pass_through(stop, method):
    def halt(*_):
        raise stop

    with pytest.raises(stop):
        treeview.render_text([type("Halts", (), {method: halt})()])


def nested(levels, wrap):
    value = 1
    for _ in range(levels):
        value = wrap(value)
    return value


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: [value],
        lambda value: {"a": value},
        lambda value: types.SimpleNamespace(a=value),
    ],
    ids=["list", "dict", "object"],
)
def test_any_depth_is_shown(wrap):
    deep = nested(5_000, wrap)
    assert treeview.render_text(deep, max_lines=None).count("\n") > 1000
    assert treeview.render_html(deep)


def test_shared_objects_cost_no_more_than_themselves():
    value = nested(60, lambda value: [value, value])
    assert len(treeview.render_text(value, max_lines=None)) < 10_000
    assert len(treeview.render_html(value)) < 100_000


def test_cycles_end():
    listed, mapped, spaced = [], {}, types.SimpleNamespace()
    listed.append(listed)
    mapped["self"] = mapped
    spaced.self = spaced
    assert treeview.render_text(listed) == "[<back to the list at the root>]"
    assert treeview.render_text(mapped) == "{'self': <back to the dict at the root>}"
    assert treeview.render_text(spaced) == (
        "SimpleNamespace(self=<back to the SimpleNamespace at the root>)"
    )


def test_a_million_keys_and_a_million_lines_are_counted_and_not_shown():
    keys = treeview.render_text(dict.fromkeys(range(1_000_000)))
    assert "999," in keys
    text = treeview.render_text("line\n" * 200_000)
    assert "990,000 more characters" in text or "more lines" in text


# Arrays of every kind.

OBJECTS = np.empty(3, object)
OBJECTS[0] = Sour()
HUGE = np.iinfo(np.int64)
ARRAYS = {
    "int64": (np.array([HUGE.min, HUGE.max]), "[-9223372036854775808, 9223372036854775807]"),
    "uint64": (np.array([0, 2**64 - 1], np.uint64), "[0, 18446744073709551615]"),
    "float64": (np.array([1e308, 5e-324]), "1e+308"),
    "longdouble": (np.array([1.5, 2.5], np.longdouble), "[1.5, 2.5]"),
    "float16": (np.ones((3, 9), np.float16), "float16[3, 9] all 1"),
    "complex": (np.array([1 + 2j, 0]), "[1+2j, 0+0j]"),
    "bool": (np.zeros((4, 4), bool), "false:16"),
    "structured": (np.zeros(3, [("a", "i4")]), "{a: int32}[3]"),
    "object": (OBJECTS, "object[3]"),
    "text": (np.array(["a", "b"]), "['a', 'b']"),
    "bytes": (np.array([b"a"]), "[b'a']"),
    "void": (np.zeros(2, "V3"), "V3[2]"),
    "dates": (np.array(["2020-01-01", "NaT"], "M8[D]"), "2020-01-01"),
    "durations": (np.arange(20, dtype="m8[s]"), "[0 seconds, 19 seconds]"),
    "no values": (np.zeros((0, 3)), "float64[0, 3]"),
    "all nan": (np.full((3, 9), np.nan), "nan:27"),
    "all infinite": (np.full((3, 9), -np.inf), "-inf:27"),
    "masked": (np.ma.array(np.arange(20), mask=np.arange(20) > 4), "[0, 4]"),
    "strided": (np.arange(100).reshape(10, 10)[::3, ::-2], "int64[4, 5]"),
    "fortran": (np.asfortranarray(np.ones((3, 9))), "all 1"),
    "repeated": (np.broadcast_to(np.float32(2), (10_000, 10_000)), "all 2"),
    "scalar array": (np.array(3.5), "float64[] 3.5"),
    "scalar": (np.float32(1.5), "1.5"),
    "big-endian": (np.array([1, 2], ">i4"), "[1, 2]"),
    "many axes": (np.ones((1,) * 32), "float64[1, 1"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_show_the_truth_and_nothing_else(name):
    array, truth = ARRAYS[name]
    assert truth in treeview.render_text(array, width=200)
    for options in ({"autovisualize": True}, {"roundtrip": True}, {"statistics": False}):
        row = {"before": "first neighbour", "hostile": array}
        assert "first neighbour" in treeview.render_text(row, width=80, **options)
        page = treeview.render_html(row, **options)
        assert "first neighbour" in page
        assert_no_markup(page)


def test_an_array_of_a_class_with_broken_methods_is_shown():
    methods = dict.fromkeys(("__repr__", "__len__", "__iter__", "__getitem__", "mean"), boom)
    array = np.arange(30.0).view(type("Broken", (np.ndarray,), methods))
    assert treeview.render_text([array]) == "[Broken float64[30] ≈14 ±8.7 [0, 29] zero:1]"
    assert "data:image/png" in treeview.render_html([array], autovisualize=True)
