"""The law of paths: what a path offers to evaluate is the object that stands there."""

import collections
import dataclasses
import types
import typing

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import treeview
from treeview._document import ATOM_TYPES, Branch, Reference, Text
from treeview._paths import key_path, python_path
from treeview._walk import build_document


class Point(typing.NamedTuple):
    x: object
    y: object = None


@dataclasses.dataclass
class Layer:
    weights: object
    bias: object = None


class Plain:
    __slots__ = ("__dict__", "slot")

    def __init__(self, value):
        self.value = value
        self.slot = [value]


class Items(list):
    pass


def leaves_with_paths(root):
    """Every leaf of a document with its path, as far as paths lead."""
    pending = [(root, ())]
    while pending:
        node, path = pending.pop()
        if not isinstance(node, Branch):
            yield node, path
            continue
        for index, value in enumerate(node.values):
            if index < len(node.steps):
                pending.append((value, (*path, node.steps[index])))


keys = (
    st.integers() | st.text(max_size=5) | st.booleans() | st.none() | st.tuples(st.text(max_size=3))
)
keys |= st.binary(max_size=3) | st.floats(allow_nan=False) | st.sampled_from([int, ...])
data = st.recursive(
    st.integers(-999, 999) | st.text(max_size=5) | st.none() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.lists(inner, max_size=4).map(Items)
        | st.lists(inner, max_size=4).map(collections.deque)
        | st.lists(inner, max_size=3).map(collections.UserList)
        | st.sets(st.integers(), max_size=3)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=3).map(collections.OrderedDict)
        | st.dictionaries(keys, inner, max_size=3).map(lambda d: collections.defaultdict(list, d))
        | st.dictionaries(keys, inner, max_size=3).map(types.MappingProxyType)
        | st.dictionaries(st.sampled_from("ab"), inner).map(lambda d: types.SimpleNamespace(**d))
        | st.builds(Point, inner, inner)
        | st.builds(Layer, inner, inner)
        | st.builds(Plain, inner)
        | inner.map(lambda value: [value, {"again": value}])
        | inner.map(lambda value: ValueError(value))
    ),
    max_leaves=20,
)


@settings(max_examples=80, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data)
def test_a_path_evaluates_to_what_stands_there(value):
    for node, path in leaves_with_paths(build_document(value)):
        written = python_path(path)
        if written is None:
            continue
        there = eval(f"root{written}", {"root": value, "Ellipsis": ...})
        if type(node) in ATOM_TYPES:
            assert type(there) is type(node)
            assert there == node
        elif isinstance(node, Text):
            assert treeview.render_text(there, width=1000) == node.plain
        else:
            assert isinstance(node, Reference)


def test_paths_lead_to_arrays_and_references():
    array = np.arange(20.0)
    shared = Layer(array, [1])
    tree = {"first": shared, "list": [array, {"deep": shared}], (1, "two"): Plain(array)}
    found = {}
    for node, path in leaves_with_paths(build_document(tree, root="tree")):
        if isinstance(node, Text | Reference):
            found[f"tree{python_path(path)}"] = node
    arrays = ["tree['first'].weights", "tree['list'][0]", "tree[(1, 'two')].value"]
    assert all(eval(path, {"tree": tree}) is array for path in arrays)
    assert set(found) == {*arrays, "tree['list'][1]['deep']", "tree[(1, 'two')].slot[0]"}
    reference = found["tree['list'][1]['deep']"]
    assert reference.text.plain == "<same Layer as tree['first']>"


def test_what_no_expression_reaches_has_no_path_but_a_description():
    tree = {int: [1], "set": {2}}
    found = {}
    for node, path in leaves_with_paths(build_document(tree)):
        found[node] = (python_path(path), key_path(path))
    assert found == {1: (None, "<key of type type>[0]"), 2: (None, "['set']<member>")}
