import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import nn
from modeldata.toolshed.isolate_submodel import IsolatedSubmodel, call_and_extract_submodel
from modeldata.toolshed.jit_wrapper import Jitted


@md.pytree_dataclass
class Noisy(nn.Layer):
    """Adds noise and counts its calls."""

    count: md.StateVariable
    scale: md.Parameter

    def __call__(self, argument, /, **side_inputs):
        self.count.value = self.count.value + 1
        noise = jax.random.normal(side_inputs["random_stream"].next_key(), argument.shape)
        return argument + self.scale.value * noise


def make(times=1):
    noisy = Noisy(md.StateVariable(1), md.Parameter(value=jnp.float32(2), label="scale"))
    double = nn.Elementwise(lambda x: x * 2)
    return nn.Sequential([double, noisy, double] * times)


def test_a_call_can_be_repeated_with_the_state_that_it_found():
    model, stream = make(), md.RandomStream.from_base_key(jax.random.key(0))
    stream.next_key()
    x = jnp.arange(3.0)
    selection = md.select(model).at_instances_of(Noisy)
    found = call_and_extract_submodel(selection, x, random_stream=stream)
    assert isinstance(found, IsolatedSubmodel)
    np.testing.assert_array_equal(found.saved_arg, x * 2)
    assert [int(value.value) for value in found.initial_var_values] == [1, 1]
    assert [int(value.value) for value in found.final_var_values] == [2, 2]
    assert model.sublayers[1].count.value == 2 and int(stream.offset.value) == 2
    assert not md.unbind_variables(found)[1]
    output, final = found.submodel.stateless_call(
        found.initial_var_values, found.saved_arg, **found.saved_side_inputs
    )
    np.testing.assert_array_equal(output, found.saved_output)
    assert [int(value.value) for value in final] == [2, 2]


def test_there_is_a_list_if_the_layer_is_not_called_once():
    stream = md.RandomStream.from_base_key(jax.random.key(0))

    @md.pytree_dataclass
    class Times(nn.Layer):
        inner: nn.Layer
        times: int = md.static_field()

        def __call__(self, argument, /, **side_inputs):
            for _ in range(self.times):
                argument = self.inner(argument, **side_inputs)
            return argument

    for times in (0, 3):
        selection = md.select(Times(make(), times)).at_instances_of(Noisy)
        found = call_and_extract_submodel(selection, jnp.ones(2), random_stream=stream)
        assert isinstance(found, list) and len(found) == times
    counts = [int(call.initial_var_values[0].value) for call in found]
    assert counts == [1, 2, 3]


def test_what_cannot_be_isolated_is_refused():
    model, x = make(2), jnp.ones(2)
    with pytest.raises(ValueError, match=r"one `Layer`, but selected are \['Noisy', 'Noisy'\]"):
        call_and_extract_submodel(md.select(model).at_instances_of(Noisy), x)
    with pytest.raises(ValueError, match=r"one `Layer`, but selected are none"):
        call_and_extract_submodel(md.select(model).at_instances_of(nn.Linear), x)
    with pytest.raises(
        ValueError, match="in a model, which can be called, but the tree is a `list`"
    ):
        call_and_extract_submodel(md.select([nn.Identity()]).at_instances_of(nn.Identity), x)
    jitted = md.select(nn.Sequential([Jitted(nn.Softmax("a"))])).at_instances_of(nn.Softmax)
    with pytest.raises(RuntimeError, match="the selected `Softmax` outside of compiled code"):
        call_and_extract_submodel(jitted, md.nx.ones({"a": 2}))
