import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import nn, nx
from modeldata.toolshed.lora import LowRankAdapter, loraify_linears_in_selection

KEY = jax.random.key(0)
X = nx.wrap(np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32), "batch", "a")


def linear():
    made = nn.Linear.from_config("l", KEY, {"a": 4}, {"b": 5})
    assert isinstance(made, nn.Linear)
    return made


def trained(adapter):
    """Gives the second factor values, which are zero at first."""
    for parameter in md.unbind_params(adapter)[1]:
        if parameter.label.endswith("LoRA_B.weights"):
            draw = np.random.default_rng(1).normal(size=parameter.value.data_array.shape)
            parameter.value = parameter.value.replace(data_array=jnp.asarray(draw, jnp.float32))
    return adapter


def numbers(tree):
    return {p.label: np.asarray(p.value.data_array) for p in md.unbind_params(tree)[1]}


@pytest.mark.parametrize("alpha", [None, 6.0])
def test_an_adapter_adds_a_product_of_two_small_maps(alpha):
    adapter = LowRankAdapter.from_linear(linear(), "x", KEY, 2, alpha=alpha)
    np.testing.assert_array_equal(adapter(X).data_array, linear()(X).data_array)
    found = numbers(trained(adapter))
    assert set(found) == {"l.weights", "x/LoRA_A.weights", "x/LoRA_B.weights"}
    change = found["x/LoRA_B.weights"] @ found["x/LoRA_A.weights"] * (alpha or 2) / 2
    expected = np.asarray(X.data_array) @ (found["l.weights"] + change).T
    np.testing.assert_allclose(adapter(X).unwrap("batch", "b"), expected, atol=1e-5)
    merged = adapter.merged()
    assert isinstance(merged, nn.Linear) and set(numbers(merged)) == {"l.weights"}
    np.testing.assert_allclose(merged(X).unwrap("batch", "b"), expected, atol=1e-5)


def test_adapters_in_a_stack_have_its_axis_and_only_they_are_parameters():
    def block(init_base_rng):
        norm = nn.RMSLayerNorm.from_config("norm", init_base_rng, {"a": 4})
        map_ = nn.Linear.from_config("map", init_base_rng, {"a": 4}, {"a": 4})
        return nn.Residual(nn.Sequential([norm, map_]))

    stack = md.freeze_params(nn.LayerStack.from_sublayer_builder(block, "blocks", 2, KEY))
    adapted = loraify_linears_in_selection(md.select(stack), 3, KEY)
    np.testing.assert_allclose(adapted(X).data_array, stack(X).data_array, atol=1e-6)
    labels = {p.label: p.value.named_shape for p in md.unbind_params(trained(adapted))[1]}
    assert [*labels.values()] == [
        {"blocks": 2, "lowrank": 3, "a": 4},
        {"blocks": 2, "a_out": 4, "lowrank": 3},
    ]
    assert all(label.startswith("LoRA:LayerStack.stacked_sublayers/") for label in labels)
    merge = md.select(adapted).at_instances_of(LowRankAdapter).apply(lambda layer: layer.merged())
    assert jax.tree.structure(merge) == jax.tree.structure(stack)
    np.testing.assert_allclose(merge(X).data_array, adapted(X).data_array, rtol=1e-4, atol=1e-5)
    assert not np.allclose(adapted(X).data_array, stack(X).data_array, atol=0.1)


def test_mistakes_are_described():
    with pytest.raises(TypeError, match="Expected a `Linear` to adapt, but got a `Identity`"):
        LowRankAdapter.from_linear(nn.Identity(), "x", KEY, 2)  # pyright: ignore[reportArgumentType]  # a slip
    with pytest.raises(ValueError, match="`rank` of at least 1 .* but got 0 and 'lowrank'"):
        LowRankAdapter.from_linear(linear(), "x", KEY, 0)
    with pytest.raises(ValueError, match="`lowrank_axis` that the map does not have, .*'a'"):
        LowRankAdapter.from_linear(linear(), "x", KEY, 2, lowrank_axis="a")
    with pytest.raises(ValueError, match="at least one `Linear` inside of what is selected"):
        loraify_linears_in_selection(md.select(nn.Identity()), 2, KEY)
    adapter = LowRankAdapter.from_linear(linear(), "x", KEY, 2)
    edited = md.select(adapter).at_instances_of(nn.Linear).insert_after(nn.Identity())
    with pytest.raises(ValueError, match="an adapter as `from_linear` makes it"):
        edited.merged()
