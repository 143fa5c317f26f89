"""Tools of the toolshed that are layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nn
from modeldata._random import RandomStream
from modeldata._struct import pytree_dataclass
from modeldata.named import wrap
from modeldata.toolshed.jit_wrapper import Jitted
from modeldata.toolshed.model_rewiring import KnockOutAttentionHeads
from modeldata.toolshed.save_intermediates import SaveIntermediate
from modeldata.variables import unbind_state_vars, variable_jit


def attention():
    data = np.random.default_rng(0).random((2, 3, 4)).astype(np.float32)
    return data / data.sum(-1, keepdims=True)


def test_a_saved_value_is_what_flowed_through():
    saver = SaveIntermediate()
    model = nn.Sequential([nn.Elementwise(jnp.exp), saver, nn.Elementwise(jnp.log)])
    x = wrap(jnp.arange(3.0), "a")
    assert saver.saved.value is None
    result = model(x, anything=1)
    np.testing.assert_allclose(saver.saved.value.unwrap("a"), np.exp(np.arange(3)), rtol=1e-6)
    np.testing.assert_allclose(result.unwrap("a"), np.arange(3), atol=1e-6)


def test_a_saver_works_in_compiled_code_and_keeps_the_last_call():
    saver = SaveIntermediate()
    model = nn.Sequential([saver, nn.Elementwise(jnp.negative), saver])
    result = variable_jit(lambda m, x: m(x))(model, jnp.ones(2))
    np.testing.assert_array_equal(saver.saved.value, result)


def test_two_new_savers_do_not_conflict():
    _, states = unbind_state_vars([SaveIntermediate(), SaveIntermediate()])
    assert len({state.label for state in states}) == 2


def test_knocked_out_heads_attend_to_the_first_key():
    mask = np.array([1.0, 0.25])
    layer = KnockOutAttentionHeads(wrap(mask, "heads"))
    result = layer(wrap(attention(), "heads", "seq", "kv_seq"))
    first = np.eye(4)[0]
    expected = mask[:, None, None] * attention() + (1 - mask)[:, None, None] * first
    np.testing.assert_allclose(result.unwrap("heads", "seq", "kv_seq"), expected, atol=1e-6)
    np.testing.assert_allclose(result.unwrap("heads", "seq", "kv_seq").sum(-1), 1, rtol=1e-5)


def test_a_mask_with_more_axes_runs_all_experiments_at_once():
    masks = wrap(1 - np.eye(2), "experiment", "heads")
    result = KnockOutAttentionHeads(masks)(wrap(attention(), "heads", "seq", "kv_seq"))
    for head in range(2):
        one = KnockOutAttentionHeads(masks[{"experiment": head}])(
            wrap(attention(), "heads", "seq", "kv_seq")
        )
        np.testing.assert_allclose(
            result[{"experiment": head}].unwrap("heads", "seq", "kv_seq"),
            one.unwrap("heads", "seq", "kv_seq"),
        )


def test_knocking_out_keeps_the_dtype_and_takes_gradients():
    x = wrap(jnp.asarray(attention(), jnp.bfloat16), "heads", "seq", "kv_seq")
    assert KnockOutAttentionHeads(wrap(np.ones(2), "heads"))(x).dtype == jnp.bfloat16
    loss = lambda mask: (
        KnockOutAttentionHeads(mask)(wrap(attention(), "heads", "seq", "kv_seq"))
        .unwrap("heads", "seq", "kv_seq")[..., 1]
        .sum()
    )
    grads = jax.grad(loss)(wrap(jnp.ones(2), "heads"))
    np.testing.assert_allclose(grads.unwrap("heads"), attention()[..., 1].sum(1), rtol=1e-5)


def test_knocking_out_before_the_scores_is_refused():
    with pytest.raises(
        ValueError, match="needs attention with the axis `kv_seq`, but got {'heads': 2}"
    ):
        KnockOutAttentionHeads(wrap(np.ones(2), "heads"))(wrap(np.ones(2), "heads"))


@pytree_dataclass
class Noise(nn.Layer):
    """Adds a random number."""

    def __call__(self, argument, /, **side_inputs):
        return argument + jax.random.normal(side_inputs["random_stream"].next_key())


def test_a_jitted_layer_equals_the_layer_and_threads_its_variables():
    streams = [RandomStream.from_base_key(jax.random.key(0)) for _ in range(2)]
    saver = SaveIntermediate()
    plain = nn.Sequential([Noise(), saver, Noise()])
    expected = [plain(1.0, random_stream=streams[0]) for _ in range(2)]
    jitted = Jitted(plain)
    results = [jitted(1.0, random_stream=streams[1]) for _ in range(2)]
    np.testing.assert_allclose(results, expected, rtol=1e-6)
    assert int(streams[1].offset.value) == 4
