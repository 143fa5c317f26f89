"""Promises of `nmap` and its relatives."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import NamedArray, nx


def seen_by(arguments, **keywords):
    """Returns what a function sees inside of `nmap`."""
    seen = []

    def look(*args, **kwargs):
        seen.append((args, kwargs))
        return jnp.zeros(())

    nx.nmap(look)(*arguments, **keywords)
    return seen[0]


def test_arguments_that_are_not_named_reach_the_function_unchanged():
    x = nx.ones({"a": 2})
    array = jnp.ones(5)
    (nested, number), keywords = seen_by(({"x": x, "f": len, "n": 3}, 7), text="t", array=array)
    assert nested["x"].shape == ()
    assert (nested["f"], nested["n"], number) == (len, 3, 7)
    assert keywords["text"] == "t"
    assert keywords["array"] is array


def test_names_appear_in_the_order_of_the_arguments():
    x = nx.wrap(jnp.ones((2, 3, 4)), "a", "b", "c").untag("c")
    y = nx.wrap(jnp.ones((4, 3, 5)), "c2", "b", "d").untag("c2")
    result = nx.nmap(lambda u, v: (u + v) * 2)(x, v=y)
    assert list(result.named_shape.items()) == [("a", 2), ("b", 3), ("d", 5)]
    assert result.positional_shape == (4,)


def test_positional_axes_keep_the_order_of_untag():
    x = nx.wrap(jnp.ones((2, 3, 4)), "a", "b", "c").untag("c", "a")
    ((array,), _) = seen_by((x,))
    assert array.shape == (4, 2)


def test_outputs_may_be_any_tree():
    x = nx.wrap(jnp.arange(6).reshape(2, 3), "a", "b").untag("b")
    out = nx.nmap(lambda u: {"s": u.sum(), "n": None, "l": [u]})(x)
    assert out["n"] is None
    assert (out["s"].named_shape, out["l"][0].positional_shape) == ({"a": 2}, (3,))


def test_names_appear_even_in_outputs_that_do_not_use_them():
    assert nx.nmap(lambda _: jnp.zeros(3))(nx.ones({"a": 2})).named_shape == {"a": 2}


def test_results_are_wrapped_without_named_arguments():
    assert nx.nmap(jnp.sum)(jnp.ones((2, 3))).unwrap() == 6
    assert isinstance(nx.nmap(lambda: 1.0)(), NamedArray)


@pytest.mark.parametrize("arguments", [(), (nx.NamedArray(np.ones(2), ("a",)),)])
def test_results_must_be_arrays(arguments):
    with pytest.raises(TypeError):
        nx.nmap(lambda *_: "text")(*arguments)


def test_nmap_nests():
    x = nx.ones({"a": 2, "b": 3})
    y = nx.ones({"c": 4})
    result = nx.nmap(lambda u: nx.nmap(jnp.multiply)(u, y))(x)
    assert result.named_shape == {"a": 2, "b": 3, "c": 4}
    with pytest.raises(ValueError, match="Repeated axis name 'a'"):
        nx.nmap(lambda _: nx.ones({"a": 2}))(x)


def test_size_mismatches_are_explained():
    x, y = nx.ones({"a": 2, "b": 3}), nx.ones({"a": 4, "b": 3})
    with pytest.raises(ValueError) as error:
        nx.nmap(lambda *args, **kwargs: 0)({"k": x}, other=[y])
    assert str(error.value) == (
        "Expected each axis name to have one size, but 'a' has size 2 in `args[0]['k']` and 4 in "
        "`kwargs['other'][0]`. Slice or rename one of them (named axes of size 1 do not "
        "broadcast). The arguments:\n"
        "  args[0]['k'].named_shape == {'a': 2, 'b': 3}\n"
        "  kwargs['other'][0].named_shape == {'a': 4, 'b': 3}"
    )


def test_collectives_can_refer_to_names():
    x = nx.wrap(jnp.arange(3.0), "a")
    result = nx.nmap(lambda u: u / jax.lax.psum(u, "a"))(x)
    np.testing.assert_allclose(result.unwrap("a"), [0, 1 / 3, 2 / 3])


def test_nmap_works_under_vmap_jit_and_grad():
    x = nx.wrap(jnp.arange(6.0).reshape(2, 3), "a", "b")

    def total(u):
        return nx.nmap(lambda v: jnp.sin(v).sum())(u.untag("b")).untag("a").sum().unwrap()

    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf]), x)
    np.testing.assert_allclose(jax.vmap(total)(stacked), [total(x), total(x * 2)], rtol=1e-6)
    grads = jax.jit(jax.grad(total))(x)
    np.testing.assert_allclose(grads.unwrap("a", "b"), np.cos(x.data_array), rtol=1e-6)


def test_partial_functions_take_the_fast_path():
    x = nx.wrap(jnp.arange(6.0).reshape(2, 3), "a", "b").untag("b")
    softmax = nx.nmap(functools.partial(jax.nn.softmax, axis=0))
    result = softmax(x)
    assert result.dims == x.dims
    np.testing.assert_allclose(result.sum().unwrap("a"), [1, 1], rtol=1e-6)


def test_functions_with_array_options_are_vectorized():
    x = nx.wrap(jnp.arange(6.0).reshape(2, 3), "a", "b").untag("b")
    mask = nx.wrap(jnp.array([[True, False, True]] * 2), "a", "b").untag("b")
    result = nx.nmap(jnp.sum)(x, where=mask)
    np.testing.assert_array_equal(result.unwrap("a"), [2, 8])
    low = nx.wrap(jnp.array([1.0, 4.0]), "a")
    clipped = nx.nmap(jnp.clip)(x, min=low).tag("b")
    np.testing.assert_array_equal(clipped.unwrap("a", "b"), [[1, 1, 2], [4, 4, 5]])


def test_functions_that_flatten_see_only_positional_axes():
    x = nx.wrap(jnp.arange(12).reshape(2, 3, 2), "a", "b", "c").untag("b", "c")
    np.testing.assert_array_equal(x.cumsum()[-1].unwrap("a"), [15, 51])
    np.testing.assert_array_equal(x.argmax().unwrap("a"), [5, 5])


def test_documentation_and_name_are_kept():
    lifted = nx.nmap(jax.nn.relu)
    assert lifted.__name__ == "relu"
    assert lifted.__doc__.startswith("Name-vectorized version of `relu`")
    assert nx.nmap(functools.partial(len))  # has no name of its own


def test_unhashable_callables_can_be_lifted():
    class Adder:
        __hash__ = None

        def __call__(self, x):
            return x + 1

    assert nx.nmap(Adder())(nx.zeros({"a": 1})).unwrap("a") == 1


def test_only_functions_can_be_lifted():
    with pytest.raises(TypeError, match=r"a function to lift to named arrays, got f32\[\]"):
        nx.nmap(jnp.sum(jnp.ones(2)))


def test_named_arrays_in_a_partial_function_are_not_lifted():
    x = nx.ones({"a": 2})
    lifted = nx.nmap(functools.partial(lambda held, u: u * held.named_shape["a"], x))
    assert lifted(nx.ones({"b": 3})).named_shape == {"b": 3}


def test_axes_are_numbers():
    x = nx.ones({"a": 2})
    for call in (
        lambda: x.sum("a"),
        lambda: x.sum(axis=("a",)),
        lambda: nx.nmap(jax.nn.softmax)(x, axis="a"),
    ):
        with pytest.raises(TypeError, match=r"got 'a'.*as in `x.untag\('a'\).sum\(\)`"):
            call()
    with pytest.raises(ValueError, match="of which there are 0, got -1"):
        nx.nmap(jax.nn.softmax)(x)


class TestBatches:
    @pytest.mark.parametrize("batch_size", [1, 4, 7, 100, {"b": 2}, {"c": 3, "a": 1}])
    def test_batches_need_not_divide_and_change_nothing(self, batch_size):
        x = nx.wrap(jnp.arange(30.0).reshape(2, 3, 5), "a", "b", "n").untag("n")
        y = nx.wrap(jnp.arange(20.0).reshape(5, 4), "n", "c").untag("n")

        def function(u, options):
            return {"dot": u @ options["v"], "row": u[::-1], "name": None}

        expected = nx.nmap(function)(x, {"v": y})
        result = jax.jit(nx.nmap(function, batch_size=batch_size))(x, {"v": y})
        assert result["name"] is None
        for key in ("dot", "row"):
            np.testing.assert_allclose(
                result[key].untag_prefix("a", "b", "c").unwrap(),
                expected[key].untag_prefix("a", "b", "c").unwrap(),
                rtol=1e-6,
            )

    def test_no_more_indices_run_at_once_than_asked_for(self):
        x = nx.ones({"a": 5, "b": 7})
        jaxpr = jax.make_jaxpr(nx.nmap(jnp.sin, batch_size=14))(x)
        (loop,) = [eqn for eqn in jaxpr.eqns if eqn.primitive.name == "scan"]
        assert loop.params["length"] == 2  # two at a time of the five, each with all seven

    def test_names_without_a_loop_can_be_referred_to(self):
        x = nx.wrap(jnp.arange(6.0).reshape(2, 3), "a", "b")
        result = nx.nmap(lambda u: u / jax.lax.psum(u, "b"), batch_size={"a": 1})(x)
        np.testing.assert_allclose(result.untag("b").sum().unwrap("a"), [1, 1], rtol=1e-6)

    def test_gradients_pass_through(self):
        x = nx.wrap(jnp.arange(5.0), "a")
        lifted = nx.nmap(jnp.square, batch_size=2)
        grads = jax.grad(lambda u: lifted(u).untag("a").sum().unwrap())(x)
        np.testing.assert_allclose(grads.unwrap("a"), 2 * np.arange(5.0))

    def test_mistakes_are_explained(self):
        x = nx.ones({"a": 2})
        for bad in ("a", 1.5, True, {"a": None}):
            with pytest.raises(TypeError, match="Expected `batch_size` to be an integer, or"):
                nx.nmap(jnp.sin, batch_size=bad)
        for bad in (0, -1, {"a": 0}):
            with pytest.raises(ValueError, match="Expected a positive `batch_size`, got"):
                nx.nmap(jnp.sin, batch_size=bad)
        with pytest.raises(ValueError, match=r"names of the arguments, 'a', got 'z'"):
            nx.nmap(jnp.sin, batch_size={"z": 1})(x)
        with pytest.raises(ValueError, match=r"'a' has size 2 in `args\[0\]` and 3 in `args\[1\]`"):
            nx.nmap(jnp.add, batch_size=1)(x, nx.ones({"a": 3}))


def test_where_unites_the_names():
    result = nx.where(nx.arange("a", 2) > nx.arange("b", 2), 1, 0)
    np.testing.assert_array_equal(result.unwrap("a", "b"), [[0, 0], [1, 0]])
    assert nx.where(jnp.array(True), 1, 0).unwrap() == 1


class TestScan:
    def test_carry_and_outputs_keep_their_axes(self):
        init = {"plain": jnp.zeros(3), "named": nx.zeros({"a": 2, "b": 3})}
        xs = {"x": nx.ones({"t": 5, "b": 3}), "y": nx.ones({"c": 2, "t": 5}).untag("c")}

        def step(carry, x):
            named = (carry["named"] + x["x"]).order_as("b", "a")
            return {"plain": carry["plain"] + 1, "named": named}, (x["y"], jnp.ones(2), named)

        carry, (y, plain, named) = nx.scan(step, "t", init, xs)
        assert jax.tree.structure(carry) == jax.tree.structure(init)
        np.testing.assert_array_equal(carry["named"].unwrap("a", "b"), np.full((2, 3), 5.0))
        assert (y.named_shape, y.positional_shape) == ({"t": 5}, (2,))
        assert (plain.named_shape, plain.positional_shape) == ({"t": 5}, (2,))
        assert named.named_shape == {"t": 5, "b": 3, "a": 2}

    def test_a_length_may_stand_for_xs(self):
        carry, _ = nx.scan(lambda c, _: (c + 1, None), "t", nx.zeros({"a": 1}), length=4)
        assert carry.unwrap("a") == 4

    def test_xs_must_be_named(self):
        with pytest.raises(ValueError, match=r"axis 't', but `xs\['k'\]` is f32\[2\]"):
            nx.scan(lambda c, x: (c, x), "t", 0, {"k": jnp.ones(2)})
        with pytest.raises(ValueError, match="got 't'"):
            nx.scan(lambda c, x: (c, x), "t", 0, nx.ones({"a": 2}))


def test_named_arrays_are_recognized():
    assert nx.is_namedarray(nx.ones({}))
    assert not nx.is_namedarray(jnp.ones(2))
