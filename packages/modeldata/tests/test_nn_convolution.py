"""Convolution and pooling."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modeldata as md
from modeldata import nn, nx

KEY = jax.random.key(0)


def windows_of(image, sizes, strides, pads, dilation, fill):
    """Windows of the last axes by plain loops: output index -> array [..., *sizes]."""
    lead = image.ndim - len(sizes)
    padded = np.pad(image, [(0, 0)] * lead + list(pads), constant_values=fill)
    reach = [(k - 1) * d + 1 for k, d in zip(sizes, dilation)]
    counts = [(n - r) // s + 1 for n, r, s in zip(padded.shape[lead:], reach, strides)]
    for index in itertools.product(*map(range, counts)):
        slices = [slice(i * s, i * s + r, d) for i, s, r, d in zip(index, strides, reach, dilation)]
        yield index, counts, padded[(..., *slices)]


def pads_of(kind, length, size, stride, dilation):
    """What TensorFlow's documentation says of SAME, and what causal means."""
    reach = (size - 1) * dilation + 1
    if kind == "VALID":
        return 0, 0
    if kind == "CAUSAL":
        return reach - 1, 0
    total = max((math.ceil(length / stride) - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


@st.composite
def settings_of_windows(draw):
    lengths = (7, 6)
    sizes, strides, dilation = (
        tuple(draw(st.integers(1, 2 + extra)) for _ in range(2)) for extra in (1, 0, 0)
    )
    kind = draw(st.sampled_from(["VALID", "SAME", "CAUSAL", "numbers"]))
    if kind == "numbers":
        pads = tuple((draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in range(2))
        padding = dict(zip("hw", pads))
    else:
        padding = kind
        pads = tuple(map(pads_of, [kind] * 2, lengths, sizes, strides, dilation))
    return sizes, strides, dilation, padding, pads


@settings(max_examples=6)
@given(settings_of_windows(), st.permutations("bhwci"), st.data())
def test_convolution_multiplies_and_sums_each_window(chosen, order, data):
    sizes, strides, dilation, padding, pads = chosen
    image = np.random.default_rng(0).normal(size=(2, 3, 2, 7, 6)).astype(np.float32)  # b c i h w
    layer = nn.Convolution.from_config(
        "conv",
        KEY,
        dict(zip("hw", sizes)),
        {"c": 3},
        {"o": 4},
        parallel_axes={"i": 2},
        strides=dict(zip("hw", strides)),
        padding=padding,
        dilation=dict(zip("hw", dilation)),
    )
    weights = np.asarray(layer.weights.value.unwrap("i", "o", "c", "h", "w"))
    result = layer(nx.wrap(image, *"bcihw").order_as(*order)).unwrap(*"biohw")
    for index, counts, window in windows_of(image, sizes, strides, pads, dilation, 0):
        assert result.shape == (2, 2, 4, *counts)
        expected = np.einsum("bcihw,iochw->bio", window, weights)
        np.testing.assert_allclose(result[(..., *index)], expected, rtol=1e-4, atol=1e-5)


@settings(max_examples=6)
@given(settings_of_windows(), st.permutations("bhw"))
def test_pooling_takes_the_largest_element_and_the_mean_of_each_window(chosen, order):
    sizes, strides, dilation, padding, pads = chosen
    image = np.random.default_rng(0).normal(size=(2, 7, 6)).astype(np.float32)
    config = {"strides": dict(zip("hw", strides)), "padding": padding}
    config["dilation"] = dict(zip("hw", dilation))
    window = dict(zip("hw", sizes))
    x = nx.wrap(image, *"bhw").order_as(*order)
    largest, mean, padded_mean = (
        layer(x)
        for layer in (
            nn.MaxPool.from_config(window, **config),
            nn.AveragePool.from_config(window, **config),
            nn.AveragePool.from_config(window, **config, counts_padding=True),
        )
    )
    assert largest.dims == mean.dims == tuple(order)
    for index, _, values in windows_of(image, sizes, strides, pads, dilation, np.nan):
        at = dict(zip("hw", index))
        flat = values.reshape(2, -1)
        there = [row[~np.isnan(row)] for row in flat]
        if all(len(row) for row in there):
            np.testing.assert_array_equal(largest[at].unwrap("b"), [row.max() for row in there])
            np.testing.assert_allclose(
                mean[at].unwrap("b"), [row.mean() for row in there], 1e-4, 1e-6
            )
        np.testing.assert_allclose(
            padded_mean[at].unwrap("b"), np.nansum(flat, 1) / flat.shape[1], 1e-4, 1e-6
        )


def test_an_output_axis_may_have_the_name_of_an_input_axis():
    layer = nn.Convolution.from_config("c", KEY, {"x": 3}, {"channels": 2}, {"channels": 5})
    assert isinstance(layer, nn.ConvolutionInPlace)
    result = layer(nx.wrap(jnp.ones((4, 2, 9)), "b", "channels", "x"))
    assert result.named_shape == {"b": 4, "channels": 5, "x": 9}
    (parameter,) = md.unbind_params(layer)[1]
    assert parameter.label == "c.weights"


def test_a_dilated_input_is_a_transposed_convolution():
    layer = nn.Convolution.from_config(
        "c", KEY, {"x": 3}, {"i": 1}, {"o": 1}, input_dilation=2, padding={"x": (2, 2)}
    )
    x = np.arange(1.0, 5.0, dtype=np.float32)
    kernel = np.asarray(layer.weights.value.unwrap("i", "o", "x")).ravel()
    spread = np.zeros(7, np.float32)
    spread[::2] = x
    expected = np.convolve(spread, kernel[::-1], "full")
    result = layer(nx.wrap(x[None], "i", "x")).unwrap("o", "x")[0]
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_a_causal_convolution_never_looks_ahead():
    layer = nn.Convolution.from_config(
        "c", KEY, {"x": 3}, {"i": 1}, {"o": 1}, padding="causal", dilation=2
    )
    x = nx.wrap(jnp.ones((1, 8)), "i", "x")
    before, after = layer(x), layer(x.at[{"x": 5}].set(9.0))
    same = np.asarray((before == after).unwrap("o", "x"))[0]
    assert same.tolist() == [True] * 5 + [False, True, False]


def test_the_variance_of_outputs_counts_the_window():
    layer = nn.Convolution.from_config("c", KEY, {"x": 5}, {"i": 10}, {"o": 40})
    limit = np.sqrt(6 / (5 * 10 + 5 * 40))  # Xavier's uniform distribution
    weights = np.abs(np.asarray(layer.weights.value.data_array))
    assert 0.98 * limit < weights.max() <= limit


def test_pools_have_gradients_in_compiled_code():
    def loss(data, layer):
        return layer(nx.wrap(data, "x")).untag("x").sum().unwrap()

    data = jnp.array([1.0, 3.0, 2.0, 5.0])
    for layer, expected in [
        (nn.MaxPool.from_config({"x": 2}), [0, 1, 0, 1]),
        (nn.AveragePool.from_config({"x": 2}), [0.5] * 4),
    ]:
        gradient = jax.jit(jax.grad(loss), static_argnums=1)(data, layer)
        np.testing.assert_array_equal(gradient, expected)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "bool", "bfloat16", "float16"])
def test_the_largest_element_is_right_for_every_dtype(dtype):
    x = jnp.array([0, 1, 1, 0, 0, 0]).astype(dtype)
    result = nn.MaxPool.from_config({"x": 2})(nx.wrap(x, "x"))
    assert result.dtype == x.dtype
    assert result.unwrap("x").astype(int).tolist() == [1, 1, 0]


def test_means_of_half_precision_are_summed_in_float32():
    x = nx.wrap(jnp.full(4096, 1.0, jnp.bfloat16), "x")
    result = nn.AveragePool.from_config({"x": 4096})(x)
    assert result.dtype == jnp.bfloat16
    assert float(result.unwrap("x")[0]) == 1


def conv(window=None, **config):
    return nn.Convolution.from_config("c", KEY, window or {"x": 3}, {"i": 2}, {"o": 2}, **config)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.MaxPool.from_config({}), "a window with at least one axis, but got none"),
        (lambda: conv({"x": 0}), "positive integer for every axis in `window`, but got {'x': 0}"),
        (lambda: conv(strides=0), "positive integer for every axis in `strides`, but got 0"),
        (lambda: conv(strides={"y": 2}), "`strides` for the axes of the window, `x`, but .* `y`"),
        (lambda: conv(padding="full"), "'VALID', 'SAME', 'CAUSAL' or two numbers .* got 'full'"),
        (lambda: conv({"i": 3}), "a window along axes of its own, but `i` is also an input"),
        (lambda: conv(rename_outputs_if_necessary=False, parallel_axes={"o": 1}), "in common"),
    ],
)
def test_settings_that_make_no_sense_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_inputs_that_do_not_fit_are_refused():
    x = nx.wrap(jnp.ones((2, 5)), "i", "x")
    with pytest.raises(TypeError, match="`Convolution` needs a `NamedArray`"):
        conv()(x.data_array)
    with pytest.raises(ValueError, match="`Convolution` needs .* `x`, but `x` is missing"):
        conv()(x[{"x": 0}])
    with pytest.raises(ValueError, match="which differs in `i`"):
        conv()(x[{"i": slice(0, 1)}])
    with pytest.raises(ValueError, match="makes the axes `o`, but its input has `o` already"):
        conv()(nx.wrap(jnp.ones((2, 5, 1)), "i", "x", "o"))
    with pytest.raises(TypeError, match="`AveragePool` needs floating numbers, but got int32"):
        nn.AveragePool.from_config({"x": 2})(x.astype(jnp.int32))
    for layer in (nn.MaxPool.from_config({"y": 2}), nn.AveragePool.from_config({"y": 2})):
        with pytest.raises(ValueError, match="Pool` needs an input with the axes `y`"):
            layer(x)
