"""Promises of the small helpers for trees and paths."""

import functools
from collections import namedtuple
from typing import Any

import jax
import pytest

from modeldata import Struct, _tree, pretty_keystr, pytree_dataclass

Pair = namedtuple("Pair", "left right")


@pytree_dataclass
class Node(Struct):
    items: Any


def test_one_level_of_containers_is_taken_apart():
    for tree in ([1, [2]], (1, 2), {"b": 1, "a": 2}, Pair(1, 2), Node([1]), None, (), {}, Node({})):
        children, treedef = _tree.flatten_one_level(tree)
        assert treedef.unflatten([child for _, child in children]) == tree
    assert _tree.flatten_one_level(Node([1]))[0] == [(jax.tree_util.GetAttrKey("items"), [1])]
    assert _tree.flatten_one_level(None)[0] == []


def test_leaves_have_no_level():
    assert _tree.flatten_one_level(3) is None
    assert _tree.flatten_one_level("text") is None


def test_pretty_keystr_names_the_types_on_the_way():
    tree = Node([Pair(Node({"k": 5}), 1)])
    [(path, _), _] = jax.tree_util.tree_leaves_with_path(tree)
    assert pretty_keystr(path, tree) == "Node.items[0]/Pair.left/Node.items['k']"
    assert pretty_keystr((), tree) == ""


def test_pretty_keystr_refuses_paths_that_lead_nowhere():
    path = (jax.tree_util.GetAttrKey("items"), jax.tree_util.SequenceKey(7))
    with pytest.raises(ValueError, match=r"`\.items\[7\]` ends at `\.items`, a list without child"):
        pretty_keystr(path, Node([1]))


def test_functions_are_told_from_layers():
    @pytree_dataclass
    class Layer(Struct):
        def __call__(self, x):
            return x

    assert _tree.is_function(len)
    assert _tree.is_function(functools.partial(len))
    assert not _tree.is_function(Layer())
    assert not _tree.is_function(jax.tree_util.Partial(len))
    assert not _tree.is_function(3)


def test_nodes_that_refuse_their_children_are_named_as_the_cause():
    @jax.tree_util.register_pytree_node_class
    class Strict:
        def __init__(self, value):
            if isinstance(value, str):
                raise TypeError("no text here")
            self.value = value

        def tree_flatten(self):
            return (self.value,), None

        @classmethod
        def tree_unflatten(cls, _, children):
            return cls(*children)

    with pytest.raises(
        ValueError, match="rebuilt from any children, but one refused: no text here"
    ):
        _tree.rebuild(jax.tree.structure(Strict(1)), ["text"])
