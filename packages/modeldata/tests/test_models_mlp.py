import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import nn, nx
from modeldata.models import simple_mlp

SIZES = [3, 5, 4, 2]


def parameters(model):
    return {p.label: p.value for p in md.unbind_params(model)[1]}


def test_a_perceptron_is_affine_maps_with_a_function_between():
    mlp = simple_mlp.MLP.from_config("net", jax.random.key(0), SIZES, activation_fn=jnp.tanh)
    found = parameters(mlp)
    x = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    expected = x
    for i in range(3):
        weights = found[f"net/Affine_{i}/Linear.weights"].unwrap("features_out", "features")
        bias = found[f"net/Affine_{i}/AddBias.bias"].unwrap("features")
        expected = np.asarray(expected @ weights.T + bias)
        expected = np.tanh(expected) if i < 2 else expected
    result = mlp(nx.wrap(x, "batch", "features"))
    assert result.named_shape == {"batch": 7, "features": 2}
    np.testing.assert_allclose(result.unwrap("batch", "features"), expected, atol=1e-5)


def test_without_a_key_the_model_has_slots_for_the_same_parameters():
    full, values = md.unbind_params(simple_mlp.MLP.from_config("m", jax.random.key(0), SIZES))
    assert simple_mlp.MLP.from_config("m", None, SIZES) == full
    assert len(values) == 6


def test_dropout_draws_from_the_random_stream_until_it_is_disabled():
    mlp = simple_mlp.DropoutMLP.from_config(
        "m", jax.random.key(0), [3, 16, 2], drop_rate=0.5, feature_axis="f"
    )
    x = nx.ones({"f": 3})
    drawn = [
        mlp(x, random_stream=md.RandomStream.from_base_key(jax.random.key(i))).unwrap("f")
        for i in range(4)
    ]
    assert len({tuple(np.asarray(y).tolist()) for y in drawn}) > 1
    plain = (
        md.select(mlp).at_instances_of(nn.StochasticDropout).apply(lambda layer: layer.disable())
    )
    same = simple_mlp.MLP.from_config("m", jax.random.key(0), [3, 16, 2], feature_axis="f")
    np.testing.assert_array_equal(plain(x).unwrap("f"), same(x).unwrap("f"))


@pytest.mark.parametrize("kind", [simple_mlp.MLP, simple_mlp.DropoutMLP])
def test_fewer_than_two_sizes_are_refused(kind):
    options = {"drop_rate": 0.1} if kind is simple_mlp.DropoutMLP else {}
    with pytest.raises(ValueError, match=r"at least two `feature_sizes`, .* but got \[3\]"):
        kind.from_config("m", None, [3], **options)
