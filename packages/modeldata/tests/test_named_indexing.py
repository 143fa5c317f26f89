"""Promises of indexing that the laws do not cover: storage, kinds of indices, errors."""

import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nx


@pytest.fixture
def table():
    return nx.wrap(jnp.arange(12).reshape(4, 3), "vocab", "embed")


def test_embedding_lookup_stores_the_new_axes_in_place_of_the_old(table):
    ids = nx.wrap(jnp.array([[3, 0], [1, 1]]), "batch", "seq")
    found = table.untag("vocab")[ids]
    assert found.dims == ("batch", "seq", "embed")
    np.testing.assert_array_equal(
        found.data_array, np.arange(12).reshape(4, 3)[np.array([[3, 0], [1, 1]])]
    )


def test_gathering_in_step_along_shared_names():
    log_probs = nx.wrap(jnp.arange(24.0).reshape(2, 3, 4), "batch", "seq", "vocab")
    tokens = nx.wrap(jnp.array([[0, 1, 2], [3, 2, 1]]), "batch", "seq")
    np.testing.assert_array_equal(
        log_probs[{"vocab": tokens}].unwrap("batch", "seq"), [[0, 5, 10], [15, 18, 21]]
    )


def test_two_named_indices_make_a_diagonal(table):
    steps = nx.arange("i", 3)
    np.testing.assert_array_equal(
        table[{"vocab": steps + 1, "embed": steps}].unwrap("i"), [3, 7, 11]
    )


def test_an_index_may_have_the_name_of_the_axis_it_indexes(table):
    reversed_ids = nx.arange("embed", 3)[{"embed": slice(None, None, -1)}]
    np.testing.assert_array_equal(
        table[{"embed": reversed_ids}].unwrap("vocab", "embed"),
        np.arange(12).reshape(4, 3)[:, ::-1],
    )


def test_none_introduces_an_axis(table):
    assert table[{"new": None}].named_shape == {"new": 1, "vocab": 4, "embed": 3}
    assert table.untag("embed")[:, None].positional_shape == (3, 1)
    with pytest.raises(ValueError, match="Repeated axis name 'embed'"):
        table[{"embed": None}]


@pytest.mark.parametrize("index", [2, np.int64(2), np.asarray(2), jnp.asarray(2), nx.wrap(2)])
def test_all_kinds_of_integers_index(table, index):
    np.testing.assert_array_equal(table[{"vocab": index}].unwrap("embed"), [6, 7, 8])
    np.testing.assert_array_equal(table.untag("vocab")[index].unwrap("embed"), [6, 7, 8])


def test_lists_of_integers_index(table):
    found = table[{"vocab": [2, 0]}].tag("i")
    np.testing.assert_array_equal(found.unwrap("i", "embed"), [[6, 7, 8], [0, 1, 2]])
    assert table[{"vocab": []}].positional_shape == (0,)


@pytest.mark.parametrize("index", [1.5, "text", object(), jnp.ones(2), nx.ones({})])
def test_other_objects_do_not_index(table, index):
    with pytest.raises(TypeError, match="Expected a slice, an integer, an integer array, or None"):
        table[{"vocab": index}]
    with pytest.raises(TypeError, match="Expected a slice, an integer, an integer array, or None"):
        table.untag("vocab")[index]


@pytest.mark.parametrize("mask", [True, np.ones(4, bool), nx.wrap(jnp.ones(4, bool))])
def test_masks_do_not_index(table, mask):
    with pytest.raises(
        IndexError, match="got a boolean one, whose result would have no fixed shape"
    ):
        table[{"vocab": mask}]


def test_mistakes_are_explained(table):
    with pytest.raises(ValueError, match=r"that the array has, 'vocab', 'embed', got 'q'"):
        table[{"q": 0}]
    with pytest.raises(
        IndexError, match=r"at most 0 indices.*Index the named axes \('vocab', 'embed'\)"
    ):
        table[0]
    with pytest.raises(IndexError, match="at most one `...`"):
        table.untag("vocab")[..., ...]
    with pytest.raises(ValueError, match="'embed' has size 2 in an index and 3 in the indexed"):
        table[{"vocab": nx.wrap(jnp.zeros(2, int), "embed")}]


def test_slices_are_written_as_in_an_index(table):
    assert nx.slice[1:3] == slice(1, 3)
    assert nx.slice[::-1, ..., "a"] == (slice(None, None, -1), ..., "a")
    assert repr(nx.slice) == "nx.slice"
    assert table[{"vocab": nx.slice[1:]}].named_shape == {"vocab": 3, "embed": 3}


def test_slices_that_cannot_be_are_explained(table):
    with pytest.raises(ValueError, match="a step other than 0"):
        table[{"vocab": nx.slice[::0]}]
    with pytest.raises(TypeError, match="integers as the bounds of a slice, got 1.5"):
        table[{"vocab": nx.slice[:1.5]}]


def test_indices_outside_of_the_array_follow_jax(table):
    data = np.asarray(table.data_array)
    for index in (9, -9, 3, -4):
        expected = jnp.asarray(data)[index]
        np.testing.assert_array_equal(table[{"vocab": index}].unwrap("embed"), expected)
        np.testing.assert_array_equal(
            jax.jit(lambda t, i=index: t[{"vocab": i}])(table).unwrap("embed"), expected
        )
        np.testing.assert_array_equal(
            table.at[{"vocab": index}].set(-1).data_array, jnp.asarray(data).at[index].set(-1)
        )


def test_items_cannot_be_assigned(table):
    with pytest.raises(TypeError, match=r"Use `x = x.at\[index\].set\(value\)`"):
        table[{"vocab": 0}] = 1


def test_slice_bounds_may_be_arrays_but_not_traced(table):
    assert table[{"vocab": slice(jnp.asarray(1), np.int32(3))}].named_shape["vocab"] == 2
    with pytest.raises(jax.errors.ConcretizationTypeError):
        jax.jit(lambda i: table[{"vocab": slice(i, None)}])(1)


def test_reading_outside_of_the_array(table):
    far = table.at[{"vocab": jnp.array([0, 9])}].get(mode="fill", fill_value=-1).tag("i")
    np.testing.assert_array_equal(far.unwrap("i", "embed"), [[0, 1, 2], [-1, -1, -1]])


class TestUpdates:
    def test_the_stored_order_is_kept(self, table):
        assert table.at[{"embed": 1}].set(0).dims == table.dims
        assert table.untag("embed").at[1].set(0).dims == table.untag("embed").dims

    def test_positional_indices_update(self, table):
        changed = table.untag("vocab").at[jnp.array([0, 2])].add(nx.wrap(jnp.array([10, 20])))
        np.testing.assert_array_equal(
            changed.tag("vocab").unwrap("vocab", "embed") - np.arange(12).reshape(4, 3),
            [[10] * 3, [0] * 3, [20] * 3, [0] * 3],
        )

    def test_a_named_index_makes_a_copy_for_each_of_its_elements(self, table):
        changed = table.at[{"vocab": nx.wrap(jnp.array([1, 3]), "k")}].set(0)
        assert set(changed.named_shape) == {"vocab", "embed", "k"}
        assert changed[{"k": 0}][{"vocab": 1}].sum().unwrap("embed").tolist() == [0, 0, 0]
        assert changed[{"k": 0}][{"vocab": 3}].unwrap("embed").tolist() == [9, 10, 11]

    def test_apply_computes_the_new_from_the_old(self, table):
        assert table.at[{"vocab": 1}].apply(jnp.negative)[{"vocab": 1}].unwrap(
            "embed"
        ).tolist() == [-3, -4, -5]
        copies = table.at[{"vocab": nx.wrap(jnp.array([1, 3]), "k")}].apply(jnp.negative)
        assert copies.named_shape["k"] == 2

    def test_all_methods_exist(self):
        x = nx.wrap(jnp.array([1.0, 2.0, 3.0]), "a")
        for name, expected in [
            ("set", 2), ("add", 5), ("subtract", 1), ("multiply", 6), ("mul", 6),
            ("divide", 1.5), ("power", 9), ("min", 2), ("max", 3),
        ]:  # fmt: skip
            assert getattr(x.at[{"a": -1}], name)(2.0).unwrap("a").tolist() == [1, 2, expected]

    def test_introduced_axes_may_be_in_the_value(self, table):
        value = nx.wrap(jnp.array([[1, 2, 3]]), "new", "embed")
        changed = table.at[{"vocab": 0, "new": None}].set(value)
        assert changed[{"vocab": 0}].unwrap("embed").tolist() == [1, 2, 3]

    def test_mistakes_are_explained(self, table):
        with pytest.raises(
            ValueError, match=r"broadcasts to that of the indexed part, \(\), got \(2,\)"
        ):
            table.at[{"vocab": 0}].set(jnp.ones(2, int))
        with pytest.raises(ValueError, match=r"indexed part, \(2,\), got \(3,\)"):
            table.at[{"vocab": jnp.array([0, 1])}].set(jnp.ones(3, int))
        with pytest.raises(ValueError, match=r"indexed part, \{'embed': 3\}, got \{'embed': 1\}"):
            table.at[{"vocab": 0}].set(nx.ones({"embed": 1}, int))
        with pytest.raises(ValueError, match=r"indexed part, \{'embed': 3\}, got \{'vocab': 4\}"):
            table.at[{"vocab": 0}].set(nx.ones({"vocab": 4}, int))
        with pytest.raises(ValueError, match="not to have the axes that it indexes, got 'vocab'"):
            table.at[{"vocab": nx.arange("vocab", 2)}].set(0)
        with pytest.raises(TypeError, match="an array or a number as the new value, got 'text'"):
            table.at[{"vocab": 0}].set("text")


def test_indexing_works_in_transformations(table):
    ids = nx.wrap(jnp.array([3, 0]), "seq")
    traced = jax.jit(lambda t, i: t[{"vocab": i}].at[{"seq": 0}].add(1))(table, ids)
    np.testing.assert_array_equal(traced.unwrap("seq", "embed"), [[10, 11, 12], [0, 1, 2]])
    grads = jax.grad(lambda t: t[{"vocab": ids}].untag("seq", "embed").sum().unwrap())(
        table.astype(float)
    )
    np.testing.assert_array_equal(grads.unwrap("vocab", "embed")[:, 0], [1, 0, 0, 1])


def test_numbers_do_not_cause_compilations(table):
    compiled = jax.jit(lambda t, i: t[{"vocab": i}])
    for i in range(4):
        compiled(table, i)
    assert compiled._cache_size() == 1


def test_operator_index_of_a_scalar():
    assert operator.index(nx.wrap(3)) == 3
