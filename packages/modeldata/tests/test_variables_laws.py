"""Each transform that threads variables equals its plain JAX twin on the unbound function."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.named import NamedArray, wrap
from modeldata.variables import (
    Parameter,
    ParameterValue,
    StateVariable,
    StateVariableValue,
    bind_variables,
    freeze_variables,
    unbind_variables,
    update_variables,
    variable_checkpoint,
    variable_grad,
    variable_jit,
    variable_scan,
    variable_value_and_grad,
    variable_values,
    variable_vmap,
)

SIZE = 3
few = settings(max_examples=10, deadline=None)
fewer = settings(max_examples=4, deadline=None)  # where each example compiles a loop


@pytree_dataclass
class Node(Struct):
    """A struct with a static field."""

    name: str = static_field()
    left: Any
    right: Any


class Pair(NamedTuple):
    first: Any
    second: Any


LEAVES = ["p0", "p1", "p2", "named", "s0", "s1", "array", "none"]
shapes = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds(Node, st.sampled_from("ab"), inner, inner),
        st.builds(Pair, inner, inner),
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
        st.tuples(inner, inner),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


def build(shape):
    """Makes a tree of variables, shared where a name appears again, of arrays and of None.

    A parameter is always there, and the tree is a dict, so that there is something to do.
    """
    variables = {
        **{f"p{i}": Parameter(value=jnp.arange(SIZE) + i + 0.5, label=f"p{i}") for i in range(3)},
        "named": Parameter(value=wrap(jnp.arange(SIZE) - 0.5, "axis"), label="named"),
        "s0": StateVariable(jnp.array([0.5, -1.0, 2.0])),
        "s1": StateVariable(jnp.ones(SIZE), label="s1"),
        "array": jnp.array([0.25, 0.5, 1.0]),
        "none": None,
    }
    return jax.tree.map(lambda name: variables[name], {"always": "p0", "shape": shape})


def is_variable(leaf):
    return isinstance(leaf, Parameter | StateVariable)


def data(value):
    return value.data_array if isinstance(value, NamedArray) else value


def run(tree, x):
    """Reads all variables of a tree in order, and changes all state variables."""
    total = jnp.zeros(SIZE)
    for place, leaf in enumerate(jax.tree.leaves(tree)):
        value = data(leaf.value if is_variable(leaf) else leaf)
        total = total * 0.5 + value * (place + 1) + jnp.sin(value)
        if isinstance(leaf, StateVariable):
            leaf.value = leaf.value * 0.5 + place
    return total * x


def loss(tree, x):
    return run(tree, x).sum()


def unbound(tree, fun=run):
    """Returns a pure function of values, and the values."""
    slots, values = unbind_variables(tree, freeze=True)

    def pure(values, *args):
        copy = bind_variables(slots, values, unfreeze_as_copy=True)
        variables = list(dict.fromkeys(filter(is_variable, jax.tree.leaves(copy))))
        result = fun(copy, *args)
        return result, tuple(variable.freeze() for variable in variables)

    return pure, values


def frozen(tree):
    return unbind_variables(tree, freeze=True)[1]


def assert_close(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@fewer
@given(shapes)
def test_jit_equals_jit_of_the_unbound_function(shape):
    tree = build(shape)
    pure, values = unbound(tree)
    expected, states = jax.jit(pure)(values, 2.0)
    assert_close(variable_jit(run)(tree, 2.0), expected)
    assert_close(frozen(tree), states)


@few
@given(shapes)
def test_checkpoint_equals_checkpoint_of_the_unbound_function(shape):
    tree = build(shape)
    pure, values = unbound(tree)
    expected, states = jax.checkpoint(pure)(values, 2.0)
    assert_close(variable_checkpoint(run)(tree, 2.0), expected)
    assert_close(frozen(tree), states)


@few
@given(shapes, st.sampled_from([Parameter, StateVariable, (Parameter, StateVariable)]))
def test_gradients_are_those_of_the_unbound_function_once_for_each_variable(shape, wrt):
    tree = build({"s": "s0", "shape": shape})
    pure, values = unbound(tree, loss)
    (value, states), gradient = jax.value_and_grad(pure, has_aux=True)(values, 2.0)
    kinds = jax.tree.map(lambda k: k.value_type, wrt)
    expected = {str(v.get_slot()): v for v in gradient if isinstance(v, kinds)}

    found_value, found = variable_value_and_grad(loss, wrt=wrt)(tree, 2.0)

    np.testing.assert_allclose(found_value, value, rtol=1e-5)
    assert_close(frozen(tree), states)
    is_value = lambda node: isinstance(node, ParameterValue | StateVariableValue)
    found_values = [v for v in jax.tree.leaves(found, is_leaf=is_value) if is_value(v)]
    assert_close({str(v.get_slot()): v for v in found_values}, expected)
    assert len(found_values) == len(expected)
    assert jax.tree.structure(found) == jax.tree.structure(variable_values(tree, wrt))


@few
@given(shapes)
def test_checkpointed_gradients_are_the_gradients(shape):
    trees = build(shape), build(shape)
    grads = [variable_grad(f)(t, 2.0) for f, t in zip((loss, variable_checkpoint(loss)), trees)]
    assert_close(jax.tree.leaves(grads[0]), jax.tree.leaves(grads[1]))
    assert_close(*(jax.tree.leaves(frozen(tree)) for tree in trees))


@few
@given(shapes)
def test_vmap_with_shared_variables_equals_vmap_of_the_unbound_function(shape):
    tree, xs = build(shape), jnp.arange(4.0)
    pure, values = unbound(tree)
    expected, states = jax.vmap(pure, in_axes=(None, 0), out_axes=(0, None))(values, xs)
    assert_close(variable_vmap(run, in_axes=(None, 0))(tree, xs), expected)
    assert_close(frozen(tree), states)


@few
@given(shapes, st.sampled_from([0, 1, -1]))
def test_vmap_with_mapped_states_equals_vmap_of_the_unbound_function(shape, axis):
    tree, xs = build({"s": "s0", "shape": shape}), jnp.arange(4.0)
    for leaf in jax.tree.leaves(tree):
        if isinstance(leaf, StateVariable) and leaf.value.ndim == 1:
            leaf.value = jnp.stack([leaf.value * (i + 1) for i in range(4)], axis)

    def changing(tree, x):
        result = run(tree, x)
        for leaf in jax.tree.leaves(tree):
            if isinstance(leaf, StateVariable):
                leaf.value = leaf.value + x
        return result

    pure, values = unbound(tree, changing)
    axes = tuple(axis if isinstance(v, StateVariableValue) else None for v in values)
    mapped = jax.vmap(pure, in_axes=(axes, 0), out_axes=(0, axes))
    expected, states = mapped(values, xs)
    found = variable_vmap(changing, in_axes=(None, 0), variable_axes={StateVariable: axis})
    assert_close(found(tree, xs), expected)
    assert_close(frozen(tree), states)


@fewer
@given(shapes, st.booleans())
def test_scan_equals_scan_of_the_unbound_function(shape, reverse):
    tree, xs = build(shape), jnp.arange(4.0)

    def step(carry, x, tree):
        result = run(tree, x)
        return carry * 0.5 + result, result.sum()

    pure, values = unbound(tree, lambda tree, carry, x: step(carry, x, tree))

    def pure_step(carry, x):
        (carry, output), values = pure(carry[1], carry[0], x)
        return (carry, values), output

    start = jnp.zeros(SIZE)
    (end, states), outputs = jax.lax.scan(pure_step, (start, values), xs, reverse=reverse)
    found = variable_scan(step, start, xs, args=(tree,), reverse=reverse)
    assert_close(found, (end, outputs))
    assert_close(frozen(tree), states)


@fewer
@given(shapes)
def test_a_model_in_the_carry_is_a_model_in_the_arguments(shape):
    trees, xs = (build(shape), build(shape)), jnp.arange(4.0)
    carried = lambda carry, x: ((carry[0] + run(carry[1], x), carry[1]), x)
    passed = lambda carry, x, tree: (carry + run(tree, x), x)
    (end, tree), _ = variable_scan(carried, (jnp.zeros(SIZE), trees[0]), xs)
    assert all(a is b for a, b in zip(*map(jax.tree.leaves, (tree, trees[0])), strict=True))
    assert_close(end, variable_scan(passed, jnp.zeros(SIZE), xs, args=(trees[1],))[0])
    assert_close(*(jax.tree.leaves(frozen(tree)) for tree in trees))


@fewer
@given(shapes)
def test_transforms_compose_as_those_of_jax(shape):
    tree, xs = build(shape), jnp.arange(1.0, 4.0)

    def deep(tree, xs):
        step = lambda carry, x, tree: (carry + variable_checkpoint(loss)(tree, x), x)
        return variable_scan(step, 0.0, xs, args=(tree,))[0]

    pure, values = unbound(tree, lambda tree, xs: sum(loss(tree, x) for x in xs))
    pure_batch = lambda values, batch: pure(values, batch)[0]
    per_example = jax.vmap(jax.grad(pure_batch), in_axes=(None, 0))(values, jnp.stack([xs, -xs]))
    expected = {str(v.get_slot()): v.value for v in per_example if isinstance(v, ParameterValue)}
    states = pure(values, xs)[1]

    grads = variable_jit(variable_vmap(variable_grad(deep), in_axes=(None, 0)))(
        tree, jnp.stack([xs, -xs])
    )

    is_value = lambda node: isinstance(node, ParameterValue)
    found = [v for v in jax.tree.leaves(grads, is_leaf=is_value) if is_value(v)]
    assert_close({str(v.get_slot()): v.value for v in found}, expected)
    assert_close(frozen(tree), states)


@few
@given(shapes)
def test_updating_with_the_values_of_another_copy_makes_an_equal_tree(shape):
    tree, other = build(shape), build(shape)
    for leaf in jax.tree.leaves(other):
        if isinstance(leaf, Parameter):
            leaf.value = leaf.value * 2
    update_variables(tree, variable_values(other))
    assert_close(jax.tree.leaves(freeze_variables(tree)), jax.tree.leaves(freeze_variables(other)))


@pytest.mark.parametrize("transform", [jax.jit, jax.checkpoint])
def test_plain_transformations_may_surround_those_that_thread(transform):
    tree, xs = build(["s0", "p1", "named"]), jnp.arange(4.0)
    reading = lambda tree, x: (tree["always"].value * x).sum()
    around = transform(lambda xs: variable_vmap(reading, in_axes=(None, 0))(tree, xs))
    np.testing.assert_allclose(around(xs), 4.5 * np.arange(4.0))
