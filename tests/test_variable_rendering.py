"""Variables drawn by treeview, also while a function of them is traced."""

import jax.numpy as jnp
import modeldata as md
import treeview


def test_showing_variables_while_they_are_traced_does_not_trace_them_again():
    shown = []

    @md.variable_jit
    def call(state, x):
        shown.append(treeview.render_text(state, width=120))
        return state.value * x

    for _ in range(2):
        state = md.StateVariable(jnp.float32(0))
        call(state, 1.0)
    assert len(shown) == 1
    assert "StateVariable(value=jax.Array float32[] <traced>, label=AutoStateVarLabel" in shown[0]


def test_gradients_are_drawn_where_the_parameters_are():
    shared = md.Parameter(value=jnp.array([1.0, 2.0]), label="w")
    model = {"a": shared, "b": [shared, md.StateVariable(0, label="n")]}
    gradient = md.variable_grad(lambda m: (m["a"].value * m["b"][0].value).sum())(model)
    assert treeview.render_text(gradient, width=120) == (
        "{'a': ParameterValue(value=jax.Array float32[2] [2, 4], label='w'), "
        "'b': [ParameterSlot(label='w'), None]}"
    )
