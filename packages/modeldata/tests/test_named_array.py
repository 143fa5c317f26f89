"""Promises of named arrays as objects: names, order, conversions, errors."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import NamedArray, nx


@pytest.fixture
def xyz():
    return nx.wrap(jnp.arange(24).reshape(2, 3, 4), "x", "y", "z")


class TestNames:
    def test_wrap_and_unwrap_return_the_same_array(self):
        array = jnp.arange(6).reshape(2, 3)
        assert nx.wrap(array).unwrap() is array
        assert nx.wrap(array, "a", "b").unwrap("a", "b") is array
        assert nx.wrap(array).dims == ()

    def test_shapes_are_split_into_named_and_positional(self, xyz):
        assert xyz.named_shape == {"x": 2, "y": 3, "z": 4}
        assert xyz.positional_shape == ()
        assert xyz.untag("z", "x").positional_shape == (4, 2)
        assert xyz.untag("z", "x").named_shape == {"y": 3}
        assert (xyz.size, xyz.dtype, xyz.data_axis("y")) == (24, jnp.int32, 1)

    def test_dims_stay_valid_when_leading_axes_come_and_go(self, xyz):
        """`dims` names trailing axes, so `vmap`, `scan` and stacking work on the data."""
        part = xyz.untag("z")
        assert part.dims == ("x", "y", 0)
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), part, part, part)
        assert stacked.positional_shape == (3, 4)
        mapped = jax.vmap(lambda one: one + 1)(stacked)
        assert mapped.positional_shape == (3, 4)
        _, scanned = jax.lax.scan(lambda carry, one: (carry, one.sum()), 0, stacked)
        assert scanned.positional_shape == (3,)
        np.testing.assert_array_equal(scanned[0].unwrap("x", "y"), part.sum().unwrap("x", "y"))

    def test_tag_names_axes_in_place(self, xyz):
        renamed = xyz.untag("z", "x").tag("c", "a")
        assert renamed.named_shape == {"a": 2, "y": 3, "c": 4}
        assert renamed.data_array is xyz.data_array

    def test_names_may_be_any_hashable_but_numbers(self):
        name = ("tuple", frozenset())
        assert nx.zeros({name: 2, None: 3}).named_shape == {name: 2, None: 3}
        for bad in (1, True, 2.5, np.int32(3)):
            with pytest.raises(ValueError, match="Expected axis names, got the number"):
                nx.wrap(jnp.ones(2), bad)
        with pytest.raises(ValueError, match=r"a hashable axis name, got \['list'\]"):
            nx.wrap(jnp.ones(2), ["list"])

    def test_named_arrays_are_not_wrapped_again(self, xyz):
        with pytest.raises(TypeError, match=r"a plain array to wrap, got NamedArray\(i32"):
            nx.wrap(xyz, "a")

    def test_untag_needs_known_names_and_no_positional_axes(self, xyz):
        with pytest.raises(ValueError, match="cannot be used to introduce positional axes"):
            xyz.untag("x").untag("y")
        with pytest.raises(
            ValueError, match=r"names of axes that the array has, 'x', 'y', 'z', got 'q'"
        ):
            xyz.untag("q")
        with pytest.raises(ValueError, match="Repeated axis name 'x'"):
            xyz.untag("x", "x")
        assert xyz.untag() is xyz

    def test_tag_needs_one_new_name_for_each_axis(self, xyz):
        part = xyz.untag("z", "y")
        with pytest.raises(
            ValueError,
            match="exactly one name for each positional axis, got 1 name, 'a', for 2 positional axes. Use `tag_prefix`",
        ):
            part.tag("a")
        with pytest.raises(
            ValueError,
            match="at most one name for each positional axis, got 3 names, 'a', 'b', 'c', for 2 positional axes. Leave some out",
        ):
            part.tag_prefix("a", "b", "c")
        with pytest.raises(ValueError, match=r"Repeated axis names 'x': the array already has"):
            part.tag("x", "a")
        with pytest.raises(ValueError, match="Repeated axis name 'a'"):
            part.tag("a", "a")

    def test_unwrap_needs_all_names(self, xyz):
        with pytest.raises(ValueError, match=r"without named axes, got one with 'x', 'y', 'z'"):
            xyz.unwrap()
        with pytest.raises(ValueError, match=r"'y' are missing"):
            xyz.unwrap("x", "z")
        np.testing.assert_array_equal(
            xyz.unwrap("z", "x", "y"), np.transpose(xyz.data_array, (2, 0, 1))
        )

    def test_data_axis_needs_a_known_name(self, xyz):
        with pytest.raises(ValueError, match="got 'q'"):
            xyz.data_axis("q")


class TestValidity:
    @pytest.mark.parametrize(
        ("data", "dims", "text"),
        [
            (5, (), "to be an array with a shape and a dtype, got 5"),
            (jnp.ones(2), None, "to be a tuple, got None"),
            (jnp.ones(2), ("a", "b"), "an axis for each of 'a', 'b', got one with 1 axes"),
            (jnp.ones((2, 3)), ("a", "a"), "Repeated axis name 'a'"),
            (jnp.ones((2, 3)), ("a", 1), "numbered 0 to 0, each once"),
            (jnp.ones((2, 3)), (1, 1), "numbered 0 to 1, each once"),
            (jnp.ones((2, 3)), (0, "a"), r"in short form, \('a',\), got"),
        ],
    )
    def test_mistakes_are_found(self, data, dims, text):
        with pytest.raises(ValueError, match=text):
            NamedArray(data, dims).check_valid()

    def test_a_dtype_is_needed(self):
        class Shaped:
            ndim, shape = 0, ()

        with pytest.raises(ValueError, match="to have a dtype"):
            NamedArray(Shaped(), ()).check_valid()

    def test_the_constructor_and_unflattening_check_nothing(self):
        treedef = jax.tree.structure(nx.ones({"a": 2}))
        for hole in (None, "hole", jax.ShapeDtypeStruct((2,), "f4")):
            assert treedef.unflatten([hole]).data_array is hole

    def test_shapes_without_data_can_be_looked_at(self):
        shape = jax.eval_shape(lambda: nx.ones({"a": 2}).untag("a"))
        assert shape.positional_shape == (2,)
        assert shape.tag("b").named_shape == {"b": 2}


class TestOrder:
    def test_order_as_needs_all_names(self, xyz):
        with pytest.raises(ValueError, match="'z' are missing"):
            xyz.order_as("x", "y")
        with pytest.raises(ValueError, match="got 'q'"):
            xyz.order_as("x", "y", "z", "q")

    def test_order_as_puts_positional_axes_first(self, xyz):
        ordered = xyz.untag("y").order_as("z", "x")
        assert (ordered.data_array.shape, ordered.dims) == ((3, 4, 2), ("z", "x"))

    def test_order_like_ignores_other_ranks_when_it_can(self, xyz):
        other = nx.zeros({"z": 4, "x": 2})
        assert xyz.untag("y").order_like(other).dims == ("z", "x")

    def test_order_like_explains_what_does_not_fit(self, xyz):
        with pytest.raises(
            ValueError, match="with the same names, 'x', 'y', 'z', got one with 'x'"
        ):
            xyz.order_like(nx.ones({"x": 2}))
        with pytest.raises(
            ValueError, match="with 1 positional axes, got one with 2, stored after"
        ):
            xyz.untag("x").order_like(nx.ones({"y": 1, "z": 1, "p": 1, "q": 1}).untag("p", "q"))
        with pytest.raises(TypeError, match=r"named array to take the order from, got f32\[2\]"):
            xyz.order_like(jnp.ones(2))

    def test_canonical_order_needs_names_that_can_be_sorted(self):
        with pytest.raises(TypeError, match=r"can be sorted, got 'a', \(1,\)"):
            nx.ones({"a": 1, (1,): 1}).canonicalize()

    def test_trees_are_ordered_leaf_by_leaf(self, xyz):
        like = {"a": xyz.order_as("z", "y", "x"), "b": 0}
        ordered = nx.order_like({"a": xyz, "b": 5}, like)
        assert ordered["a"].dims == ("z", "y", "x")
        assert ordered["b"] == 5

    def test_broadcasting_keeps_the_array_if_nothing_is_new(self, xyz):
        assert xyz.broadcast_to() is xyz
        assert xyz.broadcast_to((), {"x": 2}) is xyz

    def test_broadcasting_explains_what_does_not_fit(self, xyz):
        with pytest.raises(ValueError, match=r"has, \{'x': 2.*\}, got \{'x': 5\}"):
            xyz.broadcast_to((), {"x": 5})
        with pytest.raises(
            ValueError, match=r"positional shape that \(2,\) broadcasts to, got \(3,\)"
        ):
            xyz.untag("x").broadcast_to((3,))
        with pytest.raises(ValueError, match=r"that \(2,\) broadcasts to, got \(\)"):
            xyz.untag("x").broadcast_to()

    def test_broadcast_like_takes_plain_arrays(self, xyz):
        assert xyz.broadcast_like(np.ones((5, 6))).positional_shape == (5, 6)


class TestAsPythonObject:
    def test_scalars_convert_to_python_numbers(self):
        one = nx.wrap(1)
        assert (int(one), float(one), complex(one), bool(one), one.item()) == (
            1,
            1.0,
            1 + 0j,
            True,
            1,
        )
        assert [5, 6][one] == 6
        assert round(nx.wrap(1.26), 1).item() == pytest.approx(1.3)

    @pytest.mark.parametrize(
        "convert", [int, float, complex, bool, lambda x: [1][x], lambda x: x.item()]
    )
    def test_arrays_do_not(self, convert):
        with pytest.raises(ValueError, match="Cannot convert a non-scalar NamedArray"):
            convert(nx.ones({"a": 1}))

    def test_scalars_can_be_formatted(self, xyz):
        assert f"{nx.wrap(1.26):.1f} {nx.wrap(3):03d}" == "1.3 003"
        assert f"{xyz}" == repr(xyz)
        with pytest.raises(ValueError, match="Cannot convert a non-scalar NamedArray"):
            f"{xyz:.1f}"

    def test_conversions_say_how_to_reduce(self, xyz):
        with pytest.raises(ValueError, match=r"as in `x.untag_prefix\('x', 'y', 'z'\).all\(\)`"):
            bool(xyz == xyz)
        with pytest.raises(ValueError, match=r"as in `x.untag_prefix\('x', 'y', 'z'\).sum\(\)`"):
            float(xyz)
        with pytest.raises(ValueError, match=r"as in `x.all\(\)`"):
            bool(nx.wrap(jnp.ones(2)))

    def test_attributes_of_plain_arrays_are_explained(self, xyz):
        for name, text in [
            ("shape", "has no attribute `shape`. It has a `named_shape` and a `positional_shape`"),
            ("ndim", r"Use `len\(x.named_shape\)`"),
            ("names", "The names are the keys of `named_shape`"),
            ("expand_dims", "Its functions act on the positional axes; see `nx.nmap`"),
        ]:
            assert not hasattr(xyz, name)
            with pytest.raises(AttributeError, match=text):
                getattr(xyz, name)
        with pytest.raises(
            AttributeError, match=r"`dtype`. It takes it.*`data_array`, which is None"
        ):
            _ = NamedArray(None, ()).dtype

    def test_iteration_goes_over_the_first_positional_axis(self, xyz):
        rows = list(xyz.untag("y", "z"))
        assert [row.positional_shape for row in rows] == [(4,)] * 3
        assert len(xyz.untag("y")) == 3
        with pytest.raises(ValueError, match="a positional axis to iterate over"):
            iter(xyz).__next__()
        with pytest.raises(ValueError, match="a positional axis to iterate over"):
            len(xyz)

    def test_numpy_gets_positional_arrays_only(self, xyz):
        np.testing.assert_array_equal(np.asarray(xyz.untag("x", "y", "z")), xyz.data_array)
        with pytest.raises(ValueError, match="without named axes"):
            np.asarray(xyz)

    def test_numpy_on_the_left_gives_a_named_array(self, xyz):
        for left in (np.ones(4), np.float32(2), np.asarray(3)):
            assert isinstance(left * xyz, NamedArray)
        assert (np.ones(4) * xyz).positional_shape == (4,)

    def test_comparison_with_other_objects_is_a_bool(self, xyz):
        assert (xyz == None) is False  # noqa: E711
        assert (xyz != "text") is True
        with pytest.raises(TypeError, match="unsupported operand"):
            xyz + "text"
        with pytest.raises(TypeError, match="unsupported operand"):
            xyz @ "text"

    def test_named_arrays_are_not_hashable(self, xyz):
        with pytest.raises(TypeError, match="unhashable"):
            hash(xyz)

    def test_copies_and_pickles(self, xyz):
        for other in (copy.copy(xyz), copy.deepcopy(xyz), pickle.loads(pickle.dumps(xyz))):
            assert other.dims == xyz.dims
            assert bool((other == xyz).untag("x", "y", "z").all())

    def test_device_information(self, xyz):
        data = xyz.data_array
        assert xyz.block_until_ready() is xyz
        assert (xyz.sharding, xyz.device, xyz.devices()) == (
            data.sharding,
            data.device,
            data.devices(),
        )
        assert (xyz.size, xyz.itemsize, xyz.nbytes) == (24, 4, 96)
        assert xyz.to_device(jax.devices()[0]).dims == xyz.dims
        copied = xyz.copy()
        assert copied.data_array is not data
        np.testing.assert_array_equal(copied.data_array, data)

    def test_text_is_short_and_fits_the_width(self, xyz):
        assert repr(xyz.untag("x", "y")) == "NamedArray(i32[2, 3 | z:4])"
        assert repr(xyz.untag("x", "y", "z")) == "NamedArray(i32[2, 3, 4])"
        assert repr(nx.wrap(1.0)) == "NamedArray(f32[])"
        many = nx.ones({f"a_rather_long_axis_name_{i}": 1 for i in range(5)})
        assert max(map(len, repr(many).splitlines())) <= 88
        assert repr(many).startswith("NamedArray(f32[\n")
        assert len(repr(nx.ones({"long " * 100: 1}))) < 80

    def test_text_needs_no_data(self, xyz):
        deleted = xyz.copy()
        deleted.data_array.delete()
        assert repr(deleted) == "NamedArray(i32[x:2, y:3, z:4])"
        shapes = []
        jax.jit(lambda x: shapes.append(repr(x)) or x)(xyz)
        assert shapes == ["NamedArray(i32[x:2, y:3, z:4])"]

    def test_complex_parts_and_types(self):
        x = nx.wrap(jnp.array([1 + 2j]), "a")
        assert (x.real.unwrap("a")[0], x.imag.unwrap("a")[0]) == (1, 2)
        assert x.real.astype(jnp.int32).dtype == jnp.int32


class TestMethods:
    def test_methods_of_arrays_act_on_positional_axes(self, xyz):
        plain = xyz.untag("y", "z")
        data = np.asarray(xyz.data_array)
        for name, args, expected in [
            ("flatten", (), data.reshape(2, 12)),
            ("ravel", (), data.reshape(2, 12)),
            ("diagonal", (), np.diagonal(data, axis1=1, axis2=2)),
            ("trace", (), np.trace(data, axis1=1, axis2=2)),
            ("repeat", (2, 0), np.repeat(data, 2, axis=1)),
            ("take", (jnp.array([1, 0]), 1), np.take(data, [1, 0], axis=2)),
            ("clip", (3, 9), np.clip(data, 3, 9)),
            ("squeeze", (), data),
            ("compress", (jnp.array([True, False, True]), 0), data[:, [0, 2]]),
        ]:
            result = getattr(plain, name)(*args)
            np.testing.assert_array_equal(result.untag_prefix("x").unwrap(), expected)

    def test_methods_for_integers(self):
        x = nx.wrap(jnp.array([[0, 2, 1], [1, 0, 0]]), "a", "i").untag("i")
        (places,) = x.nonzero(size=2)
        np.testing.assert_array_equal(places.tag("i").unwrap("a", "i"), [[1, 2], [0, 0]])
        chosen = x.choose([jnp.array([10]), jnp.array([20]), jnp.array([30])], mode="clip")
        np.testing.assert_array_equal(chosen.tag("i").unwrap("a", "i")[0], [10, 30, 20])

    def test_new_shapes_are_checked(self, xyz):
        part = xyz.untag("y", "z")
        for shape in [(5,), (-1, -1), (-1, 5), (-1, 0)]:
            with pytest.raises(ValueError, match=r"positional shape \(3, 4\), which has 12, got"):
                part.reshape(shape)

    def test_axis_numbers_are_checked(self, xyz):
        with pytest.raises(ValueError, match="number positional axes, of which there are 1, got 1"):
            xyz.untag("x").sum(axis=1)
        with pytest.raises(ValueError, match="one of 1 positional axes, got 3"):
            xyz.untag("x").swapaxes(0, 3)
        with pytest.raises(ValueError, match="each of the 2 positional axes once"):
            xyz.untag("x", "y").transpose(0, 0)
        with pytest.raises(ValueError, match="each of the 0 positional axes once"):
            xyz.transpose(0)

    def test_matmul_contracts_positional_axes(self):
        a = nx.wrap(jnp.ones((2, 3, 4)), "n", "i", "j").untag("i", "j")
        b = nx.wrap(jnp.ones((4, 5)))
        assert (a @ b).positional_shape == (3, 5)
        assert (a @ jnp.ones(4)).positional_shape == (3,)
        assert (jnp.ones((6, 3)) @ a).positional_shape == (6, 4)
        with pytest.raises(ValueError, match=r"both sides of `@`, got NamedArray.* on the left"):
            nx.ones({"i": 2}) @ b
        with pytest.raises(ValueError, match=r"both sides of `@`, got 2.* on the right"):
            a @ 2

    def test_bitwise_and_shift_operators(self):
        x = nx.wrap(jnp.array([6, 5]), "a")
        for result, expected in [
            (x << 1, [12, 10]),
            (x >> 1, [3, 2]),
            (1 << x, [64, 32]),
            (100 >> x, [1, 3]),
            (~x, [-7, -6]),
            (-x, [-6, -5]),
            (+x, [6, 5]),
            (abs(-x), [6, 5]),
            (x**2, [36, 25]),
            (2**x, [64, 32]),
            (divmod(x, 4)[1], [2, 1]),
            (divmod(13, x)[0], [2, 2]),
        ]:
            np.testing.assert_array_equal(result.unwrap("a"), expected)

    def test_positional_shapes_must_broadcast(self):
        with pytest.raises(ValueError, match=r"`args\[0\]` has \(2,\); `args\[1\]` has \(3,\)"):
            nx.wrap(jnp.ones(2)) + jnp.ones(3)


class TestTransformations:
    def test_gradients_and_jit(self, xyz):
        x = xyz.astype(jnp.float32)
        grads = jax.jit(jax.grad(lambda a: (a * a).untag("x", "y", "z").sum().unwrap()))(x)
        np.testing.assert_array_equal(grads.unwrap("x", "y", "z"), 2 * x.data_array)

    def test_equal_layouts_trace_to_one_operation(self, xyz):
        jaxpr = jax.make_jaxpr(lambda a: a + a)(xyz)
        assert [str(eqn.primitive) for eqn in jaxpr.eqns] == ["add"]

    def test_softmax_is_traced_without_transpositions(self, xyz):
        jaxpr = jax.make_jaxpr(lambda a: nx.nmap(jax.nn.softmax)(a.untag("y")).tag("y"))(
            xyz.astype(jnp.float32)
        )
        assert "transpose" not in str(jaxpr)

    def test_random_keys_can_be_named(self):
        keys = nx.wrap(jax.random.split(jax.random.key(0), 3), "a")
        normal = nx.nmap(lambda key: jax.random.normal(key, (2,)))(keys)
        assert (normal.named_shape, normal.positional_shape) == ({"a": 3}, (2,))
