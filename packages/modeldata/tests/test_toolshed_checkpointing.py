"""The layer that computes again what was not kept."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nn
from modeldata._random import RandomStream
from modeldata.named import wrap
from modeldata.selectors import select
from modeldata.toolshed.gradient_checkpointing import Checkpointed
from modeldata.toolshed.save_intermediates import SaveIntermediate
from modeldata.variables import Parameter, variable_grad, variable_jit

SIZES = {"features": 3}


def make_model():
    affine = nn.Affine.from_config("a", jax.random.key(0), SIZES, SIZES)
    dropout = nn.StochasticDropout(0.5)
    return nn.Sequential([affine, dropout, nn.Elementwise(jnp.tanh), affine])


def loss(model, x, stream):
    return (model(x, random_stream=stream) ** 2).untag("features").sum()


@pytest.mark.parametrize("policy", [None, jax.checkpoint_policies.everything_saveable])
def test_values_gradients_and_state_are_those_of_the_layer(policy):
    model, x = make_model(), wrap(jnp.arange(3.0), "features")
    checkpointed = Checkpointed(model, policy)
    streams = [RandomStream.from_base_key(jax.random.key(1)) for _ in range(2)]
    gradient = variable_jit(variable_grad(loss))
    expected = gradient(model, x, streams[0])
    found = gradient(checkpointed, x, streams[1])
    values = [jax.tree.leaves(tree) for tree in (expected, found)]
    assert len(values[0]) == 2  # the two parameters of the shared layer
    for a, b in zip(*values, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert streams[0].offset.value == streams[1].offset.value == 1


def test_state_inside_and_a_struct_as_argument_work_eagerly():
    saver = SaveIntermediate()
    stream = RandomStream.from_base_key(jax.random.key(1))
    layer = Checkpointed(nn.Sequential([nn.Identity(), saver]))
    saver.saved.value = jnp.zeros(2)
    layer({"x": jnp.ones(2), "stream": stream}["x"])
    np.testing.assert_array_equal(saver.saved.value, jnp.ones(2))


def test_equal_layers_share_compiled_code_and_parameters_stay_selectable():
    layer = Checkpointed(make_model(), jax.checkpoint_policies.dots_saveable)
    assert jax.tree.structure(layer) == jax.tree.structure(
        Checkpointed(layer.body, jax.checkpoint_policies.dots_saveable)
    )
    assert select(layer).at_instances_of(Parameter).count() == 4
    assert len(jax.tree.leaves(Checkpointed(nn.Identity(), None))) == 0
