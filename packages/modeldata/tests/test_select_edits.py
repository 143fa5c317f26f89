"""Promises of selections that change trees."""

from collections import namedtuple
from typing import Any

import jax
import pytest

from modeldata import Struct, pytree_dataclass, select

Pair = namedtuple("Pair", "left right")


@pytree_dataclass
class Layer(Struct):
    n: Any

    def __call__(self, x):
        return x


@pytree_dataclass
class Chain(Struct):
    layers: list


@pytest.fixture
def chain():
    return Chain([Layer(1), Layer(2), {"deep": (Layer(3), Layer(4))}])


@pytest.fixture
def layers(chain):
    return chain.select().at_instances_of(Layer)


def numbers(tree):
    return jax.tree.leaves(tree)


class TestReplacing:
    def test_apply(self, chain, layers):
        def double(layer):
            return Layer(2 * layer.n)

        def keyed(path, layer):
            return Layer((len(path), layer.n))

        assert numbers(layers.apply(double)) == [2, 4, 6, 8]
        assert numbers(layers.apply(keyed, with_keypath=True)) == [2, 1, 2, 2, 4, 3, 4, 4]
        for with_keypath, function in ((False, double), (True, keyed)):
            kept = layers.apply(function, with_keypath=with_keypath, keep_selected=True)
            assert kept.get_keypaths() == layers.get_keypaths()
            assert kept.deselect() == layers.apply(function, with_keypath=with_keypath)
        assert layers.deselect() == chain

    def test_apply_with_selected_index(self, layers):
        assert numbers(
            layers.apply_with_selected_index(lambda i, layer: Layer(10 * i + layer.n))
        ) == [
            1,
            12,
            23,
            34,
        ]
        kept = layers.apply_with_selected_index(lambda i, _: i, keep_selected=True)
        assert kept.get_sequence() == (0, 1, 2, 3)

    def test_set_takes_a_value_or_a_function(self, layers):
        assert layers.set("x").layers == ["x", "x", {"deep": ("x", "x")}]
        assert numbers(layers.set(lambda layer: layer.n + 1)) == [2, 3, 4, 5]
        assert numbers(layers.set(Layer(0))) == [0, 0, 0, 0]

    def test_set_sequence(self, layers):
        assert numbers(layers.set_sequence(iter("abcd"))) == ["a", "b", "c", "d"]
        with pytest.raises(ValueError, match="Expected 4 values.*got only 2"):
            layers.set_sequence([1, 2])
        with pytest.raises(ValueError, match="Expected 4 values.*got more"):
            layers.set_sequence(iter(range(100)))

    def test_set_by_path(self, layers):
        values = {path: i for i, path in enumerate(layers.get_keypaths())}
        assert numbers(layers.set_by_path(values)) == [0, 1, 2, 3]
        assert numbers(layers.set_by_path(len)) == [2, 2, 4, 4]
        some = dict(list(values.items())[:3])
        with pytest.raises(
            ValueError, match=r"but `\.layers\[2\]\['deep'\]\[1\]` have none, and none"
        ):
            layers.set_by_path(some)
        with pytest.raises(
            ValueError, match=r"but none have none, and `\(root\)` are not selected"
        ):
            layers.set_by_path({**values, (): 1})

    def test_select_and_set_by_path(self, chain, layers):
        n = (jax.tree_util.GetAttrKey("n"),)
        assert numbers(layers.select_and_set_by_path({n: 0})) == [0, 0, 0, 0]
        with pytest.raises(ValueError, match="lead nowhere"):
            chain.select().select_and_set_by_path({n: 0})

    def test_counts_can_be_insisted_on(self, layers):
        text = r"Expected 3 nodes to be selected, got 4 \(Layer at `\.layers\[0\]`, Layer at "
        keys = {(jax.tree_util.GetAttrKey("n"),): 0}
        for act in (
            lambda: layers.get_sequence(expect=3),
            lambda: layers.get_by_path(expect=3),
            lambda: layers.deselect(expect=3),
            lambda: layers.partition(expect=3),
            lambda: layers.apply(len, expect=3),
            lambda: layers.apply_with_selected_index(max, expect=3),
            lambda: layers.set(0, expect=3),
            lambda: layers.set_sequence("abcd", expect=3),
            lambda: layers.set_by_path(len, expect=3),
            lambda: layers.apply_and_inline(list, expect=3),
            lambda: layers.remove_from_parent(expect=3),
            lambda: layers.insert_before(0, expect=3),
            lambda: layers.insert_after(0, expect=3),
        ):
            with pytest.raises(ValueError, match=text):
                act()
        assert numbers(layers.set(0, expect=4)) == [0, 0, 0, 0]
        assert layers.get_sequence(expect=4) == layers.get_sequence()
        assert numbers(layers.select_and_set_by_path(keys, expect=4)) == [0, 0, 0, 0]
        with pytest.raises(
            ValueError, match=r"Expected 3 .* got 4 \(int at `\.layers\[0\]\.n`, int"
        ):
            layers.select_and_set_by_path(keys, expect=3)

    def test_another_count_is_refused_before_anything_is_called(self, layers):
        calls = []
        for act in (layers.apply, layers.set, layers.apply_and_inline, layers.insert_after):
            with pytest.raises(ValueError, match="Expected 0 nodes to be selected, got 4"):
                act(calls.append, expect=0)
        assert calls == []

    def test_the_tree_itself_is_never_changed(self, chain, layers):
        layers.insert_after(Layer(9))
        layers.set(None)
        assert numbers(chain) == [1, 2, 3, 4]

    def test_strict_nodes_are_explained(self):
        partial = jax.tree_util.Partial(max, 1)
        arguments = select(partial).at_children()
        assert arguments.get_sequence() == ((1,), {})
        assert arguments.deselect() is partial
        assert select(partial).at_equal_to(1).set(2)(1) == 2
        with pytest.raises(ValueError, match="one refused.*`jax.tree_util.Partial`"):
            arguments.set(3)
        with pytest.raises(ValueError, match="one refused.*`jax.tree_util.Partial`"):
            arguments.remainder  # noqa: B018


class TestInlining:
    def test_elements_of_lists_and_tuples_are_replaced_by_several(self, layers):
        result = layers.apply_and_inline(lambda layer: [layer.n] * (layer.n - 1))
        assert result.layers == [2, {"deep": (3, 3, 4, 4, 4)}]
        keyed = layers.apply_and_inline(lambda path, _: [len(path)], with_keypath=True)
        assert keyed.layers == [2, 2, {"deep": (4, 4)}]

    def test_nested_lists_are_edited_at_all_depths(self):
        tree = [1, [2, [3, 4], "x"], "x"]
        selection = select(tree).at_instances_of(str)
        assert selection.insert_before(0) == [1, [2, [3, 4], 0, "x"], 0, "x"]
        assert select(tree).at_equal_to(3).remove_from_parent() == [1, [2, [4], "x"], "x"]

    def test_remove(self, layers):
        assert layers.remove_from_parent().layers == [{"deep": ()}]
        assert numbers(layers.pick_nth_selected([0, 2]).remove_from_parent()) == [2, 4]

    def test_insert(self, layers):
        assert numbers(layers.insert_before(Layer(0))) == [0, 1, 0, 2, 0, 3, 0, 4]
        assert numbers(layers.insert_after(Layer(0))) == [1, 0, 2, 0, 3, 0, 4, 0]

    def test_functions_make_a_value_for_each_place_and_layers_are_values(self, layers):
        made = layers.insert_after(lambda layer: Layer(10 * layer.n))
        assert numbers(made) == [1, 10, 2, 20, 3, 30, 4, 40]
        one = Layer(0)
        assert layers.insert_after(one).layers[1] is one

    def test_what_is_inserted_can_be_selected(self, layers):
        for insert, expected in (
            (layers.insert_before, [5, 1, 6, 2, 7, 3, 8, 4]),
            (layers.insert_after, [1, 5, 2, 6, 3, 7, 4, 8]),
        ):
            inserted = insert("placeholder", and_select=True)
            assert inserted.get_sequence() == ("placeholder",) * 4
            assert numbers(inserted.set_sequence([5, 6, 7, 8])) == expected

    def test_quotes_survive(self, layers):
        outer = select({"list": ["x"], "selection": layers}).at_equal_to("x")
        result = outer.insert_after("y")
        assert result["list"] == ["x", "y"]
        assert numbers(result["selection"].deselect()) == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        ("tree", "place"),
        [({"k": 5}, r"\['k'\]"), (Pair(5, 6), r"\.left"), (Chain(5), r"\.layers")],
    )
    def test_only_elements_of_lists_and_tuples_can_be_inlined(self, tree, place):
        with pytest.raises(ValueError, match=f"`{place}` is not in one. Select such elements, or"):
            select(tree).at_equal_to(5).insert_after(7)

    def test_the_root_cannot_be_inlined_and_layers_get_a_hint(self):
        with pytest.raises(ValueError, match="but this is the root. Select such elements"):
            select([1]).remove_from_parent()
        with pytest.raises(ValueError, match=r"run something before or after this Layer, wrap it"):
            select({"k": Layer(1)}).at_instances_of(Layer).insert_after(Layer(2))
