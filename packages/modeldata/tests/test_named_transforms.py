"""Named arrays under the transformations of JAX, with every kind of elements, and on devices."""

import os
import subprocess
import sys
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from modeldata import NamedArray, nx

DTYPES = [
    "bool", "int4", "uint8", "int32", "float8_e4m3fn", "bfloat16",
    "float32", "complex64", "key",
]  # fmt: skip


def elements(dtype, count):
    """Returns an array of shape `[count]` whose elements differ."""
    if dtype == "key":
        return jax.random.split(jax.random.key(0), count)
    return (jnp.arange(count) % 7).astype(dtype)


def as_numpy(array):
    if jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        array = jax.random.key_data(array)
    return np.asarray(array.astype(jnp.complex64))


def by_name(data, other):
    x, y = nx.wrap(data, "a", "b", "c"), nx.wrap(other, "c")
    ids = nx.wrap(jnp.array([1, 0, 1]), "k")
    condition = nx.arange("b", 3) > 0
    return [
        x.unwrap("c", "a", "b"),
        x[{"b": 1}].unwrap("a", "c"),
        x[{"b": nx.slice[::-1], "a": 0}].unwrap("b", "c"),
        x[{"a": ids, "b": ids}].unwrap("k", "c"),
        x.untag("c")[ids].unwrap("k", "a", "b"),
        x.at[{"a": 1, "c": nx.slice[:2]}].set(y[{"c": nx.slice[:2]}]).unwrap("a", "b", "c"),
        x.at[{"a": ids}].set(y).unwrap("k", "a", "b", "c"),
        nx.stack([x, y], "s").unwrap("s", "a", "b", "c"),
        nx.concatenate([x, y[{"a": None}]], "a").unwrap("a", "b", "c"),
        nx.where(condition, x, y).unwrap("a", "b", "c"),
        (x == y).unwrap("a", "b", "c"),
        x.untag("b", "c").reshape(-1)[2:].tag("n").unwrap("a", "n"),
        nx.nmap(lambda u: u[::-1])(x.untag("c", "a")).tag("c", "a").unwrap("a", "b", "c"),
    ]


def by_position(data, other):
    ids = jnp.array([1, 0, 1])
    wide = jnp.broadcast_to(other, data.shape)
    return [
        jnp.transpose(data, (2, 0, 1)),
        data[:, 1],
        data[0, ::-1],
        data[ids, ids],
        jnp.transpose(data[:, :, ids], (2, 0, 1)),
        data.at[1, :, :2].set(other[:2]),
        jnp.stack([data.at[i].set(other) for i in (1, 0, 1)]),
        jnp.stack([data, wide]),
        jnp.concatenate([data, wide[:1]]),
        jnp.where((jnp.arange(3) > 0)[:, None], data, wide),
        data == wide,
        data.reshape(2, 12)[:, 2:],
        data[..., ::-1],
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_elements_of_all_kinds_go_where_their_names_say(dtype):
    data, other = elements(dtype, 24).reshape(2, 3, 4), elements(dtype, 4)
    named, plain = jax.jit(lambda *args: (by_name(*args), by_position(*args)))(data, other)
    for got, expected in zip(named, plain, strict=True):
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(as_numpy(got), as_numpy(expected))


@pytest.mark.parametrize("dtype", ["int4", "bfloat16", "key"])
def test_calls_outside_of_transformations_give_the_same(dtype):
    data, other = elements(dtype, 24).reshape(2, 3, 4), elements(dtype, 4)
    traced = jax.jit(by_name)(data, other)
    for got, expected in zip(by_name(data, other), traced, strict=True):
        np.testing.assert_array_equal(as_numpy(got), as_numpy(expected))


# ---- Transformations ----


def loss(x, w):
    """A function of named arrays that uses most of what there is."""
    y = nx.nmap(jax.nn.softmax)(nx.contract("c", x, w).untag("d")).tag("d")
    y = y.at[{"a": 0}].multiply(2.0)[{"d": nx.wrap(jnp.array([0, 2]), "k")}]
    y = nx.nmap(lambda u: jnp.cumsum(u)[::-1])(y.untag("b")).tag("b") * x[{"c": 0}]
    return y.untag_prefix("a", "b", "k").sum().unwrap()


def plain_loss(x, w):
    y = jax.nn.softmax(jnp.einsum("abc,cd->abd", x, w), axis=-1)
    y = y.at[0].multiply(2.0)[:, :, jnp.array([0, 2])]
    return (jnp.cumsum(y, axis=1)[:, ::-1] * x[:, :, :1]).sum()


@pytest.fixture(scope="module")
def operands():
    rng = np.random.default_rng(0)
    data = jnp.asarray(rng.normal(size=(2, 3, 4)), jnp.float32)
    weights = jnp.asarray(rng.normal(size=(4, 3)), jnp.float32)
    return data, weights, nx.wrap(data, "a", "b", "c"), nx.wrap(weights, "c", "d")


def test_derivatives_are_those_of_the_plain_function(operands):
    data, weights, x, w = operands
    expected = jax.jit(jax.grad(plain_loss, argnums=(0, 1)))(data, weights)
    for function in (loss, jax.checkpoint(loss)):
        grads = jax.jit(jax.grad(function, argnums=(0, 1)))(x, w)
        np.testing.assert_allclose(grads[0].unwrap("a", "b", "c"), expected[0], rtol=1e-4)
        np.testing.assert_allclose(grads[1].unwrap("c", "d"), expected[1], rtol=1e-4)
    _, tangent = jax.jit(lambda *args: jax.jvp(loss, args, args))(x, w)
    _, plain_tangent = jax.jit(lambda *args: jax.jvp(plain_loss, args, args))(data, weights)
    np.testing.assert_allclose(tangent, plain_tangent, rtol=1e-4)


def test_vmap_around_named_arrays_adds_no_name(operands):
    data, weights, x, w = operands
    many = NamedArray(jnp.stack([data, 2 * data, -data]), x.dims)
    assert many.positional_shape == (3,)
    expected = jax.jit(jax.vmap(plain_loss, in_axes=(0, None)))(many.data_array, weights)
    np.testing.assert_allclose(
        jax.jit(jax.vmap(loss, in_axes=(0, None)))(many, w), expected, rtol=1e-4
    )


def test_control_flow_takes_and_returns_named_arrays(operands):
    data, _, x, _ = operands

    @jax.jit
    def run(x):
        x = lax.cond(x[dict.fromkeys("abc", 0)].unwrap() > 1e9, lambda u: -u, lambda u: u + 1, x)
        x = lax.switch(1, [lambda u: u, lambda u: u.at[{"b": 0}].set(0)], x)
        x = lax.fori_loop(0, 3, lambda i, u: u.at[{"b": i}].add(i), x)
        _, x = lax.while_loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, c[1] * 2), (0, x))
        return lax.scan(lambda c, u: (c + u, c), x, jnp.arange(2))

    expected = (data + 1).at[:, 0].set(0)
    expected = 4 * expected.at[:, jnp.arange(3)].add(jnp.arange(3)[:, None])
    last, history = run(x)
    np.testing.assert_allclose(last.unwrap("a", "b", "c"), expected + 1, rtol=1e-5)
    assert (history.positional_shape, history.named_shape) == ((2,), x.named_shape)


def test_branches_with_other_orders_need_order_like(operands):
    x = operands[2]
    turned = x.order_as("c", "b", "a")
    with pytest.raises(TypeError, match="must have the same"):
        lax.cond(True, lambda: x, lambda: turned)  # noqa: FBT003  # as the predicate
    same = lax.cond(True, lambda: x, lambda: turned.order_like(x))  # noqa: FBT003  # as above
    assert same.dims == x.dims


def test_shapes_are_found_without_data(operands):
    shape = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), operands[2])
    assert (shape.named_shape, shape.dtype) == ({"a": 2, "b": 3, "c": 4}, jnp.float32)
    assert shape.untag("c").positional_shape == (4,)
    assert repr(shape) == "NamedArray(f32[a:2, b:3, c:4])"
    result = jax.eval_shape(lambda x: x.order_as("c", "a", "b")[{"a": 0}] + 1, shape)
    assert (result.dims, result.data_array.shape) == (("c", "b"), (4, 3))
    compiled = jax.jit(lambda x: x + x).lower(shape).compile()
    assert compiled(operands[2]).dims == shape.dims


# ---- What is traced, and what is compiled ----


PRIMITIVES = {
    "names come and go": (lambda x, y: x.untag("a").tag("z"), []),
    "equal layouts": (lambda x, y: x + x, ["add"]),
    "swapped layouts": (lambda x, y: x + y, ["transpose", "add"]),
    "a bias": (lambda x, y: x + x[{"a": 0}], ["slice", "squeeze", "broadcast_in_dim", "add"]),
    "a number": (lambda x, y: 2 - x, ["sub"]),
    "a function": (lambda x, y: nx.nmap(jnp.sin)(x), ["sin"]),
    "any function": (lambda x, y: nx.nmap(lambda u: u * 2)(x), ["mul"]),
    "a sum": (lambda x, y: x.untag("a").sum(), ["reduce_sum"]),
    "a slice": (lambda x, y: x[{"b": nx.slice[1:]}], ["slice"]),
    "a product": (lambda x, y: nx.contract("a", x, y[{"b": nx.slice[:]}]), None),
    "an einsum": (lambda x, y: nx.einsum(x, y, to="a"), ["dot_general"]),
    "matrices": (lambda x, y: x.untag("a", "b") @ y.untag("b", "a"), ["dot_general"]),
    "a reshape": (lambda x, y: x.untag("b").reshape(2, 4), ["reshape"]),
    "joined": (lambda x, y: nx.concatenate([x, x], "b"), ["concatenate"]),
    "ordered": (lambda x, y: x.order_like(y), ["transpose"]),
    "ordered already": (lambda x, y: x.order_as("a", "b").unwrap("a", "b"), []),
}


@pytest.mark.parametrize("what", PRIMITIVES)
def test_traced_code_has_no_copies_and_no_needless_transpositions(what):
    function, expected = PRIMITIVES[what]
    x, y = nx.zeros({"a": 8, "b": 8}), nx.zeros({"b": 8, "a": 8})
    found = [str(eqn.primitive) for eqn in jax.make_jaxpr(function)(x, y).eqns]
    if expected is None:
        assert not {"transpose", "copy"} & set(found)
    else:
        assert found == expected


@pytest.fixture
def count_compilations():
    counts = []

    def listen(event, duration, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            counts.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield lambda: len(counts)
    jax.monitoring.unregister_event_duration_listener(listen)


def work(x, y, number):
    table = x + y * x[{x.dims[0]: 0}]
    found = table[{x.dims[1]: number}]
    return table.at[{x.dims[1]: number}].set(found + 1), nx.stack([x, y], "new")


def test_equal_shapes_compile_once_whatever_the_names_and_indices(count_compilations):
    data = jnp.arange(77.0).reshape(7, 11)
    work(nx.wrap(data, "a", "b"), nx.wrap(data.T, "b", "a"), 0)
    before = count_compilations()
    for number in range(1, 4):
        work(nx.wrap(data, "a", "b"), nx.wrap(data.T, "b", "a"), number)
        work(nx.wrap(data, "p", "q"), nx.wrap(data.T, "q", "p"), number)
    assert count_compilations() == before
    assert before > 0


# ---- Devices ----


def test_named_arrays_can_be_sharded():
    script = textwrap.dedent("""
        import functools
        import jax, jax.numpy as jnp, numpy as np
        from jax.sharding import NamedSharding, PartitionSpec as P
        from modeldata import nx

        kinds = (jax.sharding.AxisType.Auto,) * 2
        mesh = jax.make_mesh((4, 2), ("data", "model"), axis_types=kinds)
        data = jnp.arange(8.0 * 6).reshape(8, 6)
        x = nx.wrap(data, "batch", "embed")
        split = x.to_device(NamedSharding(mesh, P("data", "model")))
        assert split.sharding.spec == P("data", "model")
        assert len(split.devices()) == 8 and "batch:8, embed:6" in repr(split)

        double = split + split
        assert double.sharding.spec == P("data", "model")
        turned = split + split.order_as("embed", "batch")
        np.testing.assert_allclose(turned.unwrap("batch", "embed"), 2 * data)
        row = jax.jit(lambda u: u.at[{"embed": 0}].set(1)[{"batch": 3}])(split)
        np.testing.assert_allclose(row.unwrap("embed"), data.at[:, 0].set(1)[3])

        @functools.partial(
            jax.shard_map, mesh=mesh, in_specs=P("data", "model"), out_specs=P("data", "model")
        )
        def centered(part):
            assert part.named_shape == {"batch": 2, "embed": 3}
            mean = part.untag("embed").mean()
            mean = jax.lax.pmean(mean, "model")
            return part - nx.nmap(lambda u: u / jax.lax.axis_size("batch"))(mean)

        expected = data - data.mean(1, keepdims=True) / 2
        np.testing.assert_allclose(centered(split).unwrap("batch", "embed"), expected)

        rows = x.untag("batch").with_positional_prefix()
        total = jax.pmap(lambda r: jax.lax.psum(r, "i"), axis_name="i")(rows)
        assert total.positional_shape == (8,) and total.named_shape == {"embed": 6}
        np.testing.assert_allclose(total[5].unwrap("embed"), data.sum(0))
        print("done")
    """)
    environment = os.environ | {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "JAX_PLATFORMS": "cpu",
    }
    ran = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:modeldata", "-c", script],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (ran.stdout, ran.returncode) == ("done\n", 0), ran.stderr
