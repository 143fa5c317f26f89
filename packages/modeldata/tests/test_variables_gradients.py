"""Gradients with respect to variables, and the trees that hold them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata.named import NamedArray, wrap
from modeldata.variables import (
    Parameter,
    ParameterSlot,
    ParameterValue,
    StateVariable,
    StateVariableValue,
    VariableConflictError,
    update_variables,
    variable_grad,
    variable_jit,
    variable_value_and_grad,
    variable_values,
)


def make_model():
    shared = Parameter(value=jnp.array([1.0, 2.0]), label="w", metadata={"note": 1})
    state = StateVariable(jnp.float32(0), label="n")
    return {"a": shared, "b": [shared, state, jnp.ones(2), 3]}


def loss(model, x):
    model["b"][1].value = model["b"][1].value + 1
    return (model["a"].value * model["b"][0].value * model["b"][2] * x).sum()


def test_the_gradient_has_the_structure_of_the_argument():
    model = make_model()
    grads = variable_grad(loss)(model, 2.0)
    assert grads["b"] == [ParameterSlot(label="w"), None, None, None]
    assert isinstance(grads["a"], ParameterValue)
    assert (grads["a"].label, grads["a"].metadata) == ("w", {"note": 1})
    np.testing.assert_array_equal(grads["a"].value, [4.0, 8.0])
    assert model["b"][1].value == 1


def test_a_variable_in_another_argument_counts_as_well():
    w = Parameter(value=jnp.float32(3), label="w")
    grads = variable_grad(lambda a, b: a.value * b["x"].value)(w, {"x": w})
    assert grads.value == 6


def test_arguments_without_variables_are_differentiated_as_by_jax():
    f = lambda x, n: (jnp.sin(x["a"]) * x["b"][0]).sum() * n
    x = {"a": jnp.arange(3.0), "b": (np.float32(2), None), "c": 1.5}
    found, expected = variable_grad(f)(x, 2), jax.grad(f)(x, 2)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b)


def test_what_has_no_derivative_is_none():
    others = {"ints": jnp.arange(2), "text": "float32", "dtype": jnp.float32, "function": jnp.sin}
    grads = variable_grad(lambda x: x["floats"].sum())({"floats": np.ones(2), **others})
    assert {key: grads[key] for key in others} == dict.fromkeys(others)
    w = Parameter(value=(jnp.arange(2), jnp.ones(2)), label="w")
    assert variable_grad(lambda w: w.value[1].sum())(w).value[0] is None


def test_several_arguments_give_a_tuple_and_share_what_is_shared():
    model = make_model()
    first, second = variable_grad(loss, argnums=(0, -1))(model, 2.0)
    assert second == 5
    assert isinstance(first["a"], ParameterValue)
    both = variable_grad(lambda a, b: (a.value * b.value).sum(), argnums=(0, 1))
    assert both(model["a"], model["a"])[1] == ParameterSlot(label="w")


@pytest.mark.parametrize(
    ("wrt", "kinds"),
    [
        (StateVariable, [None, StateVariableValue, None]),
        ((Parameter, jax.Array), [ParameterValue, None, jax.Array]),
        (Parameter | StateVariable, [ParameterValue, StateVariableValue, None]),
        (lambda leaf: True, [ParameterValue, StateVariableValue, jax.Array]),
        (lambda leaf: getattr(leaf, "label", None) == "n", [None, StateVariableValue, None]),
    ],
)
def test_what_to_differentiate_can_be_chosen(wrt, kinds):
    model = make_model()
    f = lambda m: (m["a"].value * m["b"][1].value * m["b"][2]).sum()
    grads = variable_grad(f, wrt=wrt)(model)
    found = [grads["a"], grads["b"][1], grads["b"][2]]
    for grad, kind in zip(found, kinds, strict=True):
        assert grad is None if kind is None else isinstance(grad, kind)
    if grads["b"][1] is not None:
        assert grads["b"][1].value == 3
    values = variable_values(model, wrt)
    assert jax.tree.structure(values) == jax.tree.structure(grads)


def test_what_to_differentiate_must_be_a_class_or_a_function():
    with pytest.raises(TypeError, match="`wrt` to be a class, .* or an array, but got 'w'"):
        variable_grad(loss, wrt="w")(make_model(), 1.0)


def test_another_result_is_handed_through():
    f = variable_value_and_grad(lambda m, x: (loss(m, x), {"aux": x}), has_aux=True)
    (value, aux), grads = f(make_model(), 2.0)
    assert (value, aux) == (10, {"aux": 2.0})
    assert grads["a"].value[0] == 4
    only, aux = variable_grad(lambda m, x: (loss(m, x), x), has_aux=True)(make_model(), 2.0)
    assert (only["a"].value[1], aux) == (8, 2.0)


def test_a_result_that_is_no_pair_is_refused():
    with pytest.raises(
        TypeError,
        match="the function of `variable_grad` to return a pair, a scalar and another result, but "
        "got a `float`",
    ):
        variable_grad(lambda x: 1.0, has_aux=True)(1.0)
    with pytest.raises(TypeError, match="but got a `tuple` of 3"):
        variable_grad(lambda x: (x, 1, 2), has_aux=True)(1.0)


def test_named_values_and_named_losses_work():
    w = Parameter(value=wrap(jnp.arange(3.0), "k"), label="w")
    f = variable_value_and_grad(lambda w: (w.value * w.value).untag("k").sum())
    value, grads = f(w)
    assert value == 5
    assert isinstance(grads.value, NamedArray)
    np.testing.assert_array_equal(grads.value.unwrap("k"), [0.0, 2.0, 4.0])


def test_a_loss_with_axes_is_refused():
    w = Parameter(value=wrap(jnp.arange(3.0), "k"), label="w")
    with pytest.raises(
        TypeError, match=r"Expected a scalar to differentiate, but got .* axes {'k': 3}. Reduce it"
    ):
        variable_grad(lambda w: w.value)(w)


def test_complex_functions():
    w = Parameter(value=jnp.array(1.0 + 2.0j), label="w")
    grads = variable_grad(lambda w: w.value**2, holomorphic=True)(w)
    np.testing.assert_allclose(grads.value, 2 + 4j)


def test_nothing_to_differentiate_is_refused_before_the_function_runs():
    def fail(*args):
        raise AssertionError

    for tree in (StateVariable(1.0), jnp.arange(3), [Parameter(value=1, label="w")], {}):
        with pytest.raises(
            ValueError, match="something to differentiate with respect to in argument 1, but"
        ):
            variable_grad(fail, argnums=1)(1.0, tree)
    with pytest.raises(ValueError, match="positions among the 1 positional arguments .* got 1"):
        variable_grad(fail, argnums=1)(1.0)


def test_values_for_an_optimizer_are_like_gradients():
    model = make_model()
    values = variable_values(model)
    assert values["a"] == model["a"].freeze()
    assert values["b"] == [ParameterSlot(label="w"), None, None, None]


@pytest.mark.parametrize("compiled", [False, True])
def test_training_with_plain_tree_maps(compiled):
    model = {"w": Parameter(value=jnp.zeros(2), label="w")}

    def train(model, target):
        loss = lambda m: ((m["w"].value - target) ** 2).sum()
        value, grads = variable_value_and_grad(loss)(model)
        step = lambda w, g: w - 0.25 * g
        update_variables(model, jax.tree.map(step, variable_values(model), grads))
        return value

    train = variable_jit(train) if compiled else train
    target = jnp.array([1.0, -2.0])
    losses = [float(train(model, target)) for _ in range(3)]
    np.testing.assert_allclose(losses, [5.0, 1.25, 0.3125])
    np.testing.assert_allclose(model["w"].value, target * 0.875)


def test_training_with_optax():
    optax = pytest.importorskip("optax")
    model = {"w": Parameter(value=jnp.zeros(2), label="w"), "n": StateVariable(0), "c": 1.0}
    optimizer = optax.adamw(0.5)

    @variable_jit
    def train(model, state, target):
        values = variable_values(model)
        loss = lambda m: ((m["w"].value - target) ** 2).sum()
        loss_value, grads = variable_value_and_grad(loss)(model)
        updates, state = optimizer.update(grads, state, values)
        update_variables(model, optax.apply_updates(values, updates))
        return loss_value, state

    state = optimizer.init(variable_values(model))
    losses = []
    for _ in range(30):
        value, state = train(model, state, jnp.array([1.0, -2.0]))
        losses.append(float(value))
    assert losses[-1] < 0.1 * losses[0]
    assert train._cache_size() == 1


def test_updates_need_a_variable_for_every_value_and_change_all_or_none():
    a, b = Parameter(value=1.0, label="a"), StateVariable(2.0, label="b")
    unknown = ParameterValue(label="z", value=jnp.float32(9))
    new = ParameterValue(label="a", value=jnp.float32(9))
    with pytest.raises(
        ValueError, match="a variable in the tree for every value, but .* with the label 'z'"
    ):
        update_variables({"a": a, "b": b}, [new, unknown])
    with pytest.raises(ValueError, match="two belong to `ParameterSlot"):
        update_variables({"a": a}, [new, new])
    with pytest.raises(VariableConflictError, match="Parameter `a` and another"):
        update_variables([a, Parameter(value=1.0, label="a")], [new])
    with pytest.raises(RuntimeError, match="Parameter `a` was assigned inside"):
        jax.grad(lambda x: update_variables({"a": a}, [new.replace(value=x)]) or x)(1.0)
    assert (a.value, b.value) == (1, 2)
    update_variables({"x": [a, a], "b": b}, {"y": new, "rest": [1, None, "text"]})
    assert (a.value, b.value) == (9, 2)
