"""Promises of selections: which nodes, in which order, and what can be asked."""

import copy
import pickle
from collections import OrderedDict, namedtuple
from typing import Any, Optional, Protocol, runtime_checkable
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import (
    NamedArray,
    Parameter,
    Selection,
    Struct,
    nx,
    pytree_dataclass,
    select,
    static_field,
)
from modeldata.selectors import SelectionHole, SelectionQuote

Pair = namedtuple("Pair", "left right")


@pytree_dataclass
class Leaf(Struct):
    weight: Any
    name: str = static_field(default="leaf")


@pytree_dataclass
class Node(Struct):
    items: Any


@pytest.fixture
def tree():
    return Node([Leaf(1), {"k": Leaf(2), "n": None}, (Node([Leaf(3)]), ())])


def paths(selection):
    return [jax.tree_util.keystr(path) for path in selection.get_keypaths()]


class TestRefinement:
    def test_everything_is_selected_at_first(self, tree):
        assert select(tree).get() is tree
        assert paths(select(tree)) == [""]
        assert select(tree).deselect() is tree

    def test_instances_are_found_outermost_first_by_default(self, tree):
        assert paths(tree.select().at_instances_of(Leaf)) == [
            ".items[0]",
            ".items[1]['k']",
            ".items[2][0].items[0]",
        ]
        assert paths(tree.select().at_instances_of((Node, Leaf))) == [""]
        assert paths(select([tree]).at_instances_of(Node | list, innermost=True)) == [
            "[0].items[2][0].items"
        ]

    def test_leaves_and_none_are_instances_too(self, tree):
        assert tree.select().at_instances_of(int).get_sequence() == (1, 2, 3)
        assert paths(tree.select().at_instances_of(type(None))) == [".items[1]['n']"]
        assert select([1, [2]]).at_instances_of(int, innermost=True).get_sequence() == (1, 2)

    def test_at_follows_attributes_and_items(self, tree):
        assert paths(tree.select().at(lambda t: t.items[1]["k"])) == [".items[1]['k']"]
        assert paths(tree.select().at(lambda t: t.items[0].weight)) == [".items[0].weight"]
        assert paths(tree.select().at(lambda t: t)) == [""]

    def test_at_takes_collections_of_nodes(self, tree):
        expected = [".items[0]", ".items[1]"]
        for multiple in (True, None):
            for collect in (tuple, list):
                picked = tree.select().at(lambda t: collect(t.items[:2]), multiple=multiple)  # noqa: B023
                assert paths(picked) == expected
        by_key = tree.select().at(lambda t: {"a": t.items[1], "b": t.items[0]}, multiple=True)
        assert paths(by_key) == expected
        assert tree.select().at(lambda _: []).is_empty()

    def test_at_reaches_the_only_field_of_a_struct(self):
        @pytree_dataclass
        class Holder(Struct):
            only: Any

        holders = [Holder(Parameter(value=i, label=str(i))) for i in range(3)]
        found = select(holders).at(lambda r: [each.only for each in r])
        assert [each.value for each in found.get_sequence()] == [0, 1, 2]

    def test_at_tells_equal_and_shared_objects_apart(self):
        shared = Leaf(None)
        twins = [shared, shared, None, None, (), (), 1, 1]
        for i in range(8):
            assert paths(select(twins).at(lambda t: t[i])) == [f"[{i}]"]  # noqa: B023
        assert paths(select(twins).at(lambda t: t[1].weight)) == ["[1].weight"]

    def test_at_explains_what_it_cannot_reach(self, tree):
        with pytest.raises(
            AttributeError, match=r"`\.value` of `\.items\[0\]\.weight`, a leaf \(1\)"
        ):
            tree.select().at(lambda t: t.items[0].weight.value)
        with pytest.raises(ValueError, match=r"'leaf' is a value that was not found in the tree!"):
            tree.select().at(lambda t: t.items[0].name)
        with pytest.raises(
            ValueError, match=r"collection of nodes, because of `multiple=True`, got"
        ):
            tree.select().at(lambda t: t.items[0], multiple=True)

    def test_filters_see_every_node_once(self, tree):
        seen = []
        tree.select().at_subtrees_where(lambda node: seen.append(node) or False)
        assert len(seen) == 14
        assert seen[0] is tree

    def test_filters_may_take_relative_or_absolute_paths(self):
        start = select({"a": {"b": 1}, "c": 2}).at(lambda t: t["a"])
        for absolute, expected in ((False, ["", "['b']"]), (True, ["['a']", "['a']['b']"])):
            seen = []
            start.at_subtrees_where(
                lambda path, _: seen.append(jax.tree_util.keystr(path)) or False,  # noqa: B023
                with_keypath=True,
                absolute_keypath=absolute,
            )
            assert seen == expected

    def test_innermost_matches(self):
        tree = {"a": {"a": {"x": 1}, "b": [5]}, "c": 2}
        found = select(tree).at_subtrees_where(lambda n: isinstance(n, (dict, int)), innermost=True)
        assert paths(found) == ["['a']['a']['x']", "['a']['b'][0]", "['c']"]

    def test_filters_must_return_a_bool(self, tree):
        with pytest.raises(TypeError, match=r"True or False, but for Node\(.* it returned 1\."):
            tree.select().at_subtrees_where(lambda _: 1)
        assert select([1]).at_subtrees_where(lambda n: np.bool_(n == 1)).count() == 1

    def test_errors_of_filters_pass_through(self, tree):
        class OwnError(Exception):
            pass

        def fail(_):
            raise OwnError("mine")

        for act in (
            lambda: tree.select().at_subtrees_where(fail),
            lambda: tree.select().at(fail),
            lambda: tree.select().where(fail),
            lambda: tree.select().apply(fail),
            lambda: tree.select().refine(fail),
        ):
            with pytest.raises(OwnError, match="mine"):
                act()

    def test_equal_nodes(self):
        tree = [[1, [2, 3]], [2, 3], (2, 3), jnp.ones(2), nx.ones({"a": 1}), [jnp.ones(2), 3]]
        assert paths(select(tree).at_equal_to([2, 3])) == ["[0][1]", "[1]"]
        for array in (np.ones(2), jnp.ones(2), nx.ones({"a": 1})):
            with pytest.raises(ValueError, match="compares as a whole, got the array"):
                select(tree).at_equal_to(array)

    def test_what_cannot_be_compared_is_not_equal(self):
        class Odd:
            def __eq__(self, other):
                raise RuntimeError("ambiguous")

            __hash__ = None

        assert paths(select([Odd(), 3]).at_equal_to(3)) == ["[1]"]

    def test_keypaths_are_relative_and_short_ones_win(self, tree):
        keys = tree.select().at_instances_of(Leaf).get_keypaths()
        longer = (*keys[0], jax.tree_util.GetAttrKey("weight"))
        assert paths(tree.select().at_keypaths([longer, keys[0], keys[1]])) == paths(
            tree.select().at_keypaths(keys[:2])
        )
        weight = (jax.tree_util.GetAttrKey("weight"),)
        assert tree.select().at_instances_of(Leaf).at_keypaths([weight]).get_sequence() == (1, 2, 3)

    def test_keypaths_must_lead_somewhere(self, tree):
        with pytest.raises(ValueError, match=r"but `\.nothing` lead nowhere"):
            tree.select().at_keypaths([(jax.tree_util.GetAttrKey("nothing"),)])

    def test_leaves_children_and_childless_nodes(self, tree):
        assert tree.select().at_pytree_leaves().get_sequence() == (1, 2, 3)
        assert tree.select().at_childless().get_sequence() == (1, 2, None, 3, ())
        assert paths(tree.select().at_children()) == [".items"]
        assert paths(select([1, {}]).at_childless().at_children()) == []

    def test_chains_stay_inside_of_what_is_selected(self, tree):
        chained = (
            tree.select().at_instances_of(Node).at_children().at_children().at_instances_of(Leaf)
        )
        assert paths(chained) == [".items[0]", ".items[1]['k']", ".items[2][0].items[0]"]
        assert chained.deselect() == tree

    def test_where_keeps_some(self, tree):
        leaves = tree.select().at_instances_of(Leaf)
        assert [
            leaf.weight for leaf in leaves.where(lambda leaf: leaf.weight > 1).get_sequence()
        ] == [2, 3]
        assert leaves.where(lambda path, _: len(path) == 2, with_keypath=True).count() == 1
        assert leaves.where(lambda _: "").deselect() == tree

    def test_pick_nth(self, tree):
        leaves = tree.select().at_pytree_leaves()
        assert leaves.pick_nth_selected(1).get() == 2
        assert leaves.pick_nth_selected(-2).get() == 2
        assert leaves.pick_nth_selected([2, 0]).get_sequence() == (1, 3)
        assert leaves.pick_nth_selected(7).is_empty()
        assert leaves.pick_nth_selected(7).deselect() == tree

    def test_invert_selects_the_largest_other_subtrees(self, tree):
        inverse = tree.select().at(lambda t: t.items[1]["k"]).invert()
        assert paths(inverse) == [".items[0]", ".items[1]['n']", ".items[2]"]
        assert inverse.deselect() == tree
        assert paths(inverse.invert()) == [".items[1]['k']"]
        assert paths(tree.select().invert()) == []
        assert paths(tree.select().invert().invert()) == [""]

    def test_refine_may_choose_and_edit_by_type(self, tree):
        def choose(node):
            if isinstance(node, Leaf):
                return node.replace(weight=10 * node.weight).select().at(lambda n: n.weight)
            return select(node)

        chosen = tree.select().at(lambda t: t.items).at_children().refine(choose)
        assert paths(chosen) == [".items[0].weight", ".items[1]", ".items[2]"]
        assert chosen.deselect().items[0].weight == 10

    def test_refine_needs_selections(self, tree):
        with pytest.raises(ValueError, match=r"to be a selection, but `\.items\[0\]` is Leaf\("):
            tree.select().at(lambda t: t.items[0]).refine(lambda node: node)
        with pytest.raises(ValueError, match=r"but `\(root\)` is 3"):
            select(3).flatten_selected_selections()


class TestQueries:
    def test_counts(self, tree):
        leaves, nothing = tree.select().at_instances_of(Leaf), tree.select().at_instances_of(str)
        assert (leaves.count(), len(leaves), bool(leaves), leaves.is_empty()) == (3, 3, True, False)
        assert (nothing.count(), len(nothing), bool(nothing), nothing.is_empty()) == (
            0,
            0,
            False,
            True,
        )

    def test_get_needs_exactly_one(self, tree):
        with pytest.raises(
            ValueError, match=r"exactly one selected node, got 3 \(Leaf at `\.items\[0\]`, Leaf at "
        ):
            tree.select().at_instances_of(Leaf).get()
        with pytest.raises(ValueError, match=r"exactly one selected node, got 0\. Use"):
            tree.select().at_instances_of(str).get()

    def test_nodes_by_path_are_a_pytree(self, tree):
        leaves = tree.select().at_pytree_leaves()
        by_path = leaves.get_by_path()
        assert isinstance(by_path, OrderedDict)
        assert by_path is not leaves.selected_by_path
        grads = jax.grad(lambda d: sum(leaves.set_by_path(d).items[i].weight ** 2 for i in (0,)))(
            jax.tree.map(float, by_path)
        )
        assert list(grads.values()) == [2, 0, 0]

    def test_counts_can_be_asserted(self, tree):
        assert tree.select().assert_count_is(1).get() is tree
        with pytest.raises(
            AssertionError, match=r"Expected 2 nodes to be selected, got 1 \(Node at `\(root\)`\)"
        ):
            tree.select().assert_count_is(2)

    def test_text(self, tree):
        assert repr(tree.select().at_instances_of(Leaf).pick_nth_selected([0, 1])) == (
            "<Selection of 2 nodes: Leaf at `.items[0]`, Leaf at `.items[1]['k']`>"
        )
        assert repr(tree.select().at_pytree_leaves()) == (
            "<Selection of 3 nodes:\n"
            "  int at `.items[0].weight`,\n"
            "  int at `.items[1]['k'].weight`,\n"
            "  int at `.items[2][0].items[0].weight`\n"
            ">"
        )
        assert repr(select([0] * 19).at_pytree_leaves()).endswith("  int at `[11]`,\n  ...\n>")
        assert repr(select(0).at_instances_of(str)) == "<Selection of 0 nodes: none>"


class TestAsPytree:
    def test_selections_pass_through_transformations(self):
        tree = Node([Leaf(jnp.ones(2)), jnp.zeros(2)])
        selection = tree.select().at_instances_of(Leaf)
        out = jax.jit(lambda s: s.apply(lambda leaf: leaf.replace(weight=leaf.weight + 1)))(
            selection
        )
        np.testing.assert_array_equal(out.items[0].weight, [2, 2])
        assert jax.tree.map(lambda x: x, selection) == selection

    def test_leaves_are_the_selected_ones_first(self, tree):
        assert jax.tree.leaves(tree.select().at(lambda t: t.items[2])) == [3, 1, 2]

    def test_selections_of_selections_work_to_any_depth(self, tree):
        inner = tree.select().at_instances_of(Leaf)
        middle = inner.select().at_instances_of(int)
        outer = middle.select().at_instances_of((int, SelectionHole))
        for selection, original in ((middle, inner), (outer, middle)):
            assert selection.deselect() == original
            assert selection.invert().deselect() == original
        changed = middle.apply(lambda x: x + 1).deselect()
        assert changed.select().at_pytree_leaves().get_sequence() == (2, 3, 4)

    def test_holes_of_others_are_quoted(self):
        a, b = (jax.tree_util.DictKey(key) for key in "ab")
        inner = select({"a": 1, "b": 2}).at(lambda t: t["a"])
        assert inner.remainder == {"a": SelectionHole((a,)), "b": 2}
        outer = select(inner.remainder).at(lambda t: t["b"])
        assert outer.remainder == {
            "a": SelectionQuote(SelectionHole((a,))),
            "b": SelectionHole((b,)),
        }
        assert outer.deselect() == inner.remainder

    def test_shared_nodes_are_selected_at_each_place(self):
        shared = Leaf(1)
        assert select([shared, shared]).at_instances_of(Leaf).count() == 2

    def test_named_arrays_and_their_data_can_be_selected(self):
        x = nx.ones({"a": 2})
        assert select([x]).at_instances_of(NamedArray).get() is x
        assert select([x]).at_instances_of(jax.Array).get() is x.data_array

    def test_selections_of_one_root_type_are_selections(self, tree):
        assert isinstance(tree.select(), Selection)


class TestRobustness:
    def test_depth_is_no_limit(self):
        tree = 1
        for _ in range(3_000):
            tree = [tree]
        found = select(tree).at_instances_of(int)
        assert found.count() == 1
        assert len(found.get_keypaths()[0]) == 3_000
        deep = found.set(2)
        assert select(deep).at_instances_of(int).get() == 2

    def test_trees_that_contain_themselves_are_refused(self):
        inner = [1]
        inner.append({"k": inner})
        for act in (
            lambda: select([inner]).at_instances_of(str),
            lambda: select([inner]).at_path("**.nothing"),
            lambda: select([inner]).at(lambda root: root[0]),
        ):
            with pytest.raises(
                ValueError, match=r"the list at `\[0\]\[1\]\['k'\]` is one of those that contain it"
            ):
                act()
        shared = [1]
        assert select([shared, [shared]]).at_instances_of(int).count() == 2

    def test_what_is_no_class_is_refused(self):
        for cls in ("int", [int], (int, 3)):
            with pytest.raises(TypeError, match="Expected a class, or a tuple or union of classes"):
                select(1).at_instances_of(cls)

    def test_objects_may_claim_a_class(self):
        claims = mock.Mock(spec=Leaf)
        assert select([claims, 1]).at_instances_of(Leaf).get() is claims

    def test_classes_may_look_at_the_instance(self):
        @runtime_checkable
        class HasText(Protocol):
            text: str

        class Thing:
            def __init__(self, **values):
                vars(self).update(values)

        things = [Thing(), Thing(text="yes"), Thing()]
        assert select(things).at_instances_of(HasText).get() is things[1]
        found = jax.jit(lambda x: select([x, 1]).at_instances_of(jax.Array).count())(1.0)
        assert found == 1
        assert select([1, None, 2]).at_instances_of(Optional[str]).count() == 1  # noqa: UP045
        assert select([1, "a", None]).at_instances_of((int, (str, float))).count() == 2

    def test_unsortable_keys_are_explained(self):
        with pytest.raises(ValueError, match="keys of a dictionary in a pytree to be comparable"):
            select({1: 2, "a": 3}).at_instances_of(int)

    def test_dictionaries_keep_their_order(self):
        tree = {"b": 1, "a": OrderedDict(z=1, y=2)}
        changed = select(tree).at_instances_of(int).apply(lambda x: x + 1)
        assert list(changed) == ["b", "a"]
        assert list(changed["a"].items()) == [("z", 2), ("y", 3)]

    def test_what_does_not_change_is_shared_and_the_rest_is_new(self):
        tree = {"a": [1, 2], "b": [3]}
        changed = select(tree).at_equal_to(1).set(5)
        assert changed == {"a": [5, 2], "b": [3]}
        assert changed["b"] is tree["b"]
        assert tree == {"a": [1, 2], "b": [3]}

    def test_a_list_that_changes_later_does_not_change_a_selection(self):
        tree = [[1, 2], 3]
        selection = select(tree).at_equal_to(3)
        tree[0].append(9)
        tree.append(4)
        assert selection.set(5) == [[1, 2, 9], 5]

    def test_selections_are_pickled_and_copied(self, tree):
        selection = tree.select().at_instances_of(Leaf)
        for copied in (
            pickle.loads(pickle.dumps(selection)),
            copy.copy(selection),
            copy.deepcopy(selection),
        ):
            assert copied == selection
            assert copied.set(0) == selection.set(0)

    def test_parts_that_do_not_belong_together_are_refused(self, tree):
        selection = tree.select().at_instances_of(Leaf)
        broken = Selection(OrderedDict(), selection.remainder)
        with pytest.raises(
            ValueError, match=r"Expected a hole .* got holes at `\.items\[0\]`, .* for no place"
        ):
            broken.deselect()
        with pytest.raises(AttributeError, match="`Selection` has no attribute `nothing`"):
            selection.nothing  # noqa: B018
