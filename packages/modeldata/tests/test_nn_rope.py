"""Rotary position embeddings."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata import nn
from modeldata.named import wrap

AXES = ("batch", "seq", "heads", "projection")


def rotated(x, positions, wavelength, scale=1.0):
    """Rotates each pair as a complex number; x is (batch, seq, heads, projection)."""
    half = x.shape[-1] // 2
    angles = positions[..., None] / wavelength ** (2 * np.arange(half) / x.shape[-1]) / scale
    turned = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angles)[:, :, None]
    return np.concatenate([turned.real, turned.imag], -1)


def features(dtype=np.float32, size=6):
    return np.random.default_rng(0).normal(size=(2, 3, 2, size)).astype(dtype)


@settings(max_examples=10)
@given(st.permutations(AXES), st.permutations(["batch", "seq"]), st.sampled_from([1.0, 8.0]))
def test_pairs_are_rotated_by_their_positions(order, position_order, scale):
    positions = np.array([[0, 5, 1000], [-1, 0, 7]])
    x = wrap(features(), *AXES).order_as(*order)
    layer = nn.ApplyRoPE("projection", 10_000.0, "where", scale)
    result = layer(x, where=wrap(positions, "batch", "seq").order_as(*position_order))
    expected = rotated(features(np.float64), positions, 10_000.0, scale)
    assert result.dims == x.dims
    np.testing.assert_allclose(result.unwrap(*AXES), expected, atol=2e-4)


def test_positions_may_be_shared_by_all_rows():
    positions = np.arange(3)
    result = nn.ApplyRoPE("projection", 100.0)(
        wrap(features(), *AXES), token_positions=wrap(positions, "seq")
    )
    expected = rotated(features(np.float64), np.stack([positions] * 2), 100.0)
    np.testing.assert_allclose(result.unwrap(*AXES), expected, atol=1e-5)


def test_scores_depend_on_the_distance_only():
    layer = nn.ApplyRoPE("projection", 10_000.0)
    q, k = (wrap(features()[i, 0, 0], "projection") for i in range(2))
    at = lambda x, p: np.asarray(layer(x, token_positions=wrap(p)).unwrap("projection"), np.float64)
    for shift in (1, 13, 200):
        near = at(q, 5) @ at(k, 2)
        far = at(q, 5 + shift) @ at(k, 2 + shift)
        np.testing.assert_allclose(near, far, atol=1e-4)


def test_angles_are_float32_and_the_dtype_is_kept():
    x = wrap(jnp.asarray(features(), jnp.bfloat16), *AXES)
    positions = wrap(np.array([1001, 1002, 1003]), "seq")
    result = nn.ApplyRoPE("projection", 10_000.0)(x, token_positions=positions)
    exact = nn.ApplyRoPE("projection", 10_000.0)(x.astype(jnp.float32), token_positions=positions)
    assert result.dtype == jnp.bfloat16
    np.testing.assert_allclose(
        np.asarray(result.data_array, np.float32), exact.data_array, rtol=2**-7, atol=1e-2
    )


def test_a_subset_is_rotated_and_the_rest_passes():
    positions = np.array([[0, 5, 9], [1, 2, 3]])
    x = wrap(features(), *AXES)
    result = nn.ApplyRoPEToSubset("projection", 100.0, 4)(
        x, token_positions=wrap(positions, "batch", "seq")
    )
    expected = rotated(features(np.float64)[..., :4], positions, 100.0)
    np.testing.assert_allclose(result.unwrap(*AXES)[..., :4], expected, atol=1e-5)
    np.testing.assert_array_equal(result.unwrap(*AXES)[..., 4:], features()[..., 4:])


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (wrap(np.zeros(3, int)), "positional axes"),
        (wrap(np.zeros(6, int), "projection"), "`projection` does not fit"),
        (wrap(np.zeros(4, int), "seq"), "`seq` does not fit: the positions have {'seq': 4}"),
        (wrap(np.zeros(2, int), "worlds"), "`worlds` does not fit"),
    ],
)
def test_positions_that_do_not_fit_are_described(positions, message):
    with pytest.raises(ValueError, match=message):
        nn.ApplyRoPE("projection", 100.0)(wrap(features(), *AXES), token_positions=positions)


def test_settings_that_make_no_sense_are_refused():
    positions = {"token_positions": wrap(np.arange(3), "seq")}
    with pytest.raises(
        ValueError, match="even number of them, at most the 5 of axis `projection`, but got 5"
    ):
        nn.ApplyRoPE("projection", 100.0)(wrap(features(size=5), *AXES), **positions)
    with pytest.raises(ValueError, match="at most the 6 of axis `projection`, but got 8"):
        nn.ApplyRoPEToSubset("projection", 100.0, 8)(wrap(features(), *AXES), **positions)
    with pytest.raises(ValueError, match="`scale_factor` of at least 1, but got 0.5"):
        nn.ApplyRoPE("projection", 100.0, scale_factor=0.5)(wrap(features(), *AXES), **positions)
    with pytest.raises(
        nn.MissingSideInputError, match="`ApplyRoPE` needs the side input `token_positions`"
    ):
        nn.ApplyRoPE("projection", 100.0)(wrap(features(), *AXES), other=1)
