"""Laws of named arrays, checked against NumPy for axes stored in any order."""

import operator

import hypothesis as hp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nx

SIZES = {"a": 2, "b": 3, "c": 1, "d": 4}
law = hp.settings(max_examples=8, suppress_health_check=list(hp.HealthCheck))


@st.composite
def named_arrays(draw, positional=(), floats=False, names=None):
    """Draws a named array whose axes are stored in any order, positional ones among them."""
    if names is None:
        names = draw(st.lists(st.sampled_from(list(SIZES)), unique=True, max_size=3))
    markers = [f"#{i}" for i in range(len(positional))]
    sizes = {**SIZES, **dict(zip(markers, positional, strict=True))}
    order = draw(st.permutations([*names, *markers]))
    shape = tuple(sizes[name] for name in order)
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    data = rng.normal(size=shape) if floats else rng.integers(-9, 9, shape)
    array = nx.wrap(jnp.asarray(data.astype(np.float32 if floats else np.int32)), *order)
    return array.untag(*markers)


def dense(array, names):
    """Returns a NumPy array with the names first (size 1 if missing), then the positional axes."""
    missing = [name for name in names if name not in array.named_shape]
    own = [name for name in names if name in array.named_shape]
    data = np.asarray(array.untag_prefix(*own).unwrap())
    return np.expand_dims(data, tuple(names.index(name) for name in missing))


def all_names(*arrays):
    return sorted({name for array in arrays for name in array.named_shape})


def same(result, expected, names):
    result.check_valid()
    assert sorted(result.named_shape) == names
    np.testing.assert_allclose(dense(result, names), expected, rtol=1e-5, atol=1e-5)


@law
@hp.given(array=named_arrays(), data=st.data())
def test_tag_undoes_untag_without_touching_the_data(array, data):
    names = data.draw(st.permutations(list(array.named_shape)))
    some = names[: data.draw(st.integers(0, len(names)))]
    plain = array.untag(*some)
    assert plain.positional_shape == tuple(SIZES[name] for name in some)
    back = plain.tag(*some)
    assert back.data_array is array.data_array
    assert back.dims == array.dims


@law
@hp.given(array=named_arrays(positional=(5, 6)), data=st.data())
def test_tag_prefix_undoes_untag_prefix(array, data):
    names = data.draw(st.permutations(list(array.named_shape)))
    wide = array.untag_prefix(*names)
    assert wide.positional_shape == (*(SIZES[name] for name in names), 5, 6)
    assert wide.data_array is array.data_array
    back = wide.tag_prefix(*names)
    assert (back.data_array is array.data_array) and back.dims == array.dims


@law
@hp.given(array=named_arrays(positional=(5, 6)), data=st.data())
def test_order_changes_only_the_storage(array, data):
    names = all_names(array)
    order = data.draw(st.permutations(names))
    for ordered in (
        array.order_as(*order),
        array.with_positional_prefix(),
        array.canonicalize(),
        array.order_like(data.draw(named_arrays(positional=(5, 6), names=names))),
    ):
        same(ordered, dense(array, names), names)
    assert list(array.order_as(*order).named_shape) == list(order)
    assert array.with_positional_prefix().data_array.shape[:2] == (5, 6)


@law
@hp.given(array=named_arrays(positional=(5,)), data=st.data())
def test_order_like_gives_the_structure_of_the_other(array, data):
    other = data.draw(named_arrays(positional=(5,), names=list(array.named_shape)))
    assert jax.tree.structure(array.order_like(other)) == jax.tree.structure(other)


OPERATORS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.lt,
    operator.le,
    operator.eq,
    operator.ne,
    operator.gt,
    operator.ge,
    operator.and_,
    operator.or_,
    operator.xor,
    operator.floordiv,
    operator.mod,
    operator.truediv,
]


@law
@hp.given(
    x=named_arrays(positional=(5,)),
    y=named_arrays(positional=(2, 1)),
    op=st.sampled_from(OPERATORS),
)
def test_operators_agree_with_numpy(x, y, op):
    names = all_names(x, y)
    a, b = dense(x, names), dense(y, names)
    b = np.where(b == 0, 1, b)
    y = nx.where(y == 0, 1, y)
    same(op(x, y), op(a[..., None, :], b), names)


@law
@hp.given(x=named_arrays(positional=(5,)), op=st.sampled_from(OPERATORS), on_left=st.booleans())
def test_operators_with_plain_operands_agree_with_numpy(x, op, on_left):
    names = all_names(x)
    a = dense(x, names)
    for plain in (3, np.int32(3), np.full((2, 5), 3), jnp.full((5,), 3), np.asarray(3)):
        if on_left:
            a1 = np.where(a == 0, 1, a)
            result = op(plain, nx.where(x == 0, 1, x))
            expected = op(np.asarray(plain), a1 if np.ndim(plain) < 2 else a1[..., None, :])
        else:
            result = op(x, plain)
            expected = op(a if np.ndim(plain) < 2 else a[..., None, :], np.asarray(plain))
        same(result, expected, names)


REDUCTIONS = ["sum", "max", "min", "mean", "prod", "all", "any", "std", "var", "ptp"]


@law
@hp.given(
    x=named_arrays(positional=(5, 2), floats=True),
    name=st.sampled_from(REDUCTIONS),
    axis=st.sampled_from([None, 0, 1, -1, (0,), (1, 0), (-2,), ()]),
    keepdims=st.booleans(),
)
def test_reductions_agree_with_numpy(x, name, axis, keepdims):
    if axis == () and name in ("ptp",):
        return
    names = all_names(x)
    a = dense(x, names)
    count = len(names)
    axes = (0, 1) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    axes = tuple(count + number % 2 for number in axes)
    expected = getattr(np, name)(a, axis=axes, keepdims=keepdims)
    same(getattr(x, name)(axis=axis, keepdims=keepdims), expected, names)


@law
@hp.given(
    x=named_arrays(positional=(5, 2), floats=True),
    function=st.sampled_from(["cumsum", "sort", "argsort", "argmax", "argmin", "cumprod"]),
    axis=st.sampled_from([0, 1, -1]),
)
def test_functions_along_an_axis_agree_with_numpy(x, function, axis):
    names = all_names(x)
    a = dense(x, names)
    stored = len(names) + axis % 2
    expected = getattr(np, function)(a, axis=stored)
    same(getattr(x, function)(axis=axis), expected, names)
    same(nx.nmap(getattr(jnp, function))(x, axis=axis), expected, names)


@law
@hp.given(x=named_arrays(positional=(5, 2), floats=True), axis=st.sampled_from([0, 1, -1, (0, 1)]))
def test_softmax_agrees_with_its_formula(x, axis):
    names = all_names(x)
    a = dense(x, names).astype(np.float64)
    axes = tuple(len(names) + i % 2 for i in (axis if isinstance(axis, tuple) else (axis,)))
    expected = np.exp(a) / np.exp(a).sum(axis=axes, keepdims=True)
    result = nx.nmap(jax.nn.softmax)(x, axis=axis)
    same(result, expected, names)
    assert result.dims == x.dims


@law
@hp.given(
    x=named_arrays(positional=(5,), floats=True), y=named_arrays(positional=(5, 2), floats=True)
)
def test_nmap_of_any_function_agrees_with_a_loop_over_the_names(x, y):
    names = all_names(x, y)
    a, b = dense(x, names), dense(y, names)
    result, scalar = nx.nmap(lambda u, v: (u @ v, u.sum()))(x, y)
    same(result, np.einsum("...i,...ij->...j", a, b), names)
    same(scalar, np.broadcast_to(a, np.broadcast_shapes(a.shape, b.shape[:-1])).sum(-1), names)
    assert list(result.named_shape) == list(dict.fromkeys([*x.named_shape, *y.named_shape]))


@law
@hp.given(x=named_arrays(positional=(5, 2)), order=st.permutations([0, 1]))
def test_transposition_moves_no_data(x, order):
    names = all_names(x)
    result = x.transpose(*order)
    assert result.data_array is x.data_array
    count = len(names)
    same(result, dense(x, names).transpose(*range(count), *(count + i for i in order)), names)
    same(x.T, np.swapaxes(dense(x, names), -1, -2), names)
    same(x.mT, np.swapaxes(dense(x, names), -1, -2), names)
    same(x.swapaxes(0, 1), np.swapaxes(dense(x, names), -1, -2), names)


@law
@hp.given(
    x=named_arrays(positional=(4, 6)), shape=st.sampled_from([(24,), (2, 2, 6), (-1, 3), (4, 6, 1)])
)
def test_reshape_agrees_with_numpy(x, shape):
    names = all_names(x)
    a = dense(x, names)
    same(x.reshape(shape), a.reshape(*a.shape[: len(names)], *shape), names)
    same(x.reshape(*shape), a.reshape(*a.shape[: len(names)], *shape), names)


@law
@hp.given(x=named_arrays(positional=(5, 1)), data=st.data())
def test_broadcasting_agrees_with_numpy(x, data):
    extra = data.draw(st.lists(st.sampled_from(list(SIZES)), unique=True))
    names = sorted({*x.named_shape, *extra})
    result = x.broadcast_to((2, 5, 3), {name: SIZES[name] for name in extra})
    expected = np.broadcast_to(
        dense(x, names)[..., None, :, :], (*(SIZES[name] for name in names), 2, 5, 3)
    )
    same(result, expected, names)
    shapes = jax.eval_shape(lambda y: y.broadcast_like(result), x)
    assert shapes.named_shape == result.named_shape
    assert shapes.positional_shape == (2, 5, 3)


# ---- Indexing ----


def int_indices(size):
    return st.integers(-size, size - 1)


def slices(size):
    return st.slices(size)


@law
@hp.given(x=named_arrays(positional=(5,)), data=st.data())
def test_dict_index_of_numbers_and_slices_agrees_with_numpy(x, data):
    names = all_names(x)
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    index = {name: data.draw(int_indices(SIZES[name]) | slices(SIZES[name])) for name in chosen}
    kept = [name for name in names if not isinstance(index.get(name), int)]
    key = tuple(index.get(name, slice(None)) for name in names)
    expected = dense(x, names)[key]
    same(x[index], expected, kept)
    same(x.at[index].get(), expected, kept)


@law
@hp.given(x=named_arrays(positional=(5,), names=["a", "b", "d"]), data=st.data())
def test_dict_index_agrees_with_positional_index_of_untagged_axes(x, data):
    names = data.draw(st.permutations(["b", "d"]))
    index = {name: data.draw(int_indices(SIZES[name]) | slices(SIZES[name])) for name in names}
    key = tuple(index[name] for name in names)
    kept = [name for name in names if isinstance(index[name], slice)]
    by_position = x.untag_prefix(*names)[key].tag_prefix(*kept)
    by_name = x[index]
    same(by_name, dense(by_position, all_names(by_position)), all_names(by_position))


@law
@hp.given(
    x=named_arrays(positional=(5,), names=["a", "b", "d"]),
    i=named_arrays(positional=(3, 2)),
    j=named_arrays(positional=(2,)),
)
def test_index_arrays_go_along_shared_names_and_add_new_ones(x, i, j):
    """Checked element by element, against the definition."""
    i, j = abs(i) % 3, abs(j) % 4
    names = sorted({*all_names(i, j), "a"})
    result = x[{"b": i, "d": j}]
    full = np.broadcast_to(dense(x, ["a", "b", "d"]), (2, 3, 4, 5))
    sizes = tuple(SIZES[name] for name in names)
    di = np.broadcast_to(dense(i, names), (*sizes, 3, 2))
    dj = np.broadcast_to(dense(j, names)[..., None, :], (*sizes, 3, 2))
    expected = np.zeros((*sizes, 3, 2, 5), int)
    for at in np.ndindex(*sizes, 3, 2):
        expected[at] = full[at[names.index("a")], di[at], dj[at]]
    same(result, expected, names)


@law
@hp.given(x=named_arrays(names=["a", "b", "d"]), data=st.data())
def test_positional_index_follows_numpy(x, data):
    order = data.draw(st.permutations(["b", "d"]))
    plain = x.untag(*order)
    part = st.one_of(
        st.just(slice(None)),
        st.just(slice(None, None, -1)),
        st.integers(0, 2),
        st.just(np.array([0, 2, 1])),
        st.just(np.array([[0], [1]])),
    )
    parts = data.draw(st.lists(part, max_size=2))
    if data.draw(st.booleans()):
        parts.insert(data.draw(st.integers(0, len(parts))), None)
    if data.draw(st.booleans()):
        parts.insert(data.draw(st.integers(0, len(parts))), Ellipsis)
    key = tuple(parts)
    a = dense(plain, ["a"])
    expected = np.stack([a[i][key] for i in range(2)])
    same(plain[key], expected, ["a"])


UPDATES = {
    "set": lambda old, new: np.broadcast_to(new, old.shape),
    "add": lambda old, new: old + new,
    "subtract": lambda old, new: old - new,
    "multiply": lambda old, new: old * new,
    "min": np.minimum,
    "max": np.maximum,
}


@law
@hp.given(
    x=named_arrays(positional=(5,), names=["a", "b", "d"]),
    value=named_arrays(positional=(5,)),
    method=st.sampled_from(list(UPDATES)),
    data=st.data(),
)
def test_updates_agree_with_numpy(x, value, method, data):
    index = {
        "b": data.draw(int_indices(3) | st.just(slice(0, 3)) | st.just(slice(None, None, -1))),
        "d": data.draw(int_indices(4) | st.just(slice(None))),
    }
    removed = [name for name, item in index.items() if isinstance(item, int)]
    value = value[dict.fromkeys((name for name in removed if name in value.named_shape), 0)]
    names = sorted({"a", "b", "d", *value.named_shape})
    sizes = tuple(SIZES[name] for name in names)
    expected = np.array(np.broadcast_to(dense(x, names), (*sizes, 5)))
    key = tuple(index.get(name, slice(None)) for name in names)
    key = tuple(slice(k, k + 1 or None) if isinstance(k, int) else k for k in key)
    expected[key] = UPDATES[method](expected[key], dense(value, names))
    same(getattr(x.at[index], method)(value), expected, names)


@law
@hp.given(x=named_arrays(names=["a", "d"], positional=(5,)), i=named_arrays(positional=(2,)))
def test_updates_through_index_arrays_agree_with_the_definition(x, i):
    i = abs(i) % 4
    hp.assume("d" not in i.named_shape)
    names = sorted({"a", "d", *i.named_shape})
    sizes = tuple(SIZES[name] for name in names)
    expected = np.array(np.broadcast_to(dense(x, names), (*sizes, 5)))
    di = np.broadcast_to(dense(i, names), (*(1 if n == "d" else SIZES[n] for n in names), 2))
    for at in np.ndindex(*di.shape):
        place = list(at[:-1])
        place[names.index("d")] = di[at]
        expected[tuple(place)] += 10
    same(x.at[{"d": i}].add(10), expected, names)


def test_named_axes_of_size_one_do_not_broadcast():
    with pytest.raises(ValueError, match=r"'a' has size 1 in `args\[0\]` and 2 in `args\[1\]`"):
        nx.ones({"a": 1}) + nx.ones({"a": 2})
