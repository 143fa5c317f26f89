"""Loops over functions that use variables."""

import functools
import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata.named import wrap
from modeldata.variables import (
    Parameter,
    StateVariable,
    freeze_variables,
    variable_jit,
    variable_scan,
)


def make_state(value=0.0):
    return StateVariable(value, label="s")


def add(carry, x, state):
    state.value = state.value + x
    return carry, state.value


def test_each_step_sees_what_the_last_one_assigned():
    state = make_state()
    _, seen = variable_scan(add, None, jnp.arange(4.0), args=(state,))
    np.testing.assert_array_equal(seen, [0.0, 1.0, 3.0, 6.0])
    assert state.value == 6
    _, seen = variable_scan(add, None, jnp.arange(4.0), args=(state,), reverse=True, unroll=2)
    np.testing.assert_array_equal(seen, [12.0, 12.0, 11.0, 9.0])


def test_steps_can_be_counted_without_slices():
    state = make_state(1.0)

    def double(carry, x, state):
        assert x is None
        state.value = state.value * 2
        return carry + 1, None

    assert variable_scan(double, 0, None, 5, args=(state,)) == (5, None)
    assert state.value == 32


def test_a_number_may_become_an_array_of_its_kind():
    state = StateVariable(0, label="s")  # weakly typed
    variable_scan(add, None, jnp.arange(3, dtype=jnp.int16), args=(state,))
    assert (state.value, state.value.dtype) == (3, jnp.int16)


@pytest.mark.parametrize(
    ("first", "change", "text"),
    [
        (jnp.zeros(2), lambda v: jnp.concatenate([v, v]), r"f32\[2\] before .* f32\[4\] after"),
        (jnp.zeros(2), lambda v: v.astype(jnp.int32), r"f32\[2\] before .* i32\[2\] after"),
        (None, lambda v: jnp.zeros(2), r"None before .* f32\[2\] after"),
        ([], lambda v: [*v, jnp.zeros(2)], r"\[\] before .* \[f32\[2\]\] after"),
    ],
)
def test_a_variable_that_changes_its_type_is_named_with_a_remedy(first, change, text):
    state = make_state(first)

    def step(carry, x, state):
        state.value = change(state.value)
        return carry, x

    with pytest.raises(
        TypeError,
        match=r"StateVariable `s` to keep its structure, shapes and dtypes in each step of "
        rf"`variable_scan`, but it was {text} it. Give it a first value like the last, or return",
    ):
        variable_scan(step, None, jnp.arange(3.0), args=(state,))
    assert jax.tree.structure(state.value) == jax.tree.structure(first)


def test_variables_do_not_belong_into_slices():
    with pytest.raises(
        ValueError, match=r"arrays in `xs` of `variable_scan`, .* `s` is at `xs\['a'\]`. Pass it in"
    ):
        variable_scan(lambda c, x: (c, x), 0, {"a": make_state(jnp.ones(3))})


def test_variables_of_the_carry_must_come_back_in_their_places():
    a, b = make_state(), StateVariable(1.0, label="b")
    run = lambda step: variable_scan(step, {"a": a, "b": b}, None, 2)
    with pytest.raises(ValueError, match=r"`b` came into `carry\['a'\]`. Return it where it was"):
        run(lambda c, x: ({"a": c["b"], "b": c["a"]}, None))
    with pytest.raises(ValueError, match=r"StateVariable `b` is gone from `carry\['b'\]`"):
        run(lambda c, x: ({"a": c["a"], "b": 1.0}, None))
    with pytest.raises(ValueError, match=r"StateVariable `s` is gone from `carry\['a'\]`"):
        run(lambda c, x: (None, None))


def test_the_function_must_return_a_pair():
    with pytest.raises(
        TypeError,
        match="`variable_scan` to return a pair, the new carry and an output, but got a `float`",
    ):
        variable_scan(lambda c, x: 1.0, 0.0, None, 2)


def test_a_plain_carry_is_checked_as_by_jax():
    with pytest.raises(TypeError, match="carry"):
        variable_scan(lambda c, x: ((c, c), x), 0.0, jnp.arange(2.0))


def test_named_values_and_carries():
    state = make_state(wrap(jnp.zeros(2), "k"))

    def step(carry, x, state):
        state.value = state.value + carry * x
        return carry * 2, state.value

    carry, outputs = variable_scan(step, wrap(jnp.ones(2), "k"), jnp.arange(3.0), args=(state,))
    np.testing.assert_array_equal(carry.unwrap("k"), [8.0, 8.0])
    np.testing.assert_array_equal(state.value.unwrap("k"), [10.0, 10.0])
    assert (outputs.positional_shape, outputs.named_shape) == ((3,), {"k": 2})


def test_parameters_are_no_part_of_the_loops_carry():
    w = Parameter(value=jnp.ones(7), label="w")
    step = lambda c, x, w: (c + (w.value * x).sum(), None)
    loop = lambda w, xs: variable_scan(step, 0.0, xs, args=(w,))[0]
    pure = lambda value, xs: loop(Parameter(value=value, label="w"), xs)
    jaxpr = jax.make_jaxpr(pure)(w.value, jnp.arange(3.0))
    (scan,) = [eqn for eqn in jaxpr.eqns if eqn.primitive.name == "scan"]
    assert len(scan.outvars) == 1


def test_the_same_function_is_traced_once_for_equal_structure():
    traces = []

    def step(carry, x, states):
        traces.append(1)
        states[0].value = states[0].value + states[1].value
        return carry, x

    for _ in range(3):  # automatic labels
        states = [StateVariable(jnp.float32(1)), StateVariable(jnp.float32(2))]
        variable_scan(step, None, jnp.arange(3.0), args=(states,))
        assert [float(s.value) for s in states] == [7, 2]
    assert len(traces) == 1
    variable_scan(step, None, jnp.arange(3.0), args=([states[0], states[0]],))
    assert float(states[0].value) == 56
    assert len(traces) == 2


def test_a_step_that_looks_at_labels_sees_those_of_the_call():
    def step(carry, x, states):
        return carry, freeze_variables(states)

    for _ in range(2):
        states = [StateVariable(jnp.float32(i)) for i in range(2)]
        _, outputs = variable_scan(step, None, None, 2, args=(states,))
        assert [s.label for s in outputs] == [s.label for s in states]


def test_a_function_can_be_forgotten():
    def step(carry, x, state):
        return add(carry, x, state)

    variable_scan(step, None, jnp.arange(2.0), args=(make_state(),))
    reference = weakref.ref(step)
    del step
    gc.collect()
    jax.clear_caches()
    gc.collect()
    assert reference() is None


class Unhashable:
    __hash__ = None

    def __call__(self, carry, x, state):
        return add(carry, x, state)

    def method(self, carry, x, state):
        return add(carry, x, state)


@pytest.mark.parametrize(
    "function", [Unhashable(), Unhashable().method, functools.partial(add), max and add]
)
def test_any_callable_can_be_looped(function):
    state = make_state()
    for _ in range(2):
        variable_scan(function, None, jnp.arange(3.0), args=(state,))
    assert state.value == 6


def test_loops_in_compiled_code_thread_variables_outwards():
    state = make_state()
    run = variable_jit(lambda s, xs: variable_scan(add, None, xs, args=(s,))[1])
    np.testing.assert_array_equal(run(state, jnp.arange(3.0)), [0.0, 1.0, 3.0])
    assert state.value == 3
