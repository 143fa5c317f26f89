"""Objects that raise, lie, or never end: the damage stays with them and is said."""

import pytest
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
