"""Standardization and its layers, against NumPy in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata import nn
from modeldata.named import wrap
from modeldata.variables import Parameter, unbind_params

SIZES = {"a": 2, "b": 3, "c": 4}


def named(order, dtype=np.float32):
    data = np.random.default_rng(0).normal(2, 3, size=[SIZES[n] for n in order])
    return wrap(jnp.asarray(data, dtype), *order)


def rms(x, axes, epsilon):
    return x / np.sqrt((x**2).mean(axes, keepdims=True) + epsilon)


def standardized(x, axes, epsilon):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


@settings(max_examples=8)
@given(
    st.permutations("abc"),
    st.sampled_from(["b", ("a", "c")]),
    st.sampled_from([(nn.RMSStandardize, rms), (nn.Standardize, standardized)]),
)
def test_standardizing_follows_its_formula_over_joint_axes(order, across, kind):
    layer, formula = kind
    x = named(order)
    axes = tuple("abc".index(n) for n in across)
    expected = formula(np.asarray(x.unwrap(*"abc"), np.float64), axes, 1e-2)
    result = layer(across, 1e-2)(x)
    assert result.dims == x.dims
    # Differences of numbers of order 1 are exact to float32 of 1, however small they are.
    np.testing.assert_allclose(result.unwrap(*"abc"), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [nn.RMSStandardize("a"), nn.Standardize("a")])
def test_sums_are_taken_in_float32_and_the_dtype_is_kept(layer):
    values = np.random.default_rng(1).normal(size=4096) + (
        10 if type(layer) is nn.RMSStandardize else 0
    )
    x = wrap(jnp.asarray(values, jnp.bfloat16), "a")
    result = layer(x)
    exact = layer(wrap(jnp.asarray(x.data_array, jnp.float32), "a"))
    assert result.dtype == jnp.bfloat16
    np.testing.assert_array_equal(result.data_array, exact.data_array.astype(jnp.bfloat16))


@pytest.mark.parametrize("name", ["RMSStandardize", "Standardize"])
def test_a_missing_axis_is_named(name):
    with pytest.raises(ValueError, match=f"`{name}` needs an input with the axes `z`"):
        getattr(nn, name)("z")(named("abc"))


def test_a_norm_scale_multiplies_and_keeps_dtype_and_order():
    scale = nn.NormScale(Parameter(value=wrap(jnp.arange(3.0), "b"), label="s"))
    x = named("cba")
    np.testing.assert_allclose(
        scale(x).unwrap(*"abc"), x.unwrap(*"abc") * np.arange(3.0)[:, None], rtol=1e-6
    )
    assert scale(x).dims == x.dims
    assert scale(named("abc", jnp.bfloat16)).dtype == jnp.bfloat16
    with pytest.raises(ValueError, match=r"`NormScale` needs an input with the axes {'b': 3}"):
        scale(wrap(jnp.ones(3), "a"))


def test_rms_layer_norm_standardizes_and_scales():
    layer = nn.RMSLayerNorm.from_config("norm", jax.random.key(0), {"b": 3}, epsilon=1e-3)
    parameter = layer.sublayers[1].scale
    assert parameter.label == "norm/scale.weights"
    np.testing.assert_array_equal(parameter.value.unwrap("b"), np.ones(3))
    parameter.value = wrap(jnp.array([1.0, 2.0, 3.0]), "b")
    x = named("bca")
    expected = rms(np.asarray(x.unwrap(*"acb"), np.float64), -1, 1e-3) * [1, 2, 3]
    np.testing.assert_allclose(layer(x).unwrap(*"acb"), expected, rtol=1e-5)


@pytest.mark.reference
def test_layer_norm_equals_torch():
    torch = pytest.importorskip("torch")
    layer = nn.LayerNorm.from_config("norm", jax.random.key(0), {"b": 3, "c": 4}, epsilon=1e-5)
    rng = np.random.default_rng(2)
    scale, shift = rng.normal(size=(2, 3, 4)).astype(np.float32)
    layer.sublayers[1].scale.value = wrap(scale, "b", "c")
    layer.sublayers[2].bias.value = wrap(shift, "b", "c")
    x = named("cab")
    expected = torch.nn.functional.layer_norm(
        torch.tensor(np.array(x.unwrap(*"abc"))),
        (3, 4),
        torch.tensor(scale),
        torch.tensor(shift),
        1e-5,
    )
    np.testing.assert_allclose(layer(x).unwrap(*"abc"), expected.numpy(), atol=1e-5)


def test_layer_norm_labels_its_scale_and_shift():
    _, parameters = unbind_params(nn.LayerNorm.from_config("n", jax.random.key(0), {"b": 3}))
    assert [p.label for p in parameters] == ["n/scale.weights", "n/shift.bias"]


def test_norm_scales_are_not_linear_maps():
    layer = nn.LayerNorm.from_config("n", None, {"b": 3})
    assert not any(isinstance(sublayer, nn.Linear) for sublayer in layer.sublayers)


def test_norms_take_initializers_for_their_parameters():
    two, three = nn.constant_initializer(2.0), nn.constant_initializer(3.0)
    key, axes = jax.random.key(0), {"a": 2}
    rms = nn.RMSLayerNorm.from_config("n", key, axes, initializer=two)
    norm = nn.LayerNorm.from_config("n", key, axes, scale_initializer=two, shift_initializer=three)
    for layer in (rms, norm):
        np.testing.assert_array_equal(layer.sublayers[1].scale.value.unwrap("a"), [2.0, 2.0])
    np.testing.assert_array_equal(norm.sublayers[2].bias.value.unwrap("a"), [3.0, 3.0])
