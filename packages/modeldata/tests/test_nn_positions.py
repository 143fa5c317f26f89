import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nn, nx
from modeldata.nn import DynamicScaling, LinearScaling, Llama3Scaling, LongScaling, YarnScaling


def plain(size, wavelength):
    return wavelength ** (-np.arange(0, size, 2) / size)


def test_linear_scaling_divides_all_frequencies():
    found = LinearScaling(4.0).frequencies(8, 1e4)
    np.testing.assert_allclose(found, plain(8, 1e4) / 4, rtol=1e-6)


def test_llama3_scaling_slows_down_slow_pairs_only():
    scaling = Llama3Scaling(8.0, 1.0, 4.0, original_length=64)
    frequencies = plain(16, 1e4)
    turns = 64 * frequencies / (2 * np.pi)
    found = scaling.frequencies(16, 1e4)
    np.testing.assert_allclose(found[turns > 4], frequencies[turns > 4], rtol=1e-5)
    np.testing.assert_allclose(found[turns < 1], frequencies[turns < 1] / 8, rtol=1e-5)
    between = (turns > 1) & (turns < 4)
    assert between.any()
    assert (found[between] < frequencies[between]).all()
    assert (found[between] > frequencies[between] / 8).all()


def test_yarn_scaling_keeps_the_fastest_pair_and_slows_down_the_slowest():
    scaling = YarnScaling(4.0, original_length=4096)
    found, frequencies = scaling.frequencies(64, 1e4), plain(64, 1e4)
    np.testing.assert_allclose(found[0], frequencies[0], rtol=1e-6)
    np.testing.assert_allclose(found[-1], frequencies[-1] / 4, rtol=1e-6)
    assert (np.diff(found) < 0).all()
    assert scaling.amplitude == pytest.approx(0.1 * np.log(4) + 1)
    assert YarnScaling(4.0, 4096, attention_factor=2.0).amplitude == 2.0
    assert YarnScaling(1.0, 4096).amplitude == 1.0


def rotated(scaling, positions, subset=None):
    options = {"max_wavelength": 1e4, "scaling": scaling}
    layer = (
        nn.ApplyRoPE("features", **options)
        if subset is None
        else nn.ApplyRoPEToSubset("features", rope_subset_size=subset, **options)
    )
    x = jnp.asarray(np.random.default_rng(0).normal(size=(8, *np.shape(positions))), jnp.float32)
    names = ("batch", "seq")[-np.ndim(positions) :]
    return layer(nx.wrap(x, "features", *names), token_positions=nx.wrap(positions, *names)).unwrap(
        "features", *names
    )


def test_dynamic_scaling_changes_only_texts_that_are_longer():
    scaling = DynamicScaling(2.0, original_length=6)
    short, long = jnp.arange(6), jnp.arange(12)
    np.testing.assert_array_equal(rotated(scaling, short), rotated(None, short))
    stretched = 1e4 * (2 * 12 / 6 - 1) ** (8 / 6)
    np.testing.assert_allclose(
        scaling.frequencies(8, 1e4, jnp.array([12])), plain(8, stretched), rtol=1e-5
    )
    assert np.abs(rotated(scaling, long) - rotated(None, long)).max() > 0.01


@pytest.mark.parametrize(
    "scaling", [DynamicScaling(2.0, 3), LongScaling((1, 2, 3, 4), (5, 6, 7, 8), 3, 1.2)]
)
@pytest.mark.parametrize("subset", [None, 8])
def test_each_row_of_a_batch_has_the_frequencies_of_its_own_length(scaling, subset):
    rows = jnp.array([[0, 1, 2, -1, -1], [0, 1, 2, 3, 4]])
    found = rotated(scaling, rows, subset)
    x = np.random.default_rng(0).normal(size=(8, 2, 5)).astype(np.float32)
    for row, positions in enumerate(np.asarray(rows)):
        frequencies = np.asarray(scaling.frequencies(8, 1e4, positions.max() + 1))
        angles = frequencies[:, None] * positions
        a, b = x[:4, row], x[4:, row]
        cosine, sine = np.cos(angles), np.sin(angles)
        expected = np.concatenate([a * cosine - b * sine, b * cosine + a * sine])
        np.testing.assert_allclose(found[:, row], expected * scaling.amplitude, atol=1e-5)


def test_factors_for_another_number_of_features_are_refused():
    with pytest.raises(ValueError, match="Expected 4 factors, .* 8 features, but got 3 .* and 4"):
        rotated(LongScaling((1, 2, 3), (1, 2, 3, 4), 3), jnp.arange(2))


def table(size=5):
    return nn.EmbeddingTable.from_config(
        "p", jax.random.key(0), size, {"embedding": 3}, vocabulary_axis="positions"
    )


def test_each_token_gets_the_vector_of_its_position():
    layer = nn.AddPositionEmbedding(table())
    vectors = layer.table.embeddings.value.unwrap("positions", "embedding")
    x = nx.ones({"seq": 4, "embedding": 3})
    found = layer(x, token_positions=nx.wrap(jnp.array([-1, 0, 4, 2]), "seq"))
    expected = 1 + vectors[jnp.array([0, 0, 4, 2])]
    np.testing.assert_allclose(found.unwrap("seq", "embedding"), expected, rtol=1e-6)


def test_a_position_outside_the_table_is_refused():
    layer = nn.AddPositionEmbedding(table())
    with pytest.raises(ValueError, match="vectors for the positions 0 to 4, but got position 5"):
        layer(nx.ones({"seq": 1, "embedding": 3}), token_positions=nx.wrap(jnp.array([5]), "seq"))
    with pytest.raises(KeyError, match="needs the side input `token_positions`"):
        layer(nx.ones({"seq": 1, "embedding": 3}))
    with pytest.raises(ValueError, match="`seq` is missing"):
        layer(nx.ones({"embedding": 3}), token_positions=nx.arange("seq", 2))
