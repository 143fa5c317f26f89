"""Promises of patterns: how they are written, and what can be made of them."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import nx
from modeldata.shapecheck import (
    ANY,
    ArraySpec,
    DimensionVariableSubstitution,
    DimVar,
    KnownDim,
    MultiDimVar,
    RemainingAxisPlaceholder,
    Wildcard,
    as_array_structure,
    full_substitute_dimension_variables,
    get_dimension_variables,
    var,
    vars_for_axes,
)

# ---- Variables ----


def test_stars_turn_a_variable_into_one_for_many_axes():
    assert (1, *var("x")) == (1, MultiDimVar("x"))
    assert {**var("x"), "a": 1} == {MultiDimVar("x"): RemainingAxisPlaceholder(), "a": 1}
    assert var("x")[0] == DimVar(("x", 0))
    assert var("x")["a"] == DimVar(("x", "a"))


def test_variables_print_as_they_are_written():
    assert repr((var("x"), *var("x"), var("x")["a"])) == "(var('x'), *var('x'), var('x')['a'])"


@pytest.mark.parametrize("name", [1, None, ("x", "a")])
def test_names_of_variables_are_strings(name):
    with pytest.raises(TypeError, match="name of a variable to be a string, got"):
        var(name)
    with pytest.raises(TypeError, match="name of a variable to be a string, got"):
        vars_for_axes(name, ["a"])


@pytest.mark.parametrize("key", [1.5, [1], MultiDimVar("y"), RemainingAxisPlaceholder()])
def test_keys_are_numbers_or_names_of_axes(key):
    with pytest.raises(KeyError, match="the number of a positional axis or the name of a named"):
        var("x")[key]


def test_one_size_of_many_is_not_many():
    with pytest.raises(
        KeyError, match=r"the name of a named axis, got 'b' for `var\('x'\)\['a'\]`"
    ):
        var("x")["a"]["b"]
    with pytest.raises(TypeError, match=r"may stand for many axes, got `var\('x'\)\['a'\]`"):
        (*var("x")["a"],)
    with pytest.raises(TypeError, match="may stand for many axes"):
        dict(**var("x")["a"])


def test_variables_for_axes_keep_sizes_that_are_given():
    assert vars_for_axes("x", ["a", "b"]) == {"a": var("x")["a"], "b": var("x")["b"]}
    assert vars_for_axes("x", {"a": None, "b": 3}) == {
        "a": var("x")["a"],
        "b": KnownDim(("x", "b"), 3),
    }


# ---- Specifications ----


def test_specifications_are_hashable_and_equal_by_what_they_say():
    spec = ArraySpec([2, *var("x")], jnp.float32, {"a": np.int64(3), **var("y")})
    same = ArraySpec((2, *var("x")), np.dtype("float32"), {**var("y"), "a": 3})
    assert spec == same
    assert hash(spec) == hash(same)
    assert spec != ArraySpec((2,), jnp.float32, {"a": 3})
    assert jax.tree_util.tree_structure(spec) == jax.tree_util.tree_structure(same)
    assert jax.tree_util.tree_leaves([spec, ANY]) == []
    assert hash(ANY) == hash(Wildcard())


def test_specifications_print_as_they_are_written():
    spec = ArraySpec((1, *var("x"), var("y")), np.floating, {**var("z"), "a": 3})
    assert repr(spec) == (
        "ArraySpec(shape=(1, *var('x'), var('y')), dtype=floating, "
        "named_shape={**var('z'), 'a': 3})"
    )
    assert repr(ArraySpec(dtype=jnp.bfloat16)) == "ArraySpec(dtype=bfloat16)"


def test_specifications_know_their_parts():
    spec = ArraySpec.floating_named({"a": 3, **var("b")})
    assert spec == ArraySpec((), np.floating, {"a": 3, **var("b")})
    assert ArraySpec.floating_named(var("b")).named_shape == {**var("b")}
    assert ArraySpec((2, 3)).positional_shape == (2, 3)


@pytest.mark.parametrize("size", ["3", 1.5, None, RemainingAxisPlaceholder()])
def test_sizes_are_integers_or_variables(size):
    with pytest.raises(TypeError, match=r"sizes as integers or `var\(name\)`, got"):
        ArraySpec((size,))


@pytest.mark.parametrize(
    "named_shape",
    [{"a": MultiDimVar("x")}, {"a": RemainingAxisPlaceholder()}, {MultiDimVar("x"): 3}],
)
def test_named_shapes_give_many_axes_by_two_stars(named_shape):
    with pytest.raises(TypeError, match=r"write `\*\*var\(name\)`|`\*\*var\(name\)` in `named_sh"):
        ArraySpec(named_shape=named_shape)


def test_shapes_are_tuples_and_named_shapes_dictionaries():
    with pytest.raises(TypeError, match=r"a tuple of sizes in `shape`, got 3\. .* `\(size,\)`"):
        ArraySpec(3)
    with pytest.raises(TypeError, match=r"a size for each axis name in `named_shape`, got \['a'\]"):
        ArraySpec(named_shape=["a"])


def test_specifications_can_be_copied_and_stored():
    spec = ArraySpec((2, *var("x")), jnp.bfloat16, {("a", 1): 3, **var("y")})
    assert copy.deepcopy(spec) == pickle.loads(pickle.dumps(spec)) == spec
    assert spec.replace(shape=(4,)).named_shape == spec.named_shape


def test_numbers_are_no_axis_names():
    with pytest.raises(ValueError, match="Expected axis names, got the number 3"):
        ArraySpec(named_shape={3: 2})


@pytest.mark.parametrize("dtype", [None, "no such type", 3, dict, jax.Array])
def test_dtypes_are_types_of_elements(dtype):
    with pytest.raises(TypeError, match=r"Expected a dtype, got .* Use a type such as"):
        ArraySpec(dtype=dtype)


def test_specifications_become_shapes_for_jax():
    plain = ArraySpec((2, KnownDim("x", 3)), jnp.int8).into_pytree()
    assert plain == jax.ShapeDtypeStruct((2, 3), jnp.int8)
    named = ArraySpec((2,), jnp.int8, {"b": 3, "a": 4}).into_pytree()
    named.check_valid()
    assert named.dims == ("b", "a")
    assert named.data_array == jax.ShapeDtypeStruct((2, 3, 4), jnp.int8)


@pytest.mark.parametrize(
    "spec", [ArraySpec((var("x"),), int), ArraySpec((), int, var("x")), ArraySpec(var("x"), int)]
)
def test_shapes_for_jax_have_no_variables(spec):
    with pytest.raises(ValueError, match=r"sizes without variables, got `ArraySpec\("):
        spec.into_pytree()


def test_shapes_for_jax_have_a_concrete_dtype():
    with pytest.raises(ValueError, match=r"a concrete dtype, got `ArraySpec\(dtype=floating\)`"):
        ArraySpec(dtype=np.floating).into_pytree()


def test_structures_of_trees_have_specifications_for_arrays():
    class Foreign:
        shape = ("?",)
        dtype = "float32"

    tree = {
        "named": nx.wrap(np.zeros((2, 3), np.float32), "a", "b").untag("b"),
        "plain": np.zeros(4, np.int8),
        "spec": ArraySpec((var("x"),)),
        "others": [1, "text", None, Foreign()],
    }
    assert as_array_structure(tree) == {
        "named": ArraySpec((3,), jnp.float32, {"a": 2}),
        "plain": ArraySpec((4,), jnp.int8),
        "spec": ArraySpec((var("x"),)),
        "others": [ANY, ANY, None, ANY],
    }


def test_structures_of_invalid_named_arrays_are_refused():
    with pytest.raises(ValueError, match="an array with a shape and a dtype, got None"):
        as_array_structure(md.NamedArray(None, ("a",)))


# ---- Substitution ----

PATTERN = {
    "x": ArraySpec((1, *var("s"), var("n")), np.floating, {"a": var("n"), **var("m")}),
    "y": [ANY, ArraySpec((var("s")[0], KnownDim(("m", "z"), 9)))],
}


def test_variables_of_a_structure_are_found_by_kind():
    found = get_dimension_variables(PATTERN)
    assert found == DimensionVariableSubstitution(
        size_variables={"n": var("n"), ("s", 0): var("s")[0]},
        sequence_variables={"s": (MultiDimVar("s"),)},
        mapping_variables={"m": {**var("m")}},
    )
    assert not found.is_empty()
    assert get_dimension_variables([ANY, ArraySpec((2,)), 3]).is_empty()


def test_variables_in_their_own_place_change_nothing():
    found = get_dimension_variables(PATTERN)
    same = full_substitute_dimension_variables(PATTERN, found)
    assert same["x"] == PATTERN["x"]
    assert same["y"] == [ANY, ArraySpec((var("s")[0], 9))], "known sizes lose their names"


def test_values_take_the_place_of_variables():
    expected = {
        "x": ArraySpec((1, 5, 6, 2), np.floating, {"a": 2, "b": 7}),
        "y": [ANY, ArraySpec((5, 9))],
    }
    values = {"n": 2, "s": [5, 6], "m": {"b": 7}}
    assert full_substitute_dimension_variables(PATTERN, values) == expected
    subst = DimensionVariableSubstitution(
        {"n": KnownDim("n", 2), ("s", 0): 5}, {"s": (5, 6)}, {"m": {"b": 7}}
    )
    assert full_substitute_dimension_variables(PATTERN, subst) == expected


def test_variables_take_the_place_of_variables():
    subst = DimensionVariableSubstitution(
        {"x": var("y")}, {"x": (2, *var("y"))}, {"x": {"b": 1, **var("z")}}
    )
    spec = ArraySpec((var("x"), *var("x")), named_shape=var("x"))
    assert full_substitute_dimension_variables(spec, subst) == ArraySpec(
        (var("y"), 2, *var("y")), named_shape={"b": 1, **var("z")}
    )


@pytest.mark.parametrize(
    ("spec", "variable"),
    [
        (ArraySpec((var("q"),)), r"var\('q'\)"),
        (ArraySpec((*var("q"),)), r"\*var\('q'\)"),
        (ArraySpec(named_shape=var("q")), r"\*\*var\('q'\)"),
        (ArraySpec((var("s")[7],)), r"var\('s'\)\[7\]"),
    ],
)
def test_every_variable_needs_a_value(spec, variable):
    with pytest.raises(KeyError, match=f"there is none for `{variable}`"):
        full_substitute_dimension_variables(spec, {"s": (1, 2)})


def test_substitution_makes_no_axis_twice():
    with pytest.raises(ValueError, match=r"axis names to differ .* would have 'a' twice"):
        full_substitute_dimension_variables(
            ArraySpec(named_shape={"a": 2, **var("x")}), {"x": {"a": 3}}
        )
