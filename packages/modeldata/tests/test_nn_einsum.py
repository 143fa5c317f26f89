"""Einsums over named axes."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata import nn
from modeldata.named import wrap

SIZES = {"batch": 2, "seq": 3, "kv_seq": 4, "heads": 2, "groups": 3, "projection": 5}
QUERY = ("batch", "seq", "groups", "heads", "projection")
KEY = ("batch", "seq", "groups", "projection")


def named(names, seed=0, **sizes):
    shape = [{**SIZES, **sizes}[n] for n in names]
    return wrap(np.random.default_rng(seed).normal(size=shape).astype(np.float32), *names)


@settings(max_examples=8)
@given(st.permutations(QUERY), st.permutations(KEY))
def test_scores_of_grouped_queries_and_keys(query_order, key_order):
    layer = nn.NamedEinsum(
        (
            {"seq": "tq", "groups": "g", "heads": "h", "projection": "p"},
            {"seq": "tk", "groups": "g", "projection": "p"},
        ),
        {"seq": "tq", "groups": "g", "heads": "h", "kv_seq": "tk"},
    )
    q, k = named(query_order), named(key_order, 1, seq=4)
    expected = np.einsum("bsghp,btgp->bsght", q.unwrap(*QUERY), k.unwrap(*KEY))
    result = layer((q, k)).unwrap("batch", "seq", "groups", "heads", "kv_seq")
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_names_can_be_renamed_on_the_way_in_and_out():
    layer = nn.NamedEinsum(
        (("seq", "projection"), {"seq": "projection", "heads": "h"}), {"seq": "h", "x": "seq"}
    )
    a, b = named(("seq", "projection")), named(("seq", "heads"), 1, seq=5)
    expected = a.unwrap("seq", "projection") @ b.unwrap("seq", "heads")
    np.testing.assert_allclose(layer((a, b)).unwrap("x", "seq"), expected, atol=1e-5)


def test_a_repeated_index_takes_a_diagonal():
    layer = nn.NamedEinsum(({"seq": "i", "kv_seq": "i"},), ())
    x = named(("batch", "kv_seq", "seq"), kv_seq=3)
    expected = np.trace(x.unwrap("batch", "seq", "kv_seq"), axis1=1, axis2=2)
    np.testing.assert_allclose(layer((x,)).unwrap("batch"), expected, atol=1e-5)


def test_an_index_of_one_input_alone_is_summed():
    layer = nn.NamedEinsum((("seq",), ("heads",), ("groups",)), ("groups",))
    a, b, c = named(("seq",)), named(("heads",)), named(("groups",))
    expected = a.unwrap("seq").sum() * b.unwrap("heads").sum() * c.unwrap("groups")
    np.testing.assert_allclose(layer((a, b, c)).unwrap("groups"), expected, rtol=1e-4)


def test_axes_that_are_not_described_pass_through_from_either_input():
    layer = nn.NamedEinsum((("seq",), ("seq",)), ())
    a, b = named(("seq", "batch", "heads")), named(("batch", "seq", "groups"), 1)
    expected = np.einsum(
        "sbh,bsg->bhg", a.unwrap("seq", "batch", "heads"), b.unwrap("batch", "seq", "groups")
    )
    np.testing.assert_allclose(
        layer((a, b)).unwrap("batch", "heads", "groups"), expected, atol=1e-5
    )


def test_equal_settings_make_equal_layers_however_they_are_written():
    a = nn.NamedEinsum((["x"], {"y": "i"}), ["x"])
    b = nn.NamedEinsum((("x",), {"y": "i"}), ("x",))
    assert a == b
    assert hash(a) == hash(b)
    assert repr(a) == "NamedEinsum(input_axes=(('x',), {'y': 'i'}), output_axes=('x',))"
    assert eval(repr(a), {"NamedEinsum": nn.NamedEinsum}) == a


def test_mistakes_in_the_settings_are_found_when_it_is_made():
    with pytest.raises(
        ValueError, match="output index `z`, which no input has. The inputs have `x`, `y`"
    ):
        nn.NamedEinsum((("x",), ("y",)), ("z",))
    with pytest.raises(ValueError, match="an index of its own for each output axis"):
        nn.NamedEinsum((("x",),), {"a": "x", "b": "x"})
    with pytest.raises(TypeError, match="in `input_axes` of `NamedEinsum`, but got a `dict`"):
        nn.NamedEinsum({"x": "x"}, ())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((named(("seq",)),), ValueError, "needs a tuple of 2 arrays, but got 1"),
        (named(("seq",)), ValueError, "needs a tuple of 2 arrays, but got NamedArray"),
        ((named(("seq",)), jnp.ones(3)), TypeError, r"\(input 1\) needs a `NamedArray`"),
        (
            (named(("seq",)), named(("heads",))),
            ValueError,
            r"\(input 1\) needs an input with the axes `seq`",
        ),
        (
            (named(("seq",)), named(("seq",), seq=4)),
            ValueError,
            r"axis `seq` of .*\(input 1\) has size 4",
        ),
        (
            (named(("seq", "batch")), named(("seq", "batch"), batch=7)),
            ValueError,
            "axis `batch` of",
        ),
        (
            (named(("seq", "out"), out=2), named(("seq",))),
            ValueError,
            "the axis `out`, which passes",
        ),
        (
            (named(("seq",)), wrap(jnp.arange(3), "seq")),
            TypeError,
            "needs floating numbers, but got int32",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_described(arguments, error, message):
    layer = nn.NamedEinsum((("seq",), ("seq",)), {"out": "seq"})
    with pytest.raises(error, match=message):
        layer(arguments)
