"""Mapping functions over axes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata.named import NamedArray, wrap
from modeldata.variables import Parameter, StateVariable, variable_vmap


def make_state(value=0.0):
    return StateVariable(value, label="s")


def test_a_shared_variable_that_gets_different_values_is_named_with_a_remedy():
    state, other = make_state(), StateVariable(0.0, label="other")

    def body(tree, x):
        tree[0].value, tree[1].value = tree[0].value + 1, x
        return x

    with pytest.raises(
        ValueError,
        match="StateVariable `other` is shared by all copies that `variable_vmap` runs, but was "
        "assigned a value that differs between them. Map it with `variable_axes`",
    ):
        variable_vmap(body, in_axes=(None, 0))([state, other], jnp.arange(3.0))
    assert (state.value, other.value) == (0, 0)


def test_errors_of_the_function_and_of_jax_pass_through():
    def fail(x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="^mine"):
        variable_vmap(fail)(jnp.arange(3.0))
    with pytest.raises(ValueError, match="out_axes"):
        variable_vmap(lambda s, x: s.set_value(1) or x, in_axes=(None, 0), out_axes=None)(
            make_state(), jnp.arange(3.0)
        )
    with pytest.raises(ValueError, match="inconsistent sizes"):
        variable_vmap(lambda x, y: x)(jnp.arange(3.0), jnp.arange(2.0))


@pytest.mark.parametrize(
    "axes",
    [
        0,
        {StateVariable: 0},
        {Parameter: None, StateVariable: 0},
        lambda v: 0 if v.label == "s" else None,
    ],
)
def test_chosen_variables_are_mapped(axes):
    state = make_state(jnp.arange(3.0))

    def body(s, x):
        s.value = s.value * x
        return s.value + 1

    result = variable_vmap(body, in_axes=(None, 0), variable_axes=axes)(state, jnp.arange(3.0))
    np.testing.assert_array_equal(state.value, [0.0, 1.0, 4.0])
    np.testing.assert_array_equal(result, [1.0, 2.0, 5.0])


def test_a_mapped_axis_stays_where_it_was():
    value = jnp.arange(6.0).reshape(2, 3)
    state = make_state(value)
    variable_vmap(lambda s: s.set_value(s.value * 2), variable_axes=1)(state)
    np.testing.assert_array_equal(state.value, value * 2)


def test_named_values_are_mapped_over_positional_axes():
    state = make_state(NamedArray(data_array=jnp.arange(6.0).reshape(3, 2), dims=("k",)))
    w = Parameter(value=wrap(jnp.array([1.0, 10.0]), "k"), label="w")

    def body(tree, x):
        tree["s"].value = tree["s"].value * x + tree["w"].value
        return tree["s"].value

    mapped = variable_vmap(body, in_axes=(None, 0), variable_axes={StateVariable: 0})
    result = mapped({"s": state, "w": w}, jnp.arange(3.0))
    expected = np.arange(6.0).reshape(3, 2) * np.arange(3.0)[:, None] + [1, 10]
    assert (state.value.positional_shape, state.value.named_shape) == ((3,), {"k": 2})
    np.testing.assert_array_equal(state.value.data_array, expected)
    np.testing.assert_array_equal(result.data_array, expected)


def test_a_variable_without_the_axis_is_refused():
    with pytest.raises(
        ValueError, match=r"values of StateVariable `s` with an axis 0 to map, .* of shape \(\)"
    ):
        variable_vmap(lambda s, x: x, in_axes=(None, 0), variable_axes=0)(
            make_state(1.0), jnp.arange(3.0)
        )


def test_axes_by_label_are_refused():
    with pytest.raises(TypeError, match="classes of variables to axes, but got the key 's'. To"):
        variable_vmap(lambda s: s.value, variable_axes={"s": 0})(make_state(1.0))


def test_axes_of_arguments_are_as_for_jax():
    f = lambda tree, *, scale: tree["a"] * tree["b"].sum() * scale
    tree = {"a": jnp.arange(3.0), "b": jnp.ones((2, 3))}
    axes = ({"a": 0, "b": 1},)
    found = variable_vmap(f, in_axes=axes, out_axes=0)(tree, scale=jnp.arange(3.0))
    np.testing.assert_array_equal(found, jax.vmap(f, in_axes=axes)(tree, scale=jnp.arange(3.0)))
    with pytest.raises(ValueError, match="`in_axes` to have an entry for each of the 2 positional"):
        variable_vmap(lambda a, b: a, in_axes=(0,))(1, 2)


def test_size_and_name_of_the_axis_can_be_given():
    state = make_state(2.0)
    f = lambda s: jax.lax.axis_index("i") * s.value
    np.testing.assert_array_equal(
        variable_vmap(f, in_axes=None, axis_size=3, axis_name="i")(state), [0.0, 2.0, 4.0]
    )
    total = lambda s, x: s.set_value(s.value + jax.lax.psum(x, "i"))
    variable_vmap(total, in_axes=(None, 0), axis_name="i")(state, jnp.arange(4.0))
    assert state.value == 8
