"""Promises of products and sums by name that the laws do not cover."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nn, nx


@pytest.fixture
def x():
    return nx.wrap(jnp.arange(6.0).reshape(2, 3), "a", "b")


def test_contract_sums_over_the_names_that_it_is_given(x):
    matrix = nx.wrap(jnp.arange(12.0).reshape(3, 4), "b", "c")
    data, other = np.asarray(x.data_array), np.asarray(matrix.data_array)
    np.testing.assert_allclose(nx.contract("b", x, matrix).unwrap("a", "c"), data @ other)
    np.testing.assert_allclose(nx.contract(["a"], x).unwrap("b"), data.sum(0))
    np.testing.assert_allclose(
        nx.contract(("b",), x, matrix, matrix).unwrap("a", "c"),
        np.einsum("ab,bc,bc->ac", data, other, other),
    )
    assert nn.contract is nx.contract


def test_einsum_stores_the_names_in_the_order_that_it_is_given(x):
    assert nx.einsum(x, x, to=("b", "a")).dims == ("b", "a")
    assert nx.einsum(x, to="b").dims == ("b",)
    np.testing.assert_allclose(nx.einsum(x, x, to=()).unwrap(), 55)


def test_einsum_passes_precision_and_type_on(x):
    low = x.astype(jnp.bfloat16)
    result = nx.einsum(low, low, to="a", preferred_element_type=jnp.float32)
    assert result.dtype == jnp.float32
    jaxpr = jax.make_jaxpr(lambda u: nx.einsum(u, u, to="a", precision="highest"))(x)
    assert "HIGHEST" in str(jaxpr)


def test_names_may_be_any_hashable():
    x = nx.ones({("a", 0): 2, None: 3})
    assert nx.einsum(x, to=[("a", 0)]).unwrap(("a", 0)).tolist() == [3, 3]
    assert nx.contract(None, x, x).named_shape == {("a", 0): 2}


def test_mistakes_are_explained(x):
    other = nx.ones({"b": 5})
    for function in (lambda *xs: nx.einsum(*xs, to="a"), lambda *xs: nx.contract("b", *xs)):
        with pytest.raises(
            ValueError, match=r"'b' has size 3 in `arrays\[0\]` and 5 in `arrays\[1"
        ):
            function(x, other)
        with pytest.raises(TypeError, match=r"named arrays, but `arrays\[1\]` is f32\[3\]"):
            function(x, jnp.ones(3))
        with pytest.raises(ValueError, match="Expected at least one array to"):
            function()
    with pytest.raises(ValueError, match=r"names in `to` that one of the arrays has.*got 'z'"):
        nx.einsum(x, to=("z",))
    with pytest.raises(ValueError, match="Repeated axis name 'a'"):
        nx.einsum(x, to=("a", "a"))
    with pytest.raises(ValueError, match=r"names to sum over that one of the arrays has.*got 'z'"):
        nx.contract("z", x)
    with pytest.raises(ValueError, match=r"'a' is missing from `arrays\[1\]`.*Use `nx.einsum`"):
        nx.contract("a", x, nx.ones({"b": 3}))
    with pytest.raises(ValueError, match=r"`arrays\[1\]` has positional axes of shape \(3,\)"):
        nx.contract("a", x, x.untag("b"))
    with pytest.raises(ValueError, match="Expected axis names, got the number 0"):
        nx.contract(0, x)
