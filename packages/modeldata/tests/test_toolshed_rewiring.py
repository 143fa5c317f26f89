"""Mixing worlds, and linear approximations of layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nn
from modeldata.named import wrap
from modeldata.toolshed.model_rewiring import From, LinearizeAndAdjust, RewireComputationPaths
from modeldata.variables import Parameter, variable_jit

DATA = np.arange(6.0, dtype=np.float32).reshape(3, 2)
WORLDS = ("clean", "corrupt", "patched")


def rewire(**taking):
    return RewireComputationPaths("worlds", WORLDS, {**{w: From(w) for w in WORLDS}, **taking})


def x():
    return wrap(DATA, "worlds", "a")


def test_a_world_takes_its_values_from_another():
    result = rewire(patched=From("clean"))(x()).unwrap("worlds", "a")
    np.testing.assert_array_equal(result, DATA[[0, 1, 0]])


def test_weighted_sources_add_up_and_none_give_zeros():
    layer = rewire(patched=(From("clean", 0.25), From("corrupt", -1.0)), corrupt=())
    expected = np.stack([DATA[0], 0 * DATA[0], 0.25 * DATA[0] - DATA[1]])
    np.testing.assert_allclose(layer(x()).unwrap("worlds", "a"), expected)


def test_weights_may_have_axes_and_gradients_and_share_compiled_code():
    traces = []

    @variable_jit
    def run(layer, x):
        traces.append(1)
        return layer(x)

    for scale in (1.0, 2.0):
        weights = wrap(scale * np.arange(2.0, dtype=np.float32), "experiment")
        result = run(rewire(patched=From("clean", weights)), x())
        patched = result[{"worlds": 2}].unwrap("experiment", "a")
        np.testing.assert_allclose(patched, scale * np.arange(2.0)[:, None] * DATA[0])
    assert len(traces) == 1
    loss = lambda w: rewire(patched=From("clean", w))(x()).unwrap("worlds", "a")[2].sum()
    assert float(jax.grad(loss)(1.0)) == DATA[0].sum()


def test_worlds_that_do_not_fit_are_described():
    with pytest.raises(
        ValueError, match=r"one entry of `taking` for each of the worlds .* but got \['clean'\]"
    ):
        RewireComputationPaths("worlds", WORLDS, {"clean": From("clean")})(x())
    with pytest.raises(ValueError, match=r"but takes from \['other'\]"):
        rewire(clean=From("other"))(x())
    with pytest.raises(
        ValueError, match="the axis `worlds` of size 3, one for each world, but got {'a': 3}"
    ):
        rewire()(wrap(np.arange(3.0), "a"))


def test_a_linear_approximation_follows_its_formula():
    layer = LinearizeAndAdjust(
        nn.Elementwise(jnp.cos), lambda argument, **_: argument * 2, nn.Elementwise(jnp.exp)
    )
    p, e = np.cos(DATA), DATA * 2
    expected = np.exp(p) + np.exp(p) * (e - p)
    np.testing.assert_allclose(layer(x()).unwrap("worlds", "a"), expected, rtol=1e-5)
    np.testing.assert_allclose(layer(jnp.asarray(DATA)), expected, rtol=1e-5)


def test_a_linear_layer_is_its_own_approximation_and_points_may_differ_in_axes():
    weights = wrap(np.arange(2.0, dtype=np.float32), "a")
    target = nn.NormScale(Parameter(value=weights, label="w"))
    first = lambda argument, **_: argument[{"worlds": 0}]
    result = LinearizeAndAdjust(first, nn.Identity(), target)(x())
    np.testing.assert_allclose(result.unwrap("worlds", "a"), DATA * np.arange(2.0))
    fixed = LinearizeAndAdjust(nn.Identity(), first, nn.Elementwise(jnp.square))(x())
    expected = DATA**2 + 2 * DATA * (DATA[0] - DATA)
    np.testing.assert_allclose(fixed.unwrap("worlds", "a"), expected, atol=1e-5)
