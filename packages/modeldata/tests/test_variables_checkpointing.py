"""Computing again what was not kept."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata.variables import Parameter, StateVariable, variable_checkpoint, variable_grad


def make_model():
    return {
        "w": Parameter(value=jnp.arange(1.0, 4.0), label="w"),
        "s": StateVariable(0.0, label="s"),
    }


def body(model, x):
    model["s"].value = model["s"].value + x
    return jnp.sin(jnp.sin(model["w"].value * x)).sum()


def residuals(fun, w):
    """How many arrays of the size of `w` are kept for the backward pass."""
    _, pullback = jax.vjp(fun, w)
    return sum(leaf.shape == w.shape for leaf in jax.tree.leaves(pullback))


def test_less_is_kept_unless_the_policy_says_so():
    keep = jax.checkpoint_policies.everything_saveable
    pure = lambda f: lambda w: f({**make_model(), "w": Parameter(value=w, label="w")}, 2.0)
    w = jnp.arange(1.0, 4.0)
    plain = residuals(pure(body), w)
    assert residuals(pure(variable_checkpoint(body)), w) < plain
    assert residuals(pure(variable_checkpoint(body, policy=keep)), w) >= plain - 1


def test_state_changes_once_although_the_function_runs_again():
    model, plain = make_model(), make_model()
    found = variable_grad(variable_checkpoint(body))(model, 2.0)
    expected = variable_grad(body)(plain, 2.0)
    np.testing.assert_allclose(found["w"].value, expected["w"].value, rtol=1e-6)
    assert model["s"].value == plain["s"].value == 2


def test_static_arguments_are_kept_from_tracing():
    def power(model, times, *, shout=False):
        assert isinstance(times, int)
        assert shout in (False, "yes")
        return sum(model["w"].value.sum() for _ in range(times))

    by_name = variable_checkpoint(power, static_argnames=("times", "shout"))
    assert by_name(make_model(), 2, shout="yes") == by_name(make_model(), times=2) == 12
    assert variable_checkpoint(static_argnums=1, prevent_cse=False)(power)(make_model(), 3) == 18
    with pytest.raises(ValueError, match="`static_argnames` names `z`, which is not an argument"):
        variable_checkpoint(power, static_argnames="z")
