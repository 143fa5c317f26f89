"""What compiled code depends on: labels that nobody chose only where a function looks at them."""

import copy
import gc
import pickle
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import RandomStream, nn
from modeldata.toolshed.save_intermediates import SaveIntermediate
from modeldata.variables import (
    StateVariable,
    VariableConflictError,
    bind_variables,
    freeze_variables,
    scoped_auto_state_var_labels,
    unbind_variables,
    variable_jit,
    variable_vmap,
)


def make_states():
    return [StateVariable(jnp.float32(i)) for i in range(3)]


def compiled(body):
    """Returns a compiled function, and a list that grows each time it is traced."""
    traces = []

    def traced(*args):
        traces.append(1)
        return body(*args)

    return variable_jit(traced), traces


def count_first(states):
    states[0].value = states[0].value + states[1].value + 1


def test_a_model_that_is_made_anew_finds_compiled_code():
    run, traces = compiled(count_first)
    for _ in range(4):
        states = make_states()
        run(states)
        assert [float(s.value) for s in states] == [2, 1, 2]
    assert len(traces) == run._cache_size() == 1


def test_layers_with_state_find_compiled_code():
    run, traces = compiled(lambda model, x, stream: model(x, random_stream=stream))
    for seed in range(3):
        model = nn.Sequential([SaveIntermediate(), nn.Elementwise(jnp.tanh), SaveIntermediate()])
        run(model, jnp.ones(2), RandomStream.from_base_key(jax.random.key(seed)))
    assert len(traces) == 1


def test_sharing_still_tells_structures_apart():
    run, traces = compiled(count_first)
    a, b, c = make_states()
    run([a, b, c])
    run([b, b, c])
    assert (float(a.value), float(b.value)) == (2, 3)
    assert len(traces) == 2


@pytest.mark.parametrize(
    "look",
    [
        lambda states: [s.freeze() for s in states],
        lambda states: {str(s.label): s.value for s in states},
        lambda states: [s.get_slot() for s in states],
        lambda states: unbind_variables(states)[0],
        lambda states: freeze_variables(copy.copy(states[0])),
        lambda states: variable_vmap(freeze_variables, axis_size=2)(states),
        lambda states: variable_jit(freeze_variables)(states),
    ],
)
def test_a_function_that_looks_at_labels_sees_those_of_the_call(look):
    run, traces = compiled(lambda states: look(states))
    for _ in range(2):
        states = make_states()
        for _ in range(2):
            expected = look(states)
            assert jax.tree.structure(run(states)) == jax.tree.structure(expected)
    assert len(traces) == 3  # one was given up


def test_labels_may_matter_for_some_shapes_only():
    def body(states):
        return states[0].freeze() if states[0].value.ndim else states[0].value

    run, _ = compiled(body)
    for _ in range(2):
        states = make_states()
        assert run(states) == 0
        states[0].value = jnp.ones(2)
        assert run(states).label == states[0].label


def test_slots_with_automatic_labels_are_bound_inside():
    run, _ = compiled(lambda slots, states: bind_variables(slots, states)["x"].value)
    for number in range(2):
        state = StateVariable(jnp.float32(number))
        slots, _ = unbind_variables({"x": state})
        assert run(slots, [state]) == number


def test_printing_does_not_depend_on_labels():
    run, traces = compiled(lambda states: repr(states) and None)
    for _ in range(2):
        run(make_states())
    assert len(traces) == 1


def test_stages_of_compilation_say_what_they_are_of():
    def step(states):
        return None

    jitted = variable_jit(step)
    lowered = jitted.lower([])
    assert repr(jitted) == f"<variable_jit of {step!r}>"
    assert repr(lowered) == f"<VariableLowered of {jitted!r}>"
    assert repr(lowered.compile()) == f"<VariableCompiled of {jitted!r}>"


def test_copies_with_one_automatic_label_conflict_also_when_compiled_code_exists():
    run, traces = compiled(lambda states: None)
    run(make_states())
    state = StateVariable(jnp.float32(0))
    with pytest.raises(VariableConflictError, match="AutoStateVarLabel"):
        run([state, copy.copy(state), StateVariable(jnp.float32(0))])
    other = pickle.loads(pickle.dumps(state))
    with pytest.raises(VariableConflictError, match="and another variable with the same label"):
        run([state, StateVariable(jnp.float32(0)), other])
    assert len(traces) == 1


def test_labels_of_scopes_count():
    run, traces = compiled(count_first)
    for group in ("a", "a", "b"):
        with scoped_auto_state_var_labels(group):
            run(make_states())
    assert len(traces) == 2


def test_compiled_code_does_not_keep_variables():
    run, _ = compiled(count_first)
    states = make_states()
    run(states)
    references = [weakref.ref(state) for state in states]
    del states
    gc.collect()
    assert [reference() for reference in references] == [None] * 3


def test_a_compiled_object_updates_variables():
    lowered = variable_jit(count_first).lower(make_states())
    assert "module" in lowered.as_text()
    ahead = lowered.compile()
    assert ahead.memory_analysis() is not None
    for _ in range(2):
        states = make_states()
        assert ahead(states) is None
        assert [float(s.value) for s in states] == [2, 1, 2]


def test_a_compiled_object_refuses_other_structure():
    ahead = variable_jit(lambda tree, n: None, static_argnums=1).lower(make_states(), 3).compile()
    shared = StateVariable(jnp.float32(0))
    labelled = [StateVariable(jnp.float32(0), label=i) for i in range(3)]
    for tree, n, what in (
        (make_states()[:2], 3, "the structure of the arguments"),
        ([shared, shared, shared], 3, "where variables are shared"),
        (labelled, 3, "kinds, labels, metadata or structure of the variables"),
        (make_states(), 4, "static arguments"),
    ):
        with pytest.raises(
            TypeError,
            match=f"structure that this function was compiled for, .* what differs: {what}. Call",
        ):
            ahead(tree, n)


def test_a_compiled_object_that_depends_on_labels_says_so():
    states = make_states()
    ahead = variable_jit(freeze_variables).lower(states).compile()
    assert [s.label for s in ahead(states)] == [s.label for s in states]
    with pytest.raises(TypeError, match="what differs: labels of the variables"):
        ahead(make_states())


def test_shapes_are_found_without_computing():
    states = [StateVariable(jax.ShapeDtypeStruct((2, 3), jnp.float32)), *make_states()]
    shape = variable_jit(lambda s: s[1].set_value(9) or s[0].value.T).eval_shape(states)
    assert (shape.shape, shape.dtype) == ((3, 2), jnp.float32)
    assert states[1].value == 0


def test_donation_works_with_automatic_labels():
    run = variable_jit(count_first, donate_variables=True)
    for _ in range(2):
        states = make_states()
        old = states[0].value
        run(states)
        assert old.is_deleted()
        np.testing.assert_array_equal([s.value for s in states], [2, 1, 2])
    assert run._cache_size() == 1
