"""Contractions, linear maps, biases, affine maps and their first values."""

import hashlib
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata import nn
from modeldata.named import wrap
from modeldata.variables import (
    Parameter,
    ParameterSlot,
    bind_variables,
    unbind_params,
)

SIZES = {"a": 2, "b": 3, "c": 4, "d": 5, "e": 1}


def named(rng, names):
    """Returns an array with the axes stored in the order given."""
    return wrap(rng.normal(size=[SIZES[n] for n in names]).astype(np.float32), *names)


def einsum(left, right, out, *arrays):
    return np.einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", *arrays)


@settings(max_examples=8)
@given(
    st.permutations("abcde").flatmap(lambda p: st.tuples(st.just(p[:4]), st.permutations("abcde"))),
    st.data(),
)
def test_contract_sums_products_whatever_the_order_of_axes(names, data):
    left, right = names[0], names[1][: data.draw(st.integers(1, 5))]
    shared = [n for n in left if n in right]
    summed = tuple(data.draw(st.permutations(shared)))[: data.draw(st.integers(0, len(shared)))]
    rng = np.random.default_rng(0)
    a, b = named(rng, left), named(rng, right)
    out = [n for n in dict.fromkeys([*left, *right]) if n not in summed]
    result = nn.contract(summed, a, b)
    expected = einsum(left, right, out, a.unwrap(*left), b.unwrap(*right))
    np.testing.assert_allclose(result.unwrap(*out) if out else result.unwrap(), expected, atol=1e-5)


def test_contract_promotes_dtypes_and_takes_one_name():
    a, b = wrap(jnp.ones(3, jnp.bfloat16), "x"), wrap(jnp.ones(3), "x")
    result = nn.contract("x", a, b)
    assert (result.dtype, float(result.unwrap())) == (jnp.float32, 3)


def test_contract_names_the_axis_whose_sizes_differ():
    with pytest.raises(ValueError, match=r"'y' has size 3 in `arrays\[0\]` and 4 in `arrays\[1\]`"):
        nn.contract("x", wrap(jnp.ones((2, 3)), "x", "y"), wrap(jnp.ones((2, 4)), "x", "y"))


def make_linear(name="layer", **kwargs):
    config = {"input_axes": {"b": 3, "c": 4}, "output_axes": {"x": 2, "y": 3}, **kwargs}
    return nn.Linear.from_config(name, jax.random.key(0), **config)


@settings(max_examples=5)
@given(st.permutations("abcd"), st.permutations(["b", "c", "x", "y", "d"]))
def test_a_linear_map_is_an_einsum_over_its_axes(order, weight_order):
    linear = make_linear(parallel_axes={"d": 5})
    weights = linear.weights.value.order_as(*weight_order)
    x = named(np.random.default_rng(1), order)
    result = linear.replace(weights=Parameter(value=weights, label="w"))(x)
    expected = np.einsum("abcd,bcxyd->adxy", x.unwrap(*"abcd"), weights.unwrap(*"bcxyd"))
    np.testing.assert_allclose(result.unwrap(*"adxy"), expected, atol=1e-5)


def test_a_linear_map_gives_the_gradient_of_its_einsum():
    linear = make_linear()
    x = named(np.random.default_rng(1), "abc")
    unbound, values = unbind_params(linear, freeze=True)

    def loss(values):
        return (bind_variables(unbound, values)(x).unwrap(*"axy") ** 2).sum()

    grads = jax.grad(loss)(values)
    w = np.asarray(linear.weights.value.unwrap(*"bcxy"), np.float64)
    xs = np.asarray(x.unwrap(*"abc"), np.float64)
    expected = 2 * np.einsum("abc,axy->bcxy", xs, np.einsum("abc,bcxy->axy", xs, w))
    np.testing.assert_allclose(grads[0].value.unwrap(*"bcxy"), expected, rtol=1e-4)


@pytest.mark.parametrize("order", [("seq", "x", "y", "out"), ("seq", "out", "x", "y")])
def test_a_linear_map_does_not_transpose_its_weights(order):
    sizes = {"x": 3, "y": 4, "out": 5}
    weights = wrap(jnp.ones([sizes[n] for n in order[1:]]), *order[1:])
    linear = nn.Linear(Parameter(value=weights, label="w"), ("x", "y"), ("out",))
    unbound, values = unbind_params(linear, freeze=True)
    x = wrap(jnp.ones((1, 3, 4)), "seq", "x", "y")
    jaxpr = jax.make_jaxpr(lambda v: bind_variables(unbound, v)(x).data_array)(values)
    transposed = [e for e in jaxpr.eqns if e.primitive.name == "transpose"]
    assert all(e.invars[0] is not jaxpr.jaxpr.invars[0] for e in transposed)


def test_an_output_with_an_input_name_is_renamed_at_the_end():
    layer = nn.Linear.from_config("l", jax.random.key(0), {"a": 2}, {"a": 3, "x": 4})
    assert isinstance(layer, nn.LinearInPlace)
    linear, _ = layer.sublayers
    x = wrap(jnp.arange(2.0), "a")
    assert layer(x).named_shape == {"a": 3, "x": 4}
    assert linear.output_axes == {"a_out": 3, "x": 4}
    assert linear.input_axes == {"a": 2}


def test_broadcast_parallel_axes_make_independent_maps():
    linear = make_linear(parallel_axes={"d": 5}, parallel_broadcast_axes={"copies": 6})
    assert linear.output_axes == {"copies": 6, "x": 2, "y": 3}
    assert linear.parallel_axes == {"d": 5}
    x = named(np.random.default_rng(0), "bcd")
    expected = np.einsum(
        "bcd,bcxydk->dxyk",
        x.unwrap(*"bcd"),
        linear.weights.value.unwrap("b", "c", "x", "y", "d", "copies"),
    )
    np.testing.assert_allclose(linear(x).unwrap("d", "x", "y", "copies"), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("argument", "error", "message"),
    [
        (np.ones(3), TypeError, r"`Linear` \(layer\) needs a `NamedArray`, but got a `ndarray`"),
        (
            wrap(jnp.ones((3, 5)), "b", "c"),
            ValueError,
            r"\(layer\) needs an input with the axes "
            r"{'b': 3, 'c': 4}, but got {'b': 3, 'c': 5}, which differs in `c`",
        ),
        (wrap(jnp.ones(3), "b"), ValueError, "which differs in `c`"),
        (wrap(jnp.ones((3, 4, 2)), "b", "c", "x"), ValueError, "its input has `x` already"),
        (wrap(jnp.ones((3, 4), int), "b", "c"), TypeError, "needs floating numbers, but got int32"),
        (wrap(jnp.ones((3, 4))), ValueError, r"positional axes of shape \(3, 4\)"),
    ],
)
def test_a_linear_map_says_what_is_wrong_with_its_input(argument, error, message):
    with pytest.raises(error, match=message):
        make_linear()(argument)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"parallel_axes": {"b": 3}}, "`parallel_axes` and `input_axes` to have no axis in common"),
        (
            {"parallel_axes": {"x": 2}},
            "`parallel_axes` and `output_axes` to have no axis in common",
        ),
        ({"parallel_broadcast_axes": {"b": 3}}, "`parallel_broadcast_axes` and `input_axes`"),
        (
            {"parallel_axes": {"k": 1}, "parallel_broadcast_axes": {"k": 1}},
            "`parallel_broadcast_axes` and `parallel_axes` to have no axis in common, but both have `k`",
        ),
        (
            {"output_axes": {"b": 1}, "rename_outputs_if_necessary": False},
            "`b` is also an input axis",
        ),
        (
            {"input_axes": {"b": 1, "b_out": 1}, "output_axes": {"b": 1}},
            "needs `b_out` as a temporary",
        ),
    ],
)
def test_axes_that_clash_are_refused_when_a_linear_map_is_made(kwargs, message):
    with pytest.raises(ValueError, match=message):
        make_linear(**kwargs)


def test_without_a_random_key_there_are_slots_and_the_same_structure():
    full = nn.Affine.from_config("l", jax.random.key(0), {"a": 2}, {"x": 3})
    empty = nn.Affine.from_config("l", None, {"a": 2}, {"x": 3})
    assert unbind_params(full)[0] == empty
    assert [p.label for p in unbind_params(full)[1]] == ["l/Linear.weights", "l/AddBias.bias"]


def test_an_affine_map_is_a_product_and_a_sum():
    affine = nn.Affine.from_config(
        "l",
        jax.random.key(0),
        {"b": 3},
        {"b": 4},
        parallel_axes={"a": 2},
        bias_initializer=nn.constant_initializer(0.5),
    )
    x = named(np.random.default_rng(0), "cab")
    w = affine.sublayers[0].weights.value
    expected = np.einsum("cab,abo->cao", x.unwrap(*"cab"), w.unwrap("a", "b", "b_out")) + 0.5
    np.testing.assert_allclose(affine(x).unwrap(*"cab"), expected, atol=1e-5)
    assert affine.sublayers[2].bias.value.named_shape == {"a": 2, "b": 4}


def test_a_bias_does_not_add_axes_unless_told_to():
    layer = nn.AddBias.from_config("b", jax.random.key(0), {"x": 3}, new_output_axes={"y": 2})
    assert layer(wrap(jnp.ones(3), "x")).named_shape == {"x": 3, "y": 2}
    with pytest.raises(ValueError, match=r"`AddBias` needs an input with the axes {'x': 3}"):
        layer(wrap(jnp.ones(2), "z"))
    with pytest.raises(ValueError, match="`AddBias` adds the axes `y`, but its input has `y`"):
        layer(wrap(jnp.ones((3, 2)), "x", "y"))
    with pytest.raises(ValueError, match="either biased or new, but `x` is both"):
        nn.AddBias.from_config("b", None, {"x": 3}, new_output_axes={"x": 2})


AXES = {
    "input_axes": {"i": 40, "j": 5},
    "output_axes": {"o": 30},
    "parallel_axes": {"p": 3},
    "convolution_spatial_axes": {"w": 7},
}


@pytest.mark.parametrize(
    ("mode", "distribution", "fan"),
    [
        ("fan_in", "uniform", 200 * 7),
        ("fan_out", "normal", 30 * 7),
        ("fan_avg", "truncated_normal", 115 * 7),
    ],
)
def test_variance_scaling_gives_the_variance_of_its_formula(mode, distribution, fan):
    weights = nn.variance_scaling_initializer(
        jax.random.key(0),
        scale=2.0,
        mode=mode,
        distribution=distribution,
        dtype=jnp.float32,
        **AXES,
    )
    assert weights.dims == ("p", "w", "o", "i", "j")
    assert weights.named_shape == {"p": 3, "w": 7, "o": 30, "i": 40, "j": 5}
    variance = float(jnp.var(weights.data_array))
    assert variance == pytest.approx(2.0 / fan, rel=0.05)


def test_initial_weights_are_those_of_jax():
    weights = nn.xavier_uniform_initializer(
        jax.random.key(3),
        input_axes={"i": 4},
        output_axes={"o": 5},
        parallel_axes={},
        convolution_spatial_axes={},
        dtype=jnp.float32,
    )
    expected = jax.nn.initializers.xavier_uniform()(jax.random.key(3), (4, 5))
    np.testing.assert_allclose(weights.unwrap("i", "o"), expected)


def test_constant_initializers_fill():
    for initializer, value in ((nn.zero_initializer, 0), (nn.constant_initializer(3.5), 3.5)):
        weights = initializer(jax.random.key(0), dtype=jnp.bfloat16, **AXES)
        assert weights.dtype == jnp.bfloat16
        assert weights.named_shape == {"p": 3, "w": 7, "o": 30, "i": 40, "j": 5}
        assert bool((weights.data_array == value).all())


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="`mode` to be 'fan_in', 'fan_out' or 'fan_avg', got 'in'"):
        nn.variance_scaling_initializer(
            jax.random.key(0),
            scale=1.0,
            mode="in",  # pyright: ignore[reportArgumentType]  # a slip
            distribution="normal",
            dtype=jnp.float32,
            **{group: {} for group in AXES},
        )


@pytest.mark.parametrize("groups", list(itertools.combinations(AXES, 2)))
@pytest.mark.parametrize("initializer", [nn.zero_initializer, nn.xavier_normal_initializer])
def test_initializers_refuse_an_axis_in_two_groups(groups, initializer):
    axes = {group: {"twice": 2} if group in groups else {} for group in AXES}
    with pytest.raises(ValueError, match="each axis of the weights in one group, but `twice`"):
        initializer(jax.random.key(0), dtype=jnp.float32, **axes)


def test_parameter_keys_depend_on_the_name_alone():
    base = jax.random.key(1)
    expected = jax.random.fold_in(base, int(hashlib.sha1(b"mlp/in.weights").hexdigest()[:8], 16))
    assert (
        jax.random.key_data(nn.derive_param_key(base, "mlp/in.weights")).tolist()
        == jax.random.key_data(expected).tolist()
    )


def test_make_parameter_passes_its_arguments_on():
    calls = []

    def initializer(key, *args, **kwargs):
        calls.append((args, kwargs))
        return {"a": jnp.ones(2), "b": jax.random.normal(key)}

    made = nn.make_parameter("p", jax.random.key(0), initializer, 1, metadata={"m": 1}, k=2)
    assert (made.label, made.metadata, calls) == ("p", {"m": 1}, [((1,), {"k": 2})])
    assert nn.make_parameter("p", None, initializer, 1, k=2) == ParameterSlot(label="p")
    assert len(calls) == 1


def test_missing_parameters_are_listed():
    layer = nn.Affine.from_config("l", None, {"a": 2}, {"x": 3})
    with pytest.raises(ValueError, match="but 2 are missing: 'l/Linear.weights', 'l/AddBias.bias'"):
        nn.assert_no_parameter_slots([layer])
    nn.assert_no_parameter_slots(nn.Linear.from_config("l", jax.random.key(0), {"a": 2}, {"x": 3}))


@pytest.mark.parametrize(
    ("mode", "distribution", "impl"),
    [
        ("fan_in", "uniform", "threefry2x32"),
        ("fan_out", "normal", "threefry2x32"),
        ("fan_avg", "truncated_normal", "rbg"),
    ],
)
def test_draws_are_those_of_jax(mode, distribution, impl):
    key, shape = jax.random.key(5, impl=impl), (2, 4, 7)
    weights = nn.variance_scaling_initializer(
        key,
        scale=1.7,
        mode=mode,
        distribution=distribution,
        parallel_axes={},
        convolution_spatial_axes={"w": 2},
        input_axes={"a": 4},
        output_axes={"c": 7},
        dtype=jnp.float32,
    )
    draw = jax.nn.initializers.variance_scaling(1.7, mode, distribution, in_axis=1, out_axis=2)
    found = weights.unwrap("w", "a", "c")
    np.testing.assert_allclose(found, draw(key, shape, jnp.float32), rtol=1e-6)
