"""Dropout."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nn
from modeldata._random import RandomStream
from modeldata.named import wrap


def stream():
    return RandomStream.from_base_key(jax.random.key(0))


def test_elements_are_dropped_at_the_rate_and_the_mean_stays():
    x = wrap(jnp.ones((100, 200)), "a", "b")
    result = nn.StochasticDropout(0.25)(x, random_stream=stream()).unwrap("a", "b")
    assert set(np.unique(result)) == {0, np.float32(1 / 0.75)}
    assert float((result == 0).mean()) == pytest.approx(0.25, abs=0.01)


def test_each_call_drops_others_and_the_same_stream_drops_the_same():
    x, layer, source = wrap(jnp.ones(100), "a"), nn.StochasticDropout(0.5), stream()
    first, second = (np.asarray(layer(x, random_stream=source).data_array) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(layer(x, random_stream=stream()).data_array, first)


def test_elements_along_shared_axes_are_dropped_together():
    x = wrap(jnp.ones((50, 20)), "long", "b")
    for shared in ("b", ("b",)):
        result = nn.StochasticDropout(0.5, shared)(x, random_stream=stream()).unwrap("long", "b")
        np.testing.assert_array_equal(result, np.broadcast_to(result[:, :1], (50, 20)))
        assert len(np.unique(result[:, 0])) == 2


@pytest.mark.parametrize(("rate", "value"), [(0.0, 1), (1.0, 0)])
def test_the_extreme_rates_keep_all_and_nothing(rate, value):
    x = wrap(jnp.ones(20, jnp.bfloat16), "a")
    result = nn.StochasticDropout(rate)(x, random_stream=stream())
    assert result.dtype == jnp.bfloat16
    np.testing.assert_array_equal(result.data_array, np.full(20, value))


def test_disabling_and_enabling_keep_all_settings():
    layer = nn.StochasticDropout(0.5, ("a",), "noise")
    disabled = layer.disable()
    assert disabled(3) == 3
    assert disabled.enable() == layer
    assert nn.maybe_dropout(0.5, ("a",), "noise") == layer
    assert nn.maybe_dropout(None, ("a",)) == nn.DisabledDropout(0.0, ("a",))


def test_mistakes_are_described():
    x = wrap(jnp.ones(3), "a")
    with pytest.raises(
        nn.MissingSideInputError, match="`StochasticDropout` needs the side input `noise`"
    ):
        nn.StochasticDropout(0.5, (), "noise")(x, random_stream=stream())
    with pytest.raises(ValueError, match="needs an input with the axes `z`"):
        nn.StochasticDropout(0.5, "z")(x, random_stream=stream())
    with pytest.raises(TypeError, match="`StochasticDropout` needs a `NamedArray`"):
        nn.StochasticDropout(0.5)(jnp.ones(3), random_stream=stream())
    with pytest.raises(TypeError, match="needs floating numbers, but got int32. Convert"):
        nn.StochasticDropout(0.5)(x.astype(jnp.int32), random_stream=stream())
    with pytest.raises(TypeError, match="needs a `RandomStream` in `random_stream`, but got"):
        nn.StochasticDropout(0.5)(x, random_stream=jax.random.key(0))
    with pytest.raises(ValueError, match="`drop_rate` from 0 to 1, but got 1.5. For no"):
        nn.maybe_dropout(1.5)
