"""Compiled functions whose arguments hold variables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata._struct import Struct, pytree_dataclass
from modeldata.variables import (
    Parameter,
    StateVariable,
    VariableConflictError,
    bind_variables,
    unbind_variables,
    variable_jit,
)


def make_model():
    shared = Parameter(value=jnp.array([1.0, 2.0]), label="w")
    return {"a": shared, "b": [shared, StateVariable(0, label="count")]}


def step(model, x):
    model["b"][1].value = model["b"][1].value + 1
    return model["a"].value * x + model["b"][0].value


def test_a_compiled_call_equals_an_eager_one():
    eager, compiled = make_model(), make_model()
    for x in (1.0, 2.0):
        np.testing.assert_array_equal(variable_jit(step)(compiled, x), step(eager, x))
    assert compiled["b"][1].value == eager["b"][1].value == 2


@settings(max_examples=20)
@given(st.lists(st.sampled_from(range(4)), min_size=1, max_size=5), st.integers(0, 3))
def test_only_what_a_call_changed_comes_out(places, changed):
    variables = [StateVariable(jnp.array([i, 10]), label=f"s{i}") for i in range(4)]

    def body(chosen, other):
        if chosen:
            chosen[0].value = chosen[0].value * other.value

    before = [v.value for v in variables]
    variable_jit(body)([variables[i] for i in places], variables[changed])
    for index, (old, variable) in enumerate(zip(before, variables, strict=True)):
        if index == places[0]:
            np.testing.assert_array_equal(variable.value, old * before[changed])
        else:
            assert variable.value is old


def test_unchanged_variables_are_not_outputs_of_the_compiled_code():
    lowered = variable_jit(step).lower(make_model(), 1.0)
    assert len(jax.tree.leaves(lowered.out_info)) == 2  # the result, and the counter


def test_parameters_may_change_as_well():
    model = make_model()

    @variable_jit
    def train(model):
        model["a"].value = model["a"].value * 0.5

    train(model)
    np.testing.assert_array_equal(model["b"][0].value, [0.5, 1.0])


def test_calls_with_the_same_structure_compile_once():
    traces = []

    @variable_jit
    def run(model, x):
        traces.append(1)
        return step(model, x)

    model = make_model()
    for x in (1.0, 2.0, 3.0):
        run(model, x)
    run(make_model(), 1.0)  # other objects, same labels
    assert len(traces) == 1
    model["a"].metadata = {"frozen": True}
    run(model, 1.0)
    assert len(traces) == 2


def test_the_same_variable_in_several_arguments_is_one():
    state = StateVariable(1, label="s")

    @variable_jit
    def body(a, *, b):
        a.value = a.value + 1
        return b.value

    assert body(state, b={"x": state}["x"]) == 2
    assert state.value == 2


def test_a_value_may_grow():
    log = StateVariable([], label="log")
    append = variable_jit(lambda v, x: v.set_value([*v.value, x]))
    for x in range(3):
        append(log, x)
    assert [int(x) for x in log.value] == [0, 1, 2]


def test_if_the_function_raises_no_variable_changes():
    state = StateVariable(1, label="s")

    @variable_jit
    def body(v):
        v.value = v.value + 1
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        body(state)
    assert state.value == 1


def test_returning_a_variable_is_refused():
    with pytest.raises(
        ValueError,
        match=r"Returning a variable .* Parameter `w` is in the result, at "
        r"`result\['x'\]`",
    ):
        variable_jit(lambda m: {"x": m["a"]})(make_model())


def test_reading_a_variable_of_the_outside_is_refused():
    outside = Parameter(value=1.0, label="outside")
    with pytest.raises(
        RuntimeError,
        match="Parameter `outside` was read inside `variable_jit` but is not part of its arguments",
    ):
        variable_jit(lambda x: outside.value + x)(1.0)
    with pytest.raises(RuntimeError, match="`outside` was read inside"):
        variable_jit(lambda x: outside.freeze().value + x)(1.0)


def test_assigning_a_variable_of_the_outside_is_refused():
    outside = StateVariable(1.0, label="outside")
    with pytest.raises(RuntimeError, match="StateVariable `outside` was assigned"):
        variable_jit(lambda x: outside.set_value(x))(1.0)
    assert outside.value == 1


def test_changing_a_variable_under_another_transformation_is_refused_as_a_whole():
    a, b = StateVariable(0.0, label="a"), StateVariable(0.0, label="b")

    @variable_jit
    def body(a, b, x):
        a.value = b.value = x
        return x

    with pytest.raises(RuntimeError, match="StateVariable `a` was assigned"):
        jax.grad(lambda x: body(a, b, x))(1.0)
    assert (a.value, b.value) == (0, 0)


def test_two_variables_with_one_label_conflict():
    with pytest.raises(VariableConflictError, match="Parameter `p` and another variable"):
        variable_jit(lambda a, b: None)(
            Parameter(value=1.0, label="p"), Parameter(value=1.0, label="p")
        )


def test_calls_nest():
    state = StateVariable(1, label="s")

    @variable_jit
    def inner(v):
        v.value = v.value + 1
        return v.value

    @variable_jit
    def outer(v):
        v.value = v.value * 10
        return inner(v) + v.value

    assert outer(state) == 22
    assert state.value == 11


def test_it_works_inside_gradients_of_frozen_values():
    unbound, values = unbind_variables({"w": Parameter(value=3.0, label="w")}, freeze=True)
    square = variable_jit(lambda m: m["w"].value ** 2)
    grads = jax.grad(lambda v: square(bind_variables(unbound, v)))(values)
    assert grads[0].value == 6


def test_gradients_inside_a_compiled_call_may_read_its_variables():
    loss = lambda x, model: (model["a"].value * x).sum()
    assert variable_jit(jax.grad(loss))(2.0, make_model()) == 3


def test_static_arguments_by_name_and_by_number():
    def body(model, n, *, flag=False):
        return model["a"].value * n if flag else len(range(n))

    by_name = variable_jit(body, static_argnames=("n", "flag"))
    assert by_name(make_model(), 3) == by_name(make_model(), n=3) == 3
    np.testing.assert_array_equal(by_name(make_model(), 3, flag=True), [3.0, 6.0])
    by_number = variable_jit(static_argnums=1)(body)
    assert by_number(make_model(), 4) == by_number(make_model(), n=4) == 4


def test_donated_arguments_keep_their_place():
    body = variable_jit(lambda a, b, *, c: a - b * c, donate_argnames="b")
    x = jnp.full(3, 2.0)
    np.testing.assert_array_equal(body(10.0, x, c=3.0), np.full(3, 4.0))
    assert x.is_deleted()


def test_arguments_are_donated_by_position_and_by_name_together():
    body = variable_jit(lambda a, b, c: (a * 2, b * c), donate_argnames=("a", "c"))
    x, y, z = jnp.full(3, 2.0), jnp.full(3, 3.0), jnp.full(3, 4.0)
    doubled, product = body(x, y, c=z)
    np.testing.assert_array_equal(doubled, np.full(3, 4.0))
    np.testing.assert_array_equal(product, np.full(3, 12.0))
    assert (x.is_deleted(), y.is_deleted(), z.is_deleted()) == (True, False, True)


def test_donating_variables_gives_their_memory_away_and_loses_no_variable():
    state = StateVariable(jnp.zeros(4), label="s")
    unchanged = StateVariable(jnp.ones(4), label="u")
    old = state.value
    add = variable_jit(lambda a, b: a.set_value(a.value + b.value), donate_variables=True)
    add(state, unchanged)
    add(state, unchanged)
    assert old.is_deleted()
    np.testing.assert_array_equal(state.value, np.full(4, 2.0))
    np.testing.assert_array_equal(unchanged.value, np.ones(4))


def test_unknown_argument_names_and_input_shardings_are_refused():
    with pytest.raises(
        ValueError, match="`static_argnames` names `z`, which is not an argument of"
    ):
        variable_jit(lambda x: x, static_argnames="z")
    with pytest.raises(ValueError, match="does not take `in_shardings`"):
        variable_jit(lambda x: x, in_shardings=None)


def test_a_compiled_layer_keeps_its_fields_to_itself():
    @pytree_dataclass
    class Adder(Struct):
        lower: jax.Array

        def __call__(self, x):
            return x + self.lower

    compiled = variable_jit(Adder(jnp.ones(2)))
    np.testing.assert_array_equal(compiled(1.0), [2.0, 2.0])
    assert compiled.lower(1.0).out_info[0].shape == (2,)


def test_an_argument_that_is_no_array_is_named_with_its_place():
    def step(model, settings, *, mode="train"):
        return model["a"].value

    with pytest.raises(
        TypeError,
        match=r"Expected arrays, numbers and variables in the arguments of `step`, but got "
        r"'adam', a `str`, at `args\[1\]\['name'\]`. Name the argument in `static_argnames`",
    ):
        variable_jit(step)(make_model(), {"name": "adam", "rate": 0.5})
    with pytest.raises(TypeError, match=r"'test', a `str`, at `kwargs\['mode'\]`"):
        variable_jit(step)(make_model(), None, mode="test")
    variable_jit(step, static_argnames="mode")(make_model(), None, mode="test")


def test_type_errors_of_the_function_pass_through():
    with pytest.raises(TypeError, match="^mine"):
        variable_jit(lambda m: (_ for _ in ()).throw(TypeError("mine")))(make_model())


def test_methods_and_names_survive_decoration():
    class Runner:
        @variable_jit
        def run(self, x):
            """Doubles."""
            return x * 2

    assert Runner.run.__doc__ == "Doubles."
    jax.tree_util.register_pytree_node(Runner, lambda r: ((), None), lambda *_: Runner())
    assert Runner().run(3) == 6


def test_clearing_the_cache_traces_anew():
    traces = []
    run = variable_jit(lambda x: traces.append(1))
    run(1)
    run.clear_cache()
    run(1)
    assert len(traces) == 2
