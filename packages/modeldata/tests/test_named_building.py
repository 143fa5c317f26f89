"""Promises of the functions that make named arrays and put them together."""

from collections import OrderedDict

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nx


def test_filled_arrays():
    np.testing.assert_array_equal(nx.full({"a": 2, "b": 1}, 7).unwrap("a", "b"), [[7], [7]])
    assert nx.full({"a": 2}, 7).dtype == jnp.int32
    assert nx.zeros({"a": 2}).dtype == nx.ones({}).dtype == jnp.float32
    assert nx.zeros({"a": 2}, jnp.int8).dtype == nx.ones({"a": 2}, np.dtype("int8")).dtype
    assert nx.ones({}).unwrap() == 1


def test_arange():
    np.testing.assert_array_equal(nx.arange("a", 3).unwrap("a"), [0, 1, 2])
    np.testing.assert_array_equal(nx.arange("a", 5, 1, -2).unwrap("a"), [5, 3])
    assert nx.arange("a", 3, dtype=jnp.float16).dtype == jnp.float16


def test_numbers_are_no_names():
    for make in (
        lambda: nx.full({1: 2}, 0),
        lambda: nx.zeros({1: 2}),
        lambda: nx.ones({1: 2}),
        lambda: nx.arange(1, 3),
        lambda: nx.random_split(jax.random.key(0), {1: 2}),
    ):
        with pytest.raises(ValueError, match="Expected axis names, got the number 1"):
            make()


def test_sizes_are_explained():
    for size in (-1, 2.5, None):
        for make in (
            lambda size=size: nx.full({"a": size}, 0),
            lambda size=size: nx.random_split(jax.random.key(0), {"a": size}),
        ):
            with pytest.raises(ValueError, match=f"non-negative integers, got {size} for 'a'"):
                make()
    with pytest.raises(TypeError, match=r"a mapping from axis names to sizes, got \['a'\]"):
        nx.zeros(["a"])
    with pytest.raises(TypeError, match=r"a plain value to fill an array with, got NamedArray"):
        nx.full({"a": 2}, nx.ones({"b": 3}))


class TestRandomSplit:
    def test_plain_mappings_are_sorted_and_ordered_ones_kept(self):
        key = jax.random.key(0)

        def data(named_shape):
            return jax.random.key_data(nx.random_split(key, named_shape).unwrap("a", "b"))

        expected = jax.random.key_data(jax.random.split(key, (2, 3)))
        np.testing.assert_array_equal(data({"b": 3, "a": 2}), expected)
        np.testing.assert_array_equal(data([("a", 2), ("b", 3)]), expected)
        swapped = jax.random.key_data(jax.random.split(key, (3, 2))).swapaxes(0, 1)
        np.testing.assert_array_equal(data(OrderedDict(b=3, a=2)), swapped)

    def test_named_keys_are_split_one_by_one(self):
        keys = nx.random_split(jax.random.key(0), {"a": 2})
        assert nx.random_split(keys, {"b": 3}).named_shape == {"a": 2, "b": 3}
        assert nx.random_split(keys, {}).named_shape == {"a": 2}

    def test_names_must_be_sortable(self):
        with pytest.raises(ValueError, match=r"can be sorted, got 'a', \(1,\)"):
            nx.random_split(jax.random.key(0), {"a": 2, (1,): 3})


class TestJoining:
    def test_concatenate_follows_the_axis_and_broadcasts_the_rest(self):
        x = nx.wrap(jnp.arange(6).reshape(2, 3), "a", "b")
        y = nx.wrap(jnp.arange(4), "b")
        joined = nx.concatenate([x, y], "b")
        np.testing.assert_array_equal(
            joined.unwrap("a", "b"), [[0, 1, 2, 0, 1, 2, 3], [3, 4, 5, 0, 1, 2, 3]]
        )

    def test_stack_adds_an_axis_and_unstack_removes_it(self):
        parts = [nx.wrap(jnp.arange(3) + i, "b") for i in range(4)]
        stacked = nx.stack(parts, "s")
        assert stacked.named_shape == {"b": 3, "s": 4} or stacked.named_shape == {"s": 4, "b": 3}
        for part, again in zip(parts, nx.unstack(stacked, "s"), strict=True):
            np.testing.assert_array_equal(part.unwrap("b"), again.unwrap("b"))

    def test_the_new_axis_is_stored_first(self):
        x, y = nx.ones({"a": 2, "b": 3}), nx.ones({"b": 3}).untag("b").tag("b")
        assert nx.stack([x, y], "s").dims == ("s", "a", "b")
        assert nx.concatenate([x, x.order_as("b", "a")], "b").dims == ("a", "b")

    def test_positional_axes_are_kept(self):
        parts = [nx.ones({"a": 2, "b": 3}).untag("b")] * 2
        assert nx.stack(parts, "s").positional_shape == (3,)
        assert nx.concatenate(parts, "a").positional_shape == (3,)
        assert nx.concatenate(parts, "a").named_shape == {"a": 4}

    def test_mistakes_are_explained(self):
        x, y = nx.ones({"a": 2}), nx.ones({"a": 2}).untag("a")
        with pytest.raises(
            ValueError,
            match=r"shape to concatenate, got `arrays\[0\]` has \(\); `arrays\[1\]` has \(2,\)",
        ):
            nx.concatenate([x, y], "a")
        with pytest.raises(ValueError, match="the same positional shape to stack, got no arrays"):
            nx.stack([], "a")
        with pytest.raises(ValueError, match="a new name for the axis to stack along, got 'a'"):
            nx.stack([x, x], "a")
        with pytest.raises(ValueError, match=r"have the axis 'b', but `arrays\[1\]` has"):
            nx.concatenate([nx.ones({"b": 2}), x], "b")
        with pytest.raises(
            ValueError, match=r"'a' has size 2 in `arrays\[0\]` and 5 in `arrays\[1"
        ):
            nx.stack([x, nx.ones({"a": 5})], "s")
        with pytest.raises(ValueError, match="Expected axis names, got the number 1"):
            nx.stack([x, x], 1)
        for join in (nx.stack, nx.concatenate):
            with pytest.raises(TypeError, match=r"but `arrays\[1\]` is f32\[2\]"):
                join([x, jnp.ones(2)], "a")
        with pytest.raises(ValueError, match="got 'q'"):
            nx.unstack(x, "q")
