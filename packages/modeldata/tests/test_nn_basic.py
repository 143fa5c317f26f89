"""Layers without parameters, groups and combinators."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata import nn
from modeldata._struct import pytree_dataclass
from modeldata.named import wrap
from modeldata.nn._layer import require_side_input
from modeldata.variables import Parameter, StateVariable, unbind_variables

ORDERS = st.permutations(["a", "b", "c"])


def named(order, dtype=np.float32, seed=0):
    sizes = {"a": 2, "b": 3, "c": 4}
    data = np.random.default_rng(seed).normal(size=[sizes[n] for n in order])
    return wrap(jnp.asarray(data, dtype), *order)


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@pytree_dataclass
class Probe(nn.Layer):
    """Adds one and remembers what it was called with."""

    calls: list

    def __call__(self, argument, /, **side_inputs):
        self.calls.append((argument, side_inputs))
        return argument + 1


@settings(max_examples=8)
@given(ORDERS, st.sampled_from(["a", "b", ("a", "c"), ("c", "b", "a")]))
def test_softmax_normalizes_jointly_over_its_axes(order, axes):
    x = named(order)
    numbers = tuple("abc".index(n) for n in axes)
    expected = softmax(np.asarray(x.unwrap("a", "b", "c"), np.float64), numbers)
    result = nn.Softmax(axes)(x)
    assert result.dims == x.dims
    np.testing.assert_allclose(result.unwrap("a", "b", "c"), expected, rtol=1e-5)


def test_softmax_sums_in_float32():
    x = wrap(jnp.zeros(5000, jnp.bfloat16), "a")
    result = nn.Softmax("a")(x)
    assert result.dtype == jnp.bfloat16
    assert float(result.data_array[0]) == pytest.approx(1 / 5000, rel=0.01)


@pytest.mark.parametrize("layer", [nn.Softmax("a"), nn.RMSStandardize("a"), nn.Standardize("a")])
def test_of_integers_shares_and_norms_are_floating_numbers(layer):
    x = wrap(jnp.array([1, 2, 4]), "a")
    result, exact = layer(x), layer(x.astype(jnp.float32))
    assert result.dtype == jnp.float32
    np.testing.assert_array_equal(result.data_array, exact.data_array)


def test_softmax_names_a_missing_axis():
    with pytest.raises(
        ValueError, match="`Softmax` needs an input with the axes `z`, but `z` is missing"
    ):
        nn.Softmax("z")(named("abc"))
    with pytest.raises(TypeError, match="`Softmax` needs a `NamedArray`"):
        nn.Softmax("z")(jnp.ones(3))


@settings(max_examples=4)
@given(ORDERS)
def test_elementwise_applies_its_function(order):
    x = named(order)
    np.testing.assert_allclose(
        nn.Elementwise(jnp.tanh)(x).unwrap(*"abc"), np.tanh(x.unwrap(*"abc")), rtol=1e-6
    )
    np.testing.assert_allclose(
        nn.Elementwise(jnp.tanh)(x.data_array), np.tanh(x.data_array), rtol=1e-6
    )


def test_equal_partials_make_equal_layers():
    layers = [nn.Elementwise(functools.partial(jax.nn.gelu, approximate=True)) for _ in range(2)]
    assert layers[0] == layers[1]
    assert jax.tree.structure(layers[0]) == jax.tree.structure(layers[1])
    assert layers[0] != nn.Elementwise(functools.partial(jax.nn.gelu, approximate=False))
    np.testing.assert_allclose(layers[0](jnp.ones(2)), jax.nn.gelu(jnp.ones(2), approximate=True))


def test_elementwise_refuses_a_function_that_changes_the_shape():
    with pytest.raises(ValueError, match=r"keeps the shape, but .* made shape \(\) of \(2, 3, 4\)"):
        nn.Elementwise(jnp.sum)(named("abc"))


def test_casting_converts_every_array():
    result = nn.CastToDType(jnp.bfloat16)({"x": named("abc"), "y": jnp.ones(2), "z": 1.5})
    assert {value.dtype for value in result.values()} == {jnp.dtype(jnp.bfloat16)}


def test_soft_capping_is_a_scaled_tanh_and_keeps_the_dtype():
    x = named("abc") * 100
    expected = 30 * np.tanh(x.unwrap(*"abc") / 30)
    np.testing.assert_allclose(nn.TanhSoftCap(30.0)(x).unwrap(*"abc"), expected, rtol=1e-5)
    assert nn.TanhSoftCap(jnp.float32(30))(x.astype(jnp.bfloat16)).dtype == jnp.bfloat16


def test_rescaling_multiplies_and_keeps_floating_dtypes():
    x = named("abc", jnp.bfloat16)
    assert nn.ConstantRescale(jnp.float32(0.5))(x).dtype == jnp.bfloat16
    np.testing.assert_array_equal(nn.ConstantRescale(2)(jnp.arange(3)), [0, 2, 4])
    by = wrap(jnp.arange(3.0), "b")
    expected = named("abc").unwrap(*"abc") * np.arange(3.0)[:, None]
    np.testing.assert_allclose(
        nn.ConstantRescale(by)(named("cab")).unwrap(*"abc").shape, expected.shape
    )
    np.testing.assert_allclose(
        nn.ConstantRescale(by)(named("abc")).unwrap(*"abc"), expected, rtol=1e-6
    )


@settings(max_examples=4)
@given(ORDERS)
def test_renaming_moves_no_data_and_can_swap(order):
    x = named(order)
    result = nn.RenameAxes(("a", "b"), ("b", "x"))(x)
    assert result.data_array is x.data_array
    np.testing.assert_array_equal(result.unwrap("b", "x", "c"), x.unwrap("a", "b", "c"))


def test_renaming_refuses_names_that_do_not_fit():
    with pytest.raises(ValueError, match="`z` is missing from"):
        nn.RenameAxes("z", "y")(named("abc"))
    with pytest.raises(ValueError, match="as many new names as old ones, but got `a` and `x`, `y`"):
        nn.RenameAxes("a", ("x", "y"))(named("abc"))
    with pytest.raises(ValueError, match="would give two axes of .* the same name: `a` become `b`"):
        nn.RenameAxes("a", "b")(named("abc"))


def test_sequences_run_in_order_and_forward_side_inputs():
    probes = [Probe([]), Probe([])]
    for group in (nn.Sequential(probes), nn.NamedGroup("group", probes)):
        assert group(1, extra="x") == 3
    assert probes[0].calls == [(1, {"extra": "x"})] * 2
    assert probes[1].calls == [(2, {"extra": "x"})] * 2


def test_an_empty_sequence_is_the_identity():
    assert nn.Sequential([])(5) == nn.Identity()(5, anything=1) == 5


def test_branches_are_joined_and_forward_side_inputs():
    probes = [Probe([]), Probe([]), Probe([])]
    assert nn.BranchAndAddTogether(probes)(2, s=1) == 9
    assert nn.BranchAndMultiplyTogether(probes)(2, s=1) == 27
    assert nn.Residual(probes[0])(2, s=1) == 5
    assert probes[0].calls == [(2, {"s": 1})] * 3


@pytest.mark.parametrize("kind", [nn.BranchAndAddTogether, nn.BranchAndMultiplyTogether])
def test_without_branches_there_is_nothing_to_join(kind):
    with pytest.raises(ValueError, match=f"`{kind.__name__}` needs at least one branch"):
        kind([])(1)


@pytree_dataclass(has_implicitly_inherited_fields=True)
class Special(nn.Sequential):
    """A group of its own kind."""


def test_inlining_flattens_plain_sequences_inside_groups_only():
    a, b, c, d = (nn.RenameAxes(n, n) for n in "abcd")
    tree = {
        "m": nn.Sequential(
            [
                nn.Sequential([a, nn.Sequential([b])]),
                Special([nn.Sequential([c])]),
                nn.NamedGroup("g", [d]),
                nn.Residual(nn.Sequential([a])),
            ]
        )
    }
    expected = nn.Sequential(
        [a, b, Special([c]), nn.NamedGroup("g", [d]), nn.Residual(nn.Sequential([a]))]
    )
    assert nn.inline_anonymous_sequentials(tree) == {"m": expected}


def test_inlining_chooses_parents_and_children():
    a = nn.Identity()
    tree = nn.NamedGroup("out", [nn.NamedGroup("in", [a]), Special([a])])
    result = nn.inline_groups(tree, lambda p: True, lambda c: isinstance(c, nn.NamedGroup))
    assert result == nn.NamedGroup("out", [a, Special([a])])
    assert nn.inline_groups(tree, lambda p: False, lambda c: True) == tree


def test_kinds_of_groups_are_told_apart():
    assert nn.is_anonymous_sequential(nn.Sequential([]))
    assert not nn.is_anonymous_sequential(Special([]))
    assert all(
        map(nn.is_sequential_or_named, [nn.Sequential([]), Special([]), nn.NamedGroup("", [])])
    )
    assert not nn.is_sequential_or_named(nn.Identity())


@pytree_dataclass
class Counter(nn.Layer):
    """Counts its calls, and multiplies by a parameter."""

    count: object
    factor: object

    def __call__(self, argument, /, **side_inputs):
        self.count.value = self.count.value + 1
        if "log" in side_inputs:
            side_inputs["log"].value = argument
        return argument * self.factor.value


def test_a_stateless_call_returns_new_values_and_changes_nothing():
    layer = Counter(StateVariable(3, label="count"), Parameter(value=2.0, label="f"))
    unbound, values = unbind_variables(layer, freeze=True)
    result, after = unbound.stateless_call(values, 5.0)
    assert result == 10
    assert [v.label for v in after] == ["count", "f"]
    assert [float(v.value) for v in after] == [4, 2]
    assert layer.count.value == 3


def test_a_stateless_call_binds_into_side_inputs_and_freezes_what_is_bound():
    layer = Counter(StateVariable(3, label="count"), Parameter(value=2.0, label="f"))
    log = StateVariable(0.0, label="log")
    with pytest.raises(AttributeError, match="cannot assign to field 'value'"):
        layer.stateless_call((), 5.0)
    assert layer.count.value == 3
    unbound, values = unbind_variables((layer, log), freeze=True)
    _, after = unbound[0].stateless_call(values, 5.0, log=unbound[1])
    assert float(after[2].value) == 5


def test_a_stateless_call_refuses_values_without_a_slot_or_not_frozen():
    extra = StateVariable(0, label="extra")
    with pytest.raises(ValueError, match="none for 'extra'"):
        nn.Identity().stateless_call((extra.freeze(),), 1)
    with pytest.raises(
        ValueError,
        match="frozen values in `variable_values` of `stateless_call`, but got a `StateVariable`",
    ):
        nn.Identity().stateless_call((extra,), 1)


def test_layers_bind_variables_by_method():
    parameter = Parameter(value=2.0, label="f")
    unbound, _ = unbind_variables(nn.NormScale(parameter))
    assert unbound.bind_variables([parameter]) == nn.NormScale(parameter)
    with pytest.raises(ValueError, match="none for 's'"):
        unbound.bind_variables([StateVariable(0, label="s")])


def test_a_missing_side_input_names_layer_input_and_what_is_there():
    with pytest.raises(nn.MissingSideInputError) as info:
        require_side_input(nn.Identity(), {"a": 1, "b": 2}, "token_positions")
    assert str(info.value) == (
        "`Identity` needs the side input `token_positions`, but the side inputs present are: `a`, "
        "`b`. Pass `token_positions=...` when you call the model."
    )
    assert isinstance(info.value, KeyError)


def test_layers_are_abstract_without_a_call():
    with pytest.raises(TypeError, match="abstract"):
        nn.Layer()


def test_an_equal_partial_equals_one_of_equal_parts():
    first = nn.EqualPartial(jax.nn.gelu, approximate=True)
    second = nn.Elementwise(functools.partial(jax.nn.gelu, approximate=True)).fn
    assert first == second
    assert hash(first) == hash(second)
    assert first != nn.EqualPartial(jax.nn.gelu, approximate=False)
    assert type(second).__name__ == "EqualPartial"
