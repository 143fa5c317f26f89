"""Promises of selecting by patterns of paths and labels, and by shape and type of arrays."""

from collections import OrderedDict, namedtuple
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import Parameter, Struct, nx, pytree_dataclass, select, static_field

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


class TestPathPatterns:
    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("", [""]),
            (".items", [".items"]),
            ("items", [".items"]),
            (".items[0]", [".items[0]"]),
            (".items[*]", [".items[0]", ".items[1]", ".items[2]"]),
            (".items.*", [".items[0]", ".items[1]", ".items[2]"]),
            (".items[?].weight", [".items[0].weight"]),
            ("*[1]['k']", [".items[1]['k']"]),
            ('.items[1]["k"]', [".items[1]['k']"]),
            (".items[1][k]", [".items[1]['k']"]),
            (".items[1]['*']", [".items[1]['k']", ".items[1]['n']"]),
            (".items['1']", []),
            (".it*[0].w*t", [".items[0].weight"]),
            (
                "**.weight",
                [".items[0].weight", ".items[1]['k'].weight", ".items[2][0].items[0].weight"],
            ),
            (
                ".items.**.weight",
                [".items[0].weight", ".items[1]['k'].weight", ".items[2][0].items[0].weight"],
            ),
            (".items**[0].weight", [".items[0].weight", ".items[2][0].items[0].weight"]),
            ("**", [""]),
            (".items[0].**", [".items[0]"]),
            ("**.**.items[*]", [".items[0]", ".items[1]", ".items[2]"]),
            (".nothing", []),
            (".items[0].weight.more", []),
        ],
    )
    def test_a_pattern_is_a_printed_path_with_wildcards(self, tree, pattern, expected):
        assert paths(tree.select().at_path(pattern)) == expected

    def test_several_patterns_add_up_and_outer_nodes_win(self, tree):
        both = tree.select().at_path(".items[1]['k'].weight", ".items[0].weight", ".items[0]")
        assert paths(both) == [".items[0]", ".items[1]['k'].weight"]
        assert tree.select().at_path().is_empty()

    def test_paths_start_at_what_is_selected(self, tree):
        leaves = tree.select().at_instances_of(Leaf)
        assert leaves.at_path(".weight").get_sequence() == (1, 2, 3)
        assert leaves.at_path(".items[0]").is_empty()

    def test_every_path_is_a_pattern_of_itself(self, tree):
        everything = select([tree, {"a b": {1: 2}, "x": Pair(1, OrderedDict(z=3))}])
        for path, _ in jax.tree_util.tree_leaves_with_path(everything.get()):
            text = jax.tree_util.keystr(path)
            assert paths(everything.at_path(text)) == [text]

    def test_keys_of_other_kinds_match_as_they_print(self):
        @pytree_dataclass
        class Odd(Struct):
            x: Any

            def key_for_field(self, field_name):
                return f"<{field_name}>"

        assert select(Odd(5)).at_path("<x>").get() == 5
        assert select(jax.tree_util.Partial(max, 7)).at_path("[<flat index 0>][0]").get() == 7

    def test_patterns_must_be_made_of_steps(self, tree):
        for pattern in (".items[0", ".items]", "..items", ".items[0]weight", "**weight", ".a***"):
            with pytest.raises(
                ValueError, match="Expected a pattern of steps such as .* but cannot"
            ):
                tree.select().at_path(pattern)
        with pytest.raises(TypeError, match="pattern of paths as text, got 3. For key paths use"):
            tree.select().at_path(3)


class TestLabels:
    @pytest.fixture
    def model(self):
        names = ("block_0/query.weights", "block_0/key.weights", "block_1/query.weights", "norm")
        return [Parameter(value=jnp.zeros(2), label=f"model/{name}") for name in names]

    def labels(self, selection):
        return [node.label for node in selection.get_sequence()]

    @pytest.mark.parametrize(
        ("patterns", "numbers"),
        [
            (["model/norm"], [3]),
            (["model/*"], [3]),
            (["model/**"], [0, 1, 2, 3]),
            (["model/block_?/query.weights"], [0, 2]),
            (["model/block_0/*"], [0, 1]),
            (["**query**", "**norm"], [0, 2, 3]),
            (["query"], []),
            ([], []),
        ],
    )
    def test_labels_are_globs(self, model, patterns, numbers):
        expected = [model[number].label for number in numbers]
        assert self.labels(select(model).at_label(*patterns)) == expected
        frozen = md.freeze_params(model)
        assert self.labels(select(frozen).at_label(*patterns)) == expected
        slots, _ = md.unbind_params(model)
        assert self.labels(select(slots).at_label(*patterns)) == expected

    def test_automatic_labels_match_as_they_print(self):
        state = md.StateVariable(0)
        assert select([state, 1]).at_label(str(state.label)).get() is state

    def test_patterns_must_be_text(self, model):
        with pytest.raises(TypeError, match=r"pattern of labels as text, got 3\. To compare"):
            select(model).at_label(3)


class TestArrays:
    @pytest.fixture
    def arrays(self):
        return {
            "a": jnp.ones((2, 3)),
            "b": nx.wrap(jnp.ones((3, 4), jnp.bfloat16), "x", "y"),
            "c": np.arange(6).reshape(2, 3),
            "d": Parameter(value=nx.ones({"x": 3, "z": 2}), label="d"),
            "e": jax.random.key(0),
            "f": jax.ShapeDtypeStruct((2,), jnp.int8),
            "g": [1.0, "text", None],
        }

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({}, "abcdef"),
            ({"shape": (2, 3)}, "ac"),
            ({"shape": (None, 3)}, "ac"),
            ({"shape": [3, None]}, "bd"),
            ({"shape": (..., 3)}, "ac"),
            ({"shape": (2, ...)}, "acf"),
            ({"shape": (2, ..., 3)}, "ac"),
            ({"shape": (2, ..., 2, 3)}, ""),
            ({"shape": (...,)}, "abcdef"),
            ({"shape": ()}, "e"),
            ({"shape": {"x": None}}, "bd"),
            ({"shape": {"x": 3, "y": 4}}, "b"),
            ({"shape": {"y": 5}}, ""),
            ({"shape": {}}, "bd"),
            ({"dtype": "floating"}, "abd"),
            ({"dtype": np.floating}, "abd"),
            ({"dtype": "bfloat16"}, "b"),
            ({"dtype": jnp.float32}, "ad"),
            ({"dtype": "integer"}, "cf"),
            ({"dtype": "signedinteger", "shape": (2,)}, "f"),
            ({"dtype": "prng_key"}, "e"),
            ({"dtype": bool}, ""),
        ],
    )
    def test_arrays_are_found_by_shape_names_and_type(self, arrays, wanted, expected):
        found = select(arrays).at_arrays(**wanted).get_keypaths()
        assert "".join(path[0].key for path in found) == expected

    def test_named_arrays_and_variables_are_selected_as_a_whole(self, arrays):
        found = select(arrays).at_arrays(shape={"x": 3}).get_sequence()
        assert found == (arrays["b"], arrays["d"])
        assert found[0] is arrays["b"]

    def test_bad_shapes_and_types_are_refused(self, arrays):
        for shape in (3, "ab", (2.5,), np.ones(2)):
            with pytest.raises(TypeError, match="Expected a shape as a tuple of sizes, `None` and"):
                select(arrays).at_arrays(shape=shape)
        with pytest.raises(ValueError, match=r"Expected `\.\.\.` at most once in a shape, got"):
            select(arrays).at_arrays(shape=(..., 3, ...))
        with pytest.raises(TypeError, match="Expected a dtype, got 'float'|Expected a dtype, got"):
            select(arrays).at_arrays(dtype="no dtype")
