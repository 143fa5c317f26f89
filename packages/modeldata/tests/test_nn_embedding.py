"""Embedding tables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata import nn
from modeldata.named import wrap
from modeldata.variables import Parameter

DATA = np.random.default_rng(0).normal(size=(7, 2, 3)).astype(np.float32)
AXES = ("vocabulary", "x", "y")


def table(order=AXES):
    values = wrap(jnp.asarray(DATA), *AXES).order_as(*order)
    return nn.EmbeddingTable(Parameter(value=values, label="t"), "vocabulary")


@settings(max_examples=6)
@given(st.permutations(AXES))
def test_looking_up_picks_vectors_by_token_id(order):
    ids = np.array([[0, 6, 3], [3, 3, 1]])
    result = nn.EmbeddingLookup(table(order))(wrap(ids, "batch", "seq"))
    np.testing.assert_array_equal(result.unwrap("batch", "seq", "x", "y"), DATA[ids])


@settings(max_examples=6)
@given(st.permutations(AXES), st.permutations(["seq", "x", "y"]))
def test_decoding_multiplies_with_every_vector(order, x_order):
    x = np.random.default_rng(1).normal(size=(4, 2, 3)).astype(np.float32)
    argument = wrap(x, "seq", "x", "y").order_as(*x_order)
    result = nn.EmbeddingDecode(table(order))(argument)
    expected = np.einsum("sxy,vxy->sv", x, DATA)
    np.testing.assert_allclose(result.unwrap("seq", "vocabulary"), expected, atol=1e-5)


def test_an_unknown_token_gives_nan_instead_of_another_token():
    result = nn.EmbeddingLookup(table())(wrap(np.array([0, 7]), "seq"))
    assert np.isnan(result[{"seq": 1}].data_array).all()
    assert not np.isnan(result[{"seq": 0}].data_array).any()


def test_inputs_that_do_not_fit_are_described():
    lookup, decode = nn.EmbeddingLookup(table()), nn.EmbeddingDecode(table())
    with pytest.raises(
        TypeError, match="`EmbeddingLookup` needs integer token ids, but got float32"
    ):
        lookup(wrap(jnp.ones(3), "seq"))
    with pytest.raises(TypeError, match="`EmbeddingLookup` needs a `NamedArray`"):
        lookup(np.ones(3, int))
    with pytest.raises(ValueError, match="but they have `x`"):
        lookup(wrap(np.ones(3, int), "x"))
    with pytest.raises(
        ValueError, match=r"`EmbeddingDecode` needs an input with the axes {'x': 2, 'y': 3}"
    ):
        decode(wrap(jnp.ones(2), "x"))
    with pytest.raises(
        ValueError, match="`EmbeddingDecode` makes the axis `vocabulary`, but its input"
    ):
        decode(wrap(jnp.ones((2, 3, 1)), "x", "y", "vocabulary"))
    with pytest.raises(TypeError, match="`vocab_size` to be a number of tokens, .* but got '9'"):
        nn.EmbeddingTable.from_config("e", None, "9", {"x": 2})  # pyright: ignore[reportArgumentType]  # a slip


def test_a_new_table_has_unit_variance_over_its_outputs():
    made = nn.EmbeddingTable.from_config("e", jax.random.key(0), 500, {"x": 20, "y": 10})
    assert made.embeddings.label == "e.embeddings"
    assert made.embeddings.value.named_shape == {"vocabulary": 500, "x": 20, "y": 10}
    variance = float(jnp.var(made.embeddings.value.data_array))
    assert variance == pytest.approx(1 / 200, rel=0.02)
    with pytest.raises(
        ValueError, match="`vocabulary_axis` that is not in `embedding_axes`, but 'x'"
    ):
        nn.EmbeddingTable.from_config("e", None, 5, {"x": 2}, vocabulary_axis="x")
