"""What all transforms that thread variables promise alike."""

from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata._struct import Struct, pytree_dataclass
from modeldata.variables import (
    Parameter,
    StateVariable,
    VariableConflictError,
    freeze_variables,
    variable_checkpoint,
    variable_grad,
    variable_jit,
    variable_scan,
    variable_value_and_grad,
    variable_vmap,
)


def loop(fun):
    """Makes of a function of a tree and an array a loop of three steps."""

    def step(carry, x, *args):
        return carry, fun(*args, x)

    def looped(*args):
        return variable_scan(step, 0.0, jnp.arange(3.0), args=args[:-1])[1]

    return looped


# Each makes a function of a tree with variables and a number.
TRANSFORMS = {
    "variable_jit": variable_jit,
    "variable_grad": lambda f: variable_grad(lambda tree, x: jnp.sum(f(tree, x)), argnums=1),
    "variable_vmap": lambda f: (
        lambda tree, x: variable_vmap(f, in_axes=(None, 0))(tree, jnp.full(3, x))
    ),
    "variable_scan": loop,
    "variable_checkpoint": variable_checkpoint,
}
PLAIN = {
    "jit": lambda f: jax.jit(f),
    "grad": lambda f: jax.grad(lambda x: jnp.sum(f(x))),
    "vmap": lambda f: lambda x: jax.vmap(f)(jnp.full(3, x)),
    "scan": lambda f: lambda x: jax.lax.scan(lambda c, y: (c, f(y)), 0.0, jnp.full(3, x)),
    "checkpoint": jax.checkpoint,
    "cond": lambda f: lambda x: jax.lax.cond(x > 0, f, lambda y: y, x),
    "while": lambda f: lambda x: jax.lax.while_loop(lambda y: y < 3, lambda y: f(y) + 1, x),
}
each = pytest.mark.parametrize("name", TRANSFORMS)


def make_state():
    return StateVariable(jnp.float32(0), label="count")


def count(tree, x):
    tree["count"].value = tree["count"].value + 1
    return tree["count"].value * x


@each
def test_state_goes_on_from_call_to_call(name):
    state = make_state()
    run = TRANSFORMS[name](count)
    run({"count": state}, 2.0)
    once = float(state.value)
    run({"count": state}, 2.0)
    assert once == (3 if name == "variable_scan" else 1)
    assert float(state.value) == 2 * once


@each
def test_a_variable_of_the_outside_cannot_be_read(name):
    outside = Parameter(value=2.0, label="outside")
    match = rf"Parameter `outside` was read inside `{name}` but is not part of its arguments, .*"
    place = "in `args`" if name == "variable_scan" else "as an argument"
    with pytest.raises(RuntimeError, match=f"{match}Pass it, or the model that holds it, {place}"):
        TRANSFORMS[name](lambda tree, x: outside.value * x)({}, 1.0)
    with pytest.raises(RuntimeError, match=match):
        TRANSFORMS[name](lambda tree, x: outside.freeze().value * x)({}, 1.0)
    assert outside.value == 2


@each
def test_a_variable_of_the_outside_cannot_be_assigned(name):
    outside = make_state()

    def body(tree, x):
        outside.value = x
        return x

    with jax.checking_leaks(), pytest.raises(RuntimeError, match="`count` was assigned inside a"):
        TRANSFORMS[name](body)({}, 1.0)
    assert float(outside.value) == 0


@pytest.mark.parametrize("name", PLAIN)
def test_nor_inside_plain_transformations(name):
    outside = make_state()

    def body(x):
        outside.value = x
        return x

    with pytest.raises(
        RuntimeError,
        match="StateVariable `count` was assigned inside a JAX transformation that it does not "
        "belong to.* as an argument to `variable_jit`, `variable_grad`.*`unbind_variables`",
    ):
        PLAIN[name](body)(1.0)
    assert float(outside.value) == 0


@pytest.mark.parametrize("inner", TRANSFORMS)
@pytest.mark.parametrize("name", ["grad", "vmap", "jit"])
def test_an_inner_transform_cannot_change_what_a_plain_one_around_it_does_not_own(name, inner):
    outside = make_state()
    with pytest.raises(RuntimeError, match="StateVariable `count` was assigned inside"):
        PLAIN[name](lambda x: TRANSFORMS[inner](count)({"count": outside}, x))(1.0)
    assert float(outside.value) == 0


@pytree_dataclass
class Model(Struct):
    """A model with a parameter, a counter and a constant."""

    w: Parameter
    count: StateVariable
    constant: jax.Array

    def __call__(self, x, *rest):
        self.count.value = self.count.value + 1
        return (self.w.value * x * self.constant).sum()


@pytree_dataclass
class Step(Struct):
    """A step of a loop."""

    model: Model

    def __call__(self, carry, x):
        return carry + self.model(x), x


def make_callable():
    return Model(Parameter(value=jnp.arange(3.0), label="w"), make_state(), jnp.float32(2))


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (lambda m: variable_jit(m)(2.0), 12),
        (lambda m: variable_jit(m, static_argnums=1)(2.0, "static"), 12),
        (lambda m: variable_grad(m)(2.0), 6),
        (lambda m: variable_vmap(m)(jnp.full(2, 2.0))[1], 12),
        (lambda m: variable_checkpoint(m)(2.0), 12),
        (lambda m: variable_scan(Step(m), 0.0, jnp.full(1, 2.0))[0], 12),
        (
            lambda m: jax.grad(lambda x: variable_checkpoint(m.replace(count=make_state()))(x))(
                2.0
            ),
            6,
        ),
    ],
    ids=["jit", "jit static", "grad", "vmap", "checkpoint", "scan", "checkpoint in grad"],
)
def test_a_model_can_be_transformed_itself(transform, expected):
    model = make_callable()
    for _ in range(2):
        assert transform(model) == expected
    model.w.value = model.w.value * 2
    assert transform(model) == 2 * expected


def test_a_callable_tree_that_holds_functions_is_a_plain_function():
    partial = jax.tree_util.Partial(lambda f, x: f(x), jnp.sin)
    np.testing.assert_allclose(variable_jit(partial)(1.0), np.sin(1.0), rtol=1e-6)


@each
def test_a_transformed_model_keeps_its_state(name):
    model = make_callable()
    run = {
        "variable_jit": lambda: variable_jit(model)(1.0),
        "variable_grad": lambda: variable_grad(model)(1.0),
        "variable_vmap": lambda: variable_vmap(model)(jnp.ones(2)),
        "variable_checkpoint": lambda: variable_checkpoint(model)(1.0),
        "variable_scan": lambda: variable_scan(Step(model), 0.0, jnp.ones(1)),
    }[name]
    run()
    run()
    assert float(model.count.value) == 2


@each
def test_a_variable_cannot_be_returned(name):
    with pytest.raises(
        ValueError,
        match=f"Returning a variable from `{name}` is not possible, but StateVariable `count`",
    ):
        if name == "variable_grad":
            variable_grad(lambda tree, x: (x, tree), argnums=1, has_aux=True)(make_state(), 1.0)
        else:
            TRANSFORMS[name](lambda tree, x: {"a": tree})(make_state(), 1.0)


@each
def test_nothing_changes_if_the_function_raises(name):
    state = make_state()

    def body(tree, x):
        count(tree, x)
        raise KeyError("stop")

    with jax.checking_leaks(), pytest.raises(KeyError, match="stop"):
        TRANSFORMS[name](body)({"count": state}, 1.0)
    assert float(state.value) == 0


@each
def test_no_tracer_leaks(name):
    state = make_state()
    with jax.checking_leaks():
        result = TRANSFORMS[name](count)({"count": state}, 1.0)
    assert not any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves(result))
    assert not isinstance(state.value, jax.core.Tracer)


@each
def test_two_variables_with_one_label_conflict(name):
    with pytest.raises(VariableConflictError, match="StateVariable `count` and another variable"):
        TRANSFORMS[name](lambda tree, x: x)([make_state(), make_state()], 1.0)


@each
def test_unchanged_variables_keep_the_very_array(name):
    tree = {"count": make_state(), "w": Parameter(value=jnp.ones(2), label="w")}
    before = tree["w"].value
    TRANSFORMS[name](lambda tree, x: count(tree, x) * tree["w"].value.sum())(tree, 1.0)
    assert tree["w"].value is before


@each
def test_transforms_work_without_jit(name):
    state = make_state()
    with jax.disable_jit():
        TRANSFORMS[name](count)({"count": state}, 1.0)
        with pytest.raises(RuntimeError, match="`count` was assigned"):
            TRANSFORMS[name](lambda tree, x: state.set_value(2.0))({}, 1.0)
    assert float(state.value) in {1, 3}


@each
def test_compiled_a_second_call_with_equal_structure_compiles_nothing(name):
    traces = []

    def body(tree, x):
        traces.append(1)
        return count(tree, x)

    compiled = variable_jit(TRANSFORMS[name](body))
    compiled({"count": make_state()}, 1.0)
    first = len(traces)
    for _ in range(2):
        compiled({"count": make_state()}, 2.0)
    assert len(traces) == first
    assert compiled._cache_size() == 1


@pytest.fixture
def compilations():
    """A list that grows with everything that XLA compiles."""
    seen = []

    def listen(event, duration, **kwargs):
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    jax.jit(lambda x: x + 0.125)(1.0)
    assert len(seen) == 1
    yield seen
    jax.monitoring.unregister_event_duration_listener(listen)


@each
def test_a_second_eager_call_with_equal_structure_compiles_nothing(name, compilations):
    run = TRANSFORMS[name](count)
    for x in (1.0, 2.0):  # the second call has a state that was computed, not made
        run({"count": StateVariable(jnp.float32(x))}, x)
    before = len(compilations)
    run({"count": StateVariable(jnp.float32(5))}, 3.0)
    assert len(compilations) == before


@each
def test_threads_do_not_disturb_each_other(name):
    run = variable_jit(TRANSFORMS[name](count))
    looking = variable_jit(freeze_variables)

    def work(number):
        state = StateVariable(jnp.float32(number * 1000))
        for _ in range(5):
            run({"count": state}, 1.0)
            assert looking(state).label == state.label
        return float(state.value) - number * 1000

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(8))) == {15.0 if name == "variable_scan" else 5.0}


def test_a_local_variable_may_be_made_and_changed_inside():
    def body(tree, x):
        local = StateVariable(x)
        local.value = local.value + 1
        return local.value.sum()

    for name, transform in TRANSFORMS.items():
        assert np.all(np.isfinite(jax.tree.leaves(transform(body)({}, 1.0))[0])), name


def test_gradients_inside_a_compiled_training_step():
    model = {"w": Parameter(value=jnp.array([1.0, 2.0]), label="w"), "count": make_state()}

    @variable_jit
    def train(model, x):
        loss = lambda m: count(m, (m["w"].value * x).sum())
        value, grads = variable_value_and_grad(loss)(model)
        model["w"].value = model["w"].value - 0.5 * grads["w"].value
        return value

    assert train(model, 2.0) == 6
    np.testing.assert_array_equal(model["w"].value, [0.0, 1.0])
    assert float(model["count"].value) == 1
    train(model, 2.0)
    assert train._cache_size() == 1


def test_frozen_models_work_as_with_plain_jax():
    model = freeze_variables({"w": Parameter(value=jnp.ones(2), label="w")})
    loss = lambda m: (m["w"].value ** 2).sum()
    found, expected = variable_grad(loss)(model), jax.grad(loss)(model)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    np.testing.assert_array_equal(found["w"].value, expected["w"].value)
