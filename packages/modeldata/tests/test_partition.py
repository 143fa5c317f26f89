"""Promises of partition and combine, and laws of selections on random trees."""

from collections import namedtuple
from typing import Any

import hypothesis as hp
import hypothesis.strategies as st
import jax
import numpy as np
import pytest

from modeldata import (
    NamedArray,
    NotInThisPartition,
    Selection,
    Struct,
    combine,
    freeze_params,
    nx,
    pytree_dataclass,
    select,
    static_field,
)
from modeldata.nn import Linear, RenameAxes, Sequential

KEY = jax.random.key(0)

Pair = namedtuple("Pair", "left right")


@pytree_dataclass
class Box(Struct):
    one: Any
    two: Any
    name: str = static_field(default="box")


def containers(children):
    lists = st.lists(children, max_size=3)
    return st.one_of(
        lists,
        lists.map(tuple),
        st.dictionaries(st.sampled_from("abc"), children, max_size=3),
        st.builds(Pair, children, children),
        st.builds(Box, children, children, st.sampled_from(["x", "y"])),
    )


trees = st.recursive(st.none() | st.integers(0, 9) | st.just("text"), containers, max_leaves=12)
law = hp.settings(max_examples=60)


@st.composite
def selections(draw):
    tree = draw(trees)
    every = jax.tree_util.tree_leaves_with_path(tree)
    chosen = draw(st.sets(st.integers(0, max(len(every) - 1, 0))))
    depth = draw(st.integers(0, 4))
    paths = [path[:depth] for i, (path, _) in enumerate(every) if i in chosen]
    return tree, select(tree).at_keypaths(paths)


@law
@hp.given(selections())
def test_deselecting_gives_the_tree_back(drawn):
    tree, selection = drawn
    assert selection.deselect() == tree
    assert selection.apply(lambda node: node) == tree
    assert selection.set_by_path(selection.get_by_path()) == tree
    assert selection.set_sequence(selection.get_sequence()) == tree


@law
@hp.given(selections())
def test_inverting_covers_every_leaf_once(drawn):
    tree, selection = drawn
    inverse = selection.invert()
    assert inverse.deselect() == tree
    covered = [
        *jax.tree.leaves(list(selection.get_sequence())),
        *jax.tree.leaves(list(inverse.get_sequence())),
    ]
    assert sorted(map(str, covered)) == sorted(map(str, jax.tree.leaves(tree)))


@law
@hp.given(selections(), st.booleans())
def test_combine_undoes_partition(drawn, at_leaves):
    tree, selection = drawn
    chosen, rest = selection.partition(at_leaves=at_leaves)
    assert combine(chosen, rest) == combine(rest, chosen) == tree
    selected = jax.tree.leaves(list(selection.get_sequence()))
    assert jax.tree.leaves(chosen) == selected
    assert len(jax.tree.leaves(rest)) == len(jax.tree.leaves(tree)) - len(selected)


@law
@hp.given(selections())
def test_selections_of_selections_can_be_undone(drawn):
    _, selection = drawn
    outer = select(selection).at_pytree_leaves()
    assert outer.deselect() == selection
    assert select(outer).at_pytree_leaves().deselect() == outer


@law
@hp.given(selections(), st.integers(0, 9))
def test_filters_agree_with_a_walk_over_the_tree(drawn, limit):
    tree, _ = drawn

    def wanted(node):
        return isinstance(node, int) and node < limit

    found = select(tree).at_subtrees_where(wanted)
    expected = {
        path: leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree) if wanted(leaf)
    }
    assert dict(found.get_by_path()) == expected
    assert select(tree).at_subtrees_where(wanted, innermost=True) == found


@law
@hp.given(selections())
def test_editing_agrees_with_a_walk_of_jax(drawn):
    tree, selection = drawn
    wanted = dict.fromkeys(selection.get_keypaths())

    def edit(path, node):
        return ("new", node) if path in wanted else node

    expected = jax.tree_util.tree_map_with_path(
        edit, tree, is_leaf=lambda path, _: path in wanted, is_leaf_takes_path=True
    )
    assert selection.apply(lambda node: ("new", node)) == expected
    assert selection.apply(lambda node: ("new", node), keep_selected=True).deselect() == expected


@law
@hp.given(selections())
def test_a_selection_says_the_same_however_it_was_made(drawn):
    tree, selection = drawn
    for other in (
        jax.tree.map(lambda leaf: leaf, selection),
        Selection(selection.selected_by_path, selection.remainder),
        select(tree).at_path(*map(jax.tree_util.keystr, selection.get_keypaths())),
        select(tree).at_subtrees_where(
            lambda path, _: path in selection.get_by_path(), with_keypath=True
        ),
        selection.refine(select),
    ):
        assert other.get_by_path() == selection.get_by_path()
        assert other.deselect() == tree


@law
@hp.given(selections(), st.booleans())
def test_steps_agree_with_one_step(drawn, innermost):
    tree, selection = drawn

    def wanted(node):
        return isinstance(node, (list, Pair, int))

    found = selection.at_subtrees_where(wanted, innermost=innermost)
    expected = [
        path
        for base, node in selection.get_by_path().items()
        for path in (
            (*base, *inner)
            for inner in select(node).at_subtrees_where(wanted, innermost=innermost).get_keypaths()
        )
    ]
    assert list(found.get_keypaths()) == expected
    assert found == selection.at_instances_of((list, Pair, int), innermost=innermost)
    assert found.deselect() == tree


def test_the_whole_or_nothing_selected():
    tree = [1, {"a": 2}]
    gone = NotInThisPartition()
    assert select(tree).partition() == (tree, gone)
    assert select(tree).at_instances_of(str).partition() == (gone, tree)


def test_the_largest_subtrees_are_replaced_or_only_leaves():
    tree = {"a": [1, 2], "b": (3, None)}
    gone = NotInThisPartition()
    selection = select(tree).at(lambda t: t["a"][0])
    assert selection.partition() == ({"a": [1, gone], "b": gone}, {"a": [gone, 2], "b": (3, None)})
    assert selection.partition(at_leaves=True) == (
        {"a": [1, gone], "b": (gone, None)},
        {"a": [gone, 2], "b": (3, None)},
    )


def test_several_parts_combine_at_any_level():
    tree = {"a": [1, 2], "b": 3}
    first, rest = select(tree).at(lambda t: t["a"][0]).partition()
    second, rest = select(rest).at(lambda t: t["b"]).partition()
    assert combine(first, second, rest) == combine(rest, second, first) == tree
    assert combine(first, second)["a"][1] == NotInThisPartition()
    assert combine() == NotInThisPartition()


def test_parts_pass_through_jit_and_grad():
    model = Sequential([Linear.from_config(str(n), KEY, {"x": 2}, {"x_out": 2}) for n in range(2)])
    model = Sequential([freeze_params(model).sublayers[0], RenameAxes("x_out", "x")])
    chosen, rest = model.select().at_instances_of(NamedArray).partition(expect=1)
    x = nx.ones({"x": 2})
    traces = []

    @jax.jit
    def loss(chosen, rest, x):
        traces.append(1)
        return combine(chosen, rest)(x).unwrap("x").sum()

    [gradient] = jax.tree.leaves(jax.grad(loss)(chosen, rest, x))
    np.testing.assert_array_equal(gradient, np.ones((2, 2)))
    again = jax.tree.map(lambda leaf: 2 * leaf, chosen)
    np.testing.assert_allclose(loss(again, rest, x), 2 * loss(chosen, rest, x), rtol=1e-6)
    assert len(traces) == 1
    assert jax.tree.structure(again) == jax.tree.structure(chosen)


def test_parts_are_pytrees_for_transformations():
    tree = {"w": 2.0, "b": 3.0}
    chosen, rest = select(tree).at(lambda t: t["w"]).partition()
    grads = jax.grad(lambda part: combine(part, rest)["w"] ** 2 * tree["b"])(chosen)
    assert grads == {"w": 12.0, "b": NotInThisPartition()}


@pytest.mark.parametrize(
    ("a", "b", "place"),
    [
        ({"k": 1}, {"k": 2}, r"`tree\['k'\]`: 1 and 2"),
        ([1], (1,), r"`tree`: \[1\] and \(1,\)"),
        ([1], [1, 2], r"`tree`: "),
        (Box(1, 2, "x"), Box(1, 2, "y"), "`tree`: Box"),
        ([Box(None, None)], [3], r"`tree\[0\]`: Box"),
    ],
)
def test_overlapping_parts_are_refused(a, b, place):
    with pytest.raises(
        ValueError, match=f"do not overlap, but two trees have something at {place}"
    ):
        combine(a, b)
