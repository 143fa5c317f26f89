"""Laws of named arrays, checked against NumPy for axes stored in any order."""

import operator

import hypothesis as hp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import nx

# In most examples all sizes are equal, so that JAX meets few shapes and compiles little; values tell
# wrong orders apart. In the others all sizes differ.
EQUAL = dict.fromkeys("abcdpq", 2)
DIFFERENT = {"a": 2, "b": 3, "c": 1, "d": 4, "p": 5, "q": 3}
SIZES = st.shared(st.sampled_from([EQUAL] * 11 + [DIFFERENT]), key="sizes")
NAMES = ["a", "b", "c", "d"]

law = hp.settings(max_examples=40, suppress_health_check=list(hp.HealthCheck))
# Most examples of these make JAX compile something.
costly_law = hp.settings(law, max_examples=10)


@st.composite
def named_arrays(draw, positional=(), floats=False, names=None):
    """Draws a named array whose axes are stored in any order, positional ones among them.

    Args:
        positional: A key of the sizes for each positional axis, or 1.
        floats: Whether it holds floats, or else integers from -9 to 8.
        names: All its names, or None for any.
    """
    sizes = draw(SIZES)
    if names is None:
        names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))
    markers = [f"#{i}" for i in range(len(positional))]
    sizes = sizes | {
        marker: sizes.get(key, 1) for marker, key in zip(markers, positional, strict=True)
    }
    order = draw(st.permutations([*names, *markers]))
    shape = tuple(sizes[name] for name in order)
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    data = rng.normal(size=shape) if floats else rng.integers(-9, 9, shape)
    array = nx.wrap(jnp.asarray(data.astype(np.float32 if floats else np.int32)), *order)
    return array.untag(*markers)


def dense(array, names):
    """Returns a NumPy array with the names first (size 1 if missing), then the positional axes."""
    data = np.asarray(array.data_array)
    lead = data.ndim - len(array.dims)
    labels = [*range(lead), *(d + lead if isinstance(d, int) else d for d in array.dims)]
    own = [name for name in names if name in labels]
    rank = len(labels) - len(own)
    data = data.transpose([labels.index(label) for label in [*own, *range(rank)]])
    return np.expand_dims(data, tuple(i for i, name in enumerate(names) if name not in own))


def all_names(*arrays):
    return sorted({name for array in arrays for name in array.named_shape})


def same(result, expected, names):
    result.check_valid()
    assert sorted(result.named_shape) == names
    np.testing.assert_allclose(dense(result, names), expected, rtol=1e-4, atol=1e-5)


@law
@hp.given(array=named_arrays(), sizes=SIZES, data=st.data())
def test_tag_undoes_untag_without_touching_the_data(array, sizes, data):
    names = data.draw(st.permutations(list(array.named_shape)))
    some = names[: data.draw(st.integers(0, len(names)))]
    plain = array.untag(*some)
    assert plain.positional_shape == tuple(sizes[name] for name in some)
    back = plain.tag(*some)
    assert back.data_array is array.data_array
    assert back.dims == array.dims


@law
@hp.given(array=named_arrays(positional=("p", "q")), sizes=SIZES, data=st.data())
def test_tag_prefix_undoes_untag_prefix(array, sizes, data):
    names = data.draw(st.permutations(list(array.named_shape)))
    wide = array.untag_prefix(*names)
    assert wide.positional_shape == tuple(sizes[name] for name in [*names, "p", "q"])
    assert wide.data_array is array.data_array
    back = wide.tag_prefix(*names)
    assert (back.data_array is array.data_array) and back.dims == array.dims


@costly_law
@hp.given(array=named_arrays(positional=("p", "q")), sizes=SIZES, data=st.data())
def test_order_changes_only_the_storage(array, sizes, data):
    names = all_names(array)
    order = data.draw(st.permutations(names))
    for ordered in (
        array.order_as(*order),
        array.with_positional_prefix(),
        array.canonicalize(),
        array.order_like(data.draw(named_arrays(positional=("p", "q"), names=names))),
    ):
        same(ordered, dense(array, names), names)
    assert list(array.order_as(*order).named_shape) == list(order)
    assert array.with_positional_prefix().data_array.shape[:2] == (sizes["p"], sizes["q"])


@law
@hp.given(array=named_arrays(positional=("p",)), data=st.data())
def test_order_like_gives_the_structure_of_the_other(array, data):
    other = data.draw(named_arrays(positional=("p",), names=list(array.named_shape)))
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


@costly_law
@hp.given(
    x=named_arrays(positional=("p",)),
    y=named_arrays(positional=("q", 1)),
    op=st.sampled_from(OPERATORS),
)
def test_operators_agree_with_numpy(x, y, op):
    names = all_names(x, y)
    a, b = dense(x, names), dense(y, names)
    b = np.where(b == 0, 1, b)
    y = nx.where(y == 0, 1, y)
    same(op(x, y), op(a[..., None, :], b), names)


@costly_law
@hp.given(
    x=named_arrays(positional=("p",)),
    sizes=SIZES,
    op=st.sampled_from(OPERATORS),
    on_left=st.booleans(),
)
def test_operators_with_plain_operands_agree_with_numpy(x, sizes, op, on_left):
    names = all_names(x)
    p = sizes["p"]
    a = dense(x, names)
    for plain in (3, np.int32(3), np.full((2, p), 3), jnp.full((p,), 3), np.asarray(3)):
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
    x=named_arrays(positional=("p", "q"), floats=True),
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
    x=named_arrays(positional=("p", "q"), floats=True),
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


@costly_law
@hp.given(
    x=named_arrays(positional=("p", "q"), floats=True), axis=st.sampled_from([0, 1, -1, (0, 1)])
)
def test_softmax_agrees_with_its_formula(x, axis):
    names = all_names(x)
    a = dense(x, names).astype(np.float64)
    axes = tuple(len(names) + i % 2 for i in (axis if isinstance(axis, tuple) else (axis,)))
    expected = np.exp(a) / np.exp(a).sum(axis=axes, keepdims=True)
    result = nx.nmap(jax.nn.softmax)(x, axis=axis)
    same(result, expected, names)
    assert result.dims == x.dims


@costly_law
@hp.given(
    x=named_arrays(positional=("p",), floats=True),
    y=named_arrays(positional=("p", "q"), floats=True),
)
def test_nmap_of_any_function_agrees_with_a_loop_over_the_names(x, y):
    names = all_names(x, y)
    a, b = dense(x, names), dense(y, names)
    result, scalar = nx.nmap(lambda u, v: (u @ v, u.sum()))(x, y)
    same(result, np.einsum("...i,...ij->...j", a, b), names)
    same(scalar, np.broadcast_to(a, np.broadcast_shapes(a.shape, b.shape[:-1])).sum(-1), names)
    assert list(result.named_shape) == list(dict.fromkeys([*x.named_shape, *y.named_shape]))


@law
@hp.given(x=named_arrays(positional=("p", "q")), order=st.permutations([0, 1]))
def test_transposition_moves_no_data(x, order):
    names = all_names(x)
    result = x.transpose(*order)
    assert result.data_array is x.data_array
    count = len(names)
    same(result, dense(x, names).transpose(*range(count), *(count + i for i in order)), names)
    same(x.T, np.swapaxes(dense(x, names), -1, -2), names)
    same(x.mT, np.swapaxes(dense(x, names), -1, -2), names)
    same(x.swapaxes(0, 1), np.swapaxes(dense(x, names), -1, -2), names)


@costly_law
@hp.given(x=named_arrays(positional=("p", "q")), sizes=SIZES, number=st.integers(0, 5))
def test_reshape_agrees_with_numpy(x, sizes, number):
    names = all_names(x)
    a = dense(x, names)
    p, q = sizes["p"], sizes["q"]
    shape = [(p * q,), (q, p), (-1,), (-1, p), (p, q, 1), (p, -1, 1)][number]
    expected = a.reshape(*a.shape[: len(names)], *shape)
    same(x.reshape(shape), expected, names)
    same(x.reshape(*shape), expected, names)
    in_columns = np.swapaxes(a, -1, -2).reshape(*a.shape[: len(names)], -1)
    same(x.flatten("F"), in_columns, names)


@costly_law
@hp.given(x=named_arrays(positional=("p", 1)), sizes=SIZES, extra=st.lists(st.sampled_from(NAMES)))
def test_broadcasting_agrees_with_numpy(x, sizes, extra):
    names = sorted({*x.named_shape, *extra})
    positional = (2, sizes["p"], 3)
    result = x.broadcast_to(positional, {name: sizes[name] for name in extra})
    expected = np.broadcast_to(
        dense(x, names)[..., None, :, :], (*(sizes[name] for name in names), *positional)
    )
    same(result, expected, names)
    shapes = jax.eval_shape(lambda y: y.broadcast_like(result), x)
    assert shapes.named_shape == result.named_shape
    assert shapes.positional_shape == positional


# ---- Joining and contracting ----


@costly_law
@hp.given(x=named_arrays(positional=("p",)), y=named_arrays(positional=("p",)), data=st.data())
def test_stacking_agrees_with_numpy_and_unstacking_undoes_it(x, y, data):
    names = all_names(x, y)
    joined = nx.stack([x, y], "new")
    a, b = np.broadcast_arrays(dense(x, names), dense(y, names))
    same(joined, np.stack([a, b], axis=len(names)), [*names, "new"])
    for part, expected in zip(nx.unstack(joined, "new"), (a, b), strict=True):
        same(part, expected, names)


@costly_law
@hp.given(
    x=named_arrays(positional=("p",), names=["a", "d"]),
    y=named_arrays(positional=("p",), names=["d", "b"]),
    count=st.integers(0, 2),
)
def test_concatenating_agrees_with_numpy(x, y, count):
    names = ["a", "b", "d"]
    y = y[{"d": nx.slice[:count]}]
    a, b = dense(x, names), dense(y, names)
    shape = np.broadcast_shapes(a[:, :, :1].shape, b[:, :, :1].shape)
    shapes = [(*shape[:2], size, *shape[3:]) for size in (a.shape[2], b.shape[2])]
    expected = np.concatenate(list(map(np.broadcast_to, (a, b), shapes)), axis=2)
    same(nx.concatenate([x, y], "d"), expected, names)


@costly_law
@hp.given(
    x=named_arrays(floats=True), y=named_arrays(floats=True), w=named_arrays(floats=True),
    data=st.data(),
)  # fmt: skip
def test_einsum_agrees_with_numpy(x, y, w, data):
    arrays = [x, y, w][: data.draw(st.integers(1, 3))]
    names = all_names(*arrays)
    kept = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    inputs = ",".join("".join(map(str, array.dims)) for array in arrays)
    expected = np.einsum(f"{inputs}->{''.join(kept)}", *(array.data_array for array in arrays))
    result = nx.einsum(*arrays, to=tuple(kept))
    assert result.dims == tuple(kept)
    np.testing.assert_allclose(result.data_array, expected, rtol=1e-4, atol=1e-5)
    summed = tuple(name for name in names if name not in kept)
    if len(arrays) != 2 or all(set(summed) <= {*array.dims} for array in arrays):
        same(nx.contract(summed, *arrays), dense(result, sorted(kept)), sorted(kept))


@costly_law
@hp.given(x=named_arrays(positional=("p",)), y=named_arrays(positional=("q", 1)))
def test_einsum_broadcasts_positional_axes(x, y):
    names = all_names(x, y)
    expected = dense(x, names)[..., None, :] * dense(y, names)
    same(nx.einsum(x, y, to=names), expected, names)
    total = expected.sum(axis=tuple(range(len(names))))
    same(nx.einsum(x, y, to=()), total, [])


# ---- Indexing ----


def int_indices(size):
    return st.integers(-size, size - 1)


def slices(size):
    return st.slices(size)


@costly_law
@hp.given(x=named_arrays(positional=("p",)), sizes=SIZES, data=st.data())
def test_dict_index_of_numbers_and_slices_agrees_with_numpy(x, sizes, data):
    names = all_names(x)
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    index = {name: data.draw(int_indices(sizes[name]) | slices(sizes[name])) for name in chosen}
    kept = [name for name in names if not isinstance(index.get(name), int)]
    key = tuple(index.get(name, slice(None)) for name in names)
    expected = dense(x, names)[key]
    same(x[index], expected, kept)
    same(x.at[index].get(), expected, kept)


@costly_law
@hp.given(x=named_arrays(positional=("p",), names=["a", "b", "d"]), sizes=SIZES, data=st.data())
def test_dict_index_agrees_with_positional_index_of_untagged_axes(x, sizes, data):
    names = data.draw(st.permutations(["b", "d"]))
    index = {name: data.draw(int_indices(sizes[name]) | slices(sizes[name])) for name in names}
    key = tuple(index[name] for name in names)
    kept = [name for name in names if isinstance(index[name], slice)]
    by_position = x.untag_prefix(*names)[key].tag_prefix(*kept)
    by_name = x[index]
    same(by_name, dense(by_position, all_names(by_position)), all_names(by_position))


@costly_law
@hp.given(
    x=named_arrays(positional=("p",), names=["a", "b", "d"]),
    i=named_arrays(positional=("q", "p")),
    j=named_arrays(positional=("p",)),
    sizes=SIZES,
)
def test_index_arrays_go_along_shared_names_and_add_new_ones(x, i, j, sizes):
    """Checked element by element, against the definition."""
    i, j = abs(i) % sizes["b"], abs(j) % sizes["d"]
    names = sorted({*all_names(i, j), "a"})
    result = x[{"b": i, "d": j}]
    full = dense(x, ["a", "b", "d"])
    shape = tuple(sizes[name] for name in names)
    block = (sizes["q"], sizes["p"])
    di = np.broadcast_to(dense(i, names), (*shape, *block))
    dj = np.broadcast_to(dense(j, names)[..., None, :], (*shape, *block))
    expected = np.zeros((*shape, *block, sizes["p"]), int)
    for at in np.ndindex(*shape, *block):
        expected[at] = full[at[names.index("a")], di[at], dj[at]]
    same(result, expected, names)


@law
@hp.given(x=named_arrays(names=["a", "b", "d"]), sizes=SIZES, data=st.data())
def test_positional_index_follows_numpy(x, sizes, data):
    order = data.draw(st.permutations(["b", "d"]))
    plain = x.untag(*order)
    part = st.one_of(
        st.just(slice(None)),
        st.just(slice(None, None, -1)),
        st.integers(-2, 1),
        st.just(np.array([0, 1, 1])),
        st.just(np.array([[0], [1]])),
    )
    parts = data.draw(st.lists(part, max_size=2))
    if data.draw(st.booleans()):
        parts.insert(data.draw(st.integers(0, len(parts))), None)
    if data.draw(st.booleans()):
        parts.insert(data.draw(st.integers(0, len(parts))), Ellipsis)
    key = tuple(parts)
    a = dense(plain, ["a"])
    expected = np.stack([a[i][key] for i in range(sizes["a"])])
    same(plain[key], expected, ["a"])


UPDATES = {
    "set": lambda old, new: np.broadcast_to(new, old.shape),
    "add": lambda old, new: old + new,
    "subtract": lambda old, new: old - new,
    "multiply": lambda old, new: old * new,
    "min": np.minimum,
    "max": np.maximum,
}


@costly_law
@hp.given(
    x=named_arrays(positional=("p",), names=["a", "b", "d"]),
    value=named_arrays(positional=("p",)),
    method=st.sampled_from(list(UPDATES)),
    sizes=SIZES,
    data=st.data(),
)
def test_updates_agree_with_numpy(x, value, method, sizes, data):
    index = {
        "b": data.draw(int_indices(sizes["b"]) | st.sampled_from([nx.slice[:], nx.slice[::-1]])),
        "d": data.draw(int_indices(sizes["d"]) | st.just(slice(None))),
    }
    removed = [name for name, item in index.items() if isinstance(item, int)]
    value = value[dict.fromkeys((name for name in removed if name in value.named_shape), 0)]
    names = sorted({"a", "b", "d", *value.named_shape})
    shape = (*(sizes[name] for name in names), sizes["p"])
    expected = np.array(np.broadcast_to(dense(x, names), shape))
    key = tuple(index.get(name, slice(None)) for name in names)
    key = tuple(slice(k, k + 1 or None) if isinstance(k, int) else k for k in key)
    expected[key] = UPDATES[method](expected[key], dense(value, names))
    same(getattr(x.at[index], method)(value), expected, names)


@costly_law
@hp.given(
    x=named_arrays(names=["a", "d"], positional=("p",)),
    i=named_arrays(positional=("q",), names=["a", "c"]) | named_arrays(positional=("q",), names=[]),
    sizes=SIZES,
)
def test_updates_through_index_arrays_agree_with_the_definition(x, i, sizes):
    i = abs(i) % sizes["d"]
    names = sorted({"a", "d", *i.named_shape})
    shape = tuple(sizes[name] for name in names)
    expected = np.array(np.broadcast_to(dense(x, names), (*shape, sizes["p"])))
    rows = tuple(1 if name == "d" else sizes[name] for name in names)
    di = np.broadcast_to(dense(i, names), (*rows, sizes["q"]))
    for at in np.ndindex(*di.shape):
        place = list(at[:-1])
        place[names.index("d")] = di[at]
        expected[tuple(place)] += 10
    same(x.at[{"d": i}].add(10), expected, names)


# ---- Loops ----


@hp.settings(max_examples=4, deadline=None, suppress_health_check=list(hp.HealthCheck))
@hp.given(
    x=named_arrays(positional=("p",), floats=True),
    y=named_arrays(positional=("p",), floats=True),
    batch_size=st.integers(1, 8),
)
def test_batches_change_no_result(x, y, batch_size):
    def function(u, v):
        return u @ v, u * 2

    names = all_names(x, y)
    for got, expected in zip(
        nx.nmap(function, batch_size=batch_size)(x, y), nx.nmap(function)(x, y), strict=True
    ):
        same(got, dense(expected, names), names)


def test_named_axes_of_size_one_do_not_broadcast():
    with pytest.raises(ValueError, match=r"'a' has size 1 in `args\[0\]` and 2 in `args\[1\]`"):
        nx.ones({"a": 1}) + nx.ones({"a": 2})
