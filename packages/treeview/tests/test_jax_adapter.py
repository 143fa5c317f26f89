"""JAX arrays wherever they live, and JAX's other types in trees."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

pytest.importorskip("jax")

import jax
import jax.numpy as jnp
import treeview
from jax import export
from treeview._registry import default_registry
from treeview.adapters import _jax_values
from treeview.adapters.jax import AbstractAdapter, JaxAdapter
from treeview.arrays.protocol import ArrayInfo, positional_axes
from treeview.arrays.statistics import array_statistics

ADAPTER = JaxAdapter()
DTYPES = [
    "float32",
    "bfloat16",
    "float16",
    "float8_e4m3fn",
    "int4",
    "int8",
    "uint32",
    "bool",
    "complex64",
]


@pytest.fixture
def compilations():
    """The names of the events in which XLA compiled something."""
    events = []

    def listen(event, duration, **_):
        if "backend_compile" in event:
            events.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield events
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture
def remote(monkeypatch):
    """Treats arrays as if they lived on an accelerator; lists what each transfer brought."""
    transfers = []
    real = jax.device_get
    monkeypatch.setattr(_jax_values, "_is_on_host", lambda array: False)
    monkeypatch.setattr(_jax_values, "_is_remote", lambda array: True)
    monkeypatch.setattr(jax, "device_get", lambda tree: transfers.append(tree) or real(tree))
    return transfers


def random(shape, dtype, seed=0):
    values = np.random.default_rng(seed).normal(size=shape) * 3
    return jnp.asarray(values).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_statistics_equal_those_of_numpy(dtype):
    array = random((30, 40), dtype)
    (found,) = ADAPTER.statistics([array])
    assert found == array_statistics(np.asarray(array))


@pytest.mark.parametrize("dtype", DTYPES)
def test_windows_hold_the_chosen_values(dtype):
    array = random((6, 5), dtype)
    (values,) = ADAPTER.fetch([(array, (np.array([0, 5]), np.array([1, 2, 4])))])
    assert values.dtype == array.dtype
    assert (values == np.asarray(array)[[0, 5]][:, [1, 2, 4]]).all()
    (single,) = ADAPTER.fetch([(jnp.asarray(3), ())])
    assert single == 3


def test_arrays_on_the_host_are_read_in_place_and_nothing_is_compiled(compilations):
    arrays = [jnp.asarray(np.ones((3, k), np.float32)) for k in range(10, 40)]
    jax.block_until_ready(arrays)
    compilations.clear()
    seen = _jax_values.transfer(arrays)
    pointers = [values.ctypes.data for values in seen]
    assert pointers == [array.unsafe_buffer_pointer() for array in arrays]
    treeview.render_text(arrays)
    assert compilations == []


def test_remote_arrays_come_in_one_transfer_and_nothing_is_compiled(remote, compilations):
    arrays = [jnp.asarray(np.full((3, k), k, np.float32)) for k in range(10, 40)]
    jax.block_until_ready(arrays)
    compilations.clear()
    found = ADAPTER.statistics(arrays)
    assert [statistics.mean for statistics in found] == list(range(10, 40))
    assert len(remote) == 1
    ADAPTER.fetch([(array, (np.array([0]), np.array([1]))) for array in arrays])
    assert len(remote) == 2
    assert compilations == []


def test_summaries_and_pictures_of_remote_arrays_take_one_transfer_for_both(remote, compilations):
    arrays = [jnp.asarray(np.full((3, k), k, np.float32)) for k in range(10, 40)]
    jax.block_until_ready(arrays)
    compilations.clear()
    html = treeview.render_html(arrays, autovisualize=True)
    assert html.count("<img ") == 30
    assert "all 39" in html
    assert [len(transfer) for transfer in remote] == [30]
    assert compilations == []


def test_text_fetches_no_pictures(remote, monkeypatch):
    monkeypatch.setattr(_jax_values, "LARGEST_TRANSFER", 0)
    text = treeview.render_text(jnp.ones((30, 40)), autovisualize=True)
    assert text.splitlines() == [
        "jax.Array float32[30, 40] all 1",
        "  <picture: float32[30, 40]: all values; rows: axis 0; columns: axis 1>",
    ]
    (((reduced, window),),) = remote
    assert window is None
    assert sum(values.nbytes for values in reduced) < 100


def test_remote_arrays_keep_no_copy_on_the_host(remote):
    array = jnp.asarray(np.ones(1000, np.float32))
    ADAPTER.statistics([array])
    assert all(item is not array for item in remote[0])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int32", "uint8"])
def test_large_remote_arrays_are_reduced_on_their_device(remote, monkeypatch, dtype):
    monkeypatch.setattr(_jax_values, "LARGEST_TRANSFER", 0)
    array = random((50, 40), "float32").at[0, :4].set(0).astype(dtype)
    if "float" in dtype:
        array = array.at[1, :3].set(jnp.array([jnp.nan, jnp.inf, -jnp.inf], dtype))
    expected = array_statistics(np.asarray(array))
    (found,) = ADAPTER.statistics([array])
    assert found.mean == pytest.approx(expected.mean, abs=1e-5)
    assert found.std == pytest.approx(expected.std, rel=1e-5)
    counts = (
        "finite",
        "low",
        "high",
        "zeros",
        "nans",
        "positive_infinities",
        "negative_infinities",
    )
    for name in counts:
        assert getattr(found, name) == getattr(expected, name)
    assert found.histogram == pytest.approx(expected.histogram, abs=1)
    assert sum(values.nbytes for values in jax.tree.leaves(remote[0])) < 100


def test_windows_of_large_remote_arrays_are_cut_on_their_device(remote, monkeypatch):
    monkeypatch.setattr(_jax_values, "LARGEST_TRANSFER", 0)
    array = jnp.arange(10_000).reshape(100, 100)
    (values,) = ADAPTER.fetch([(array, (np.array([0, 99]), np.array([1])))])
    assert values.tolist() == [[1], [9901]]
    ((reduced, window),) = remote[0]
    assert reduced is None
    assert window.shape == (2, 1)


def test_nothing_finite_on_a_device_has_no_moments(remote, monkeypatch):
    monkeypatch.setattr(_jax_values, "LARGEST_TRANSFER", 0)
    (found,) = ADAPTER.statistics([jnp.full(5, jnp.nan)])
    assert (found.finite, found.nans, found.mean, found.low) == (0, 5, None, None)


def test_deleted_arrays_are_named_and_do_no_damage():
    gone = jnp.ones((3, 4))
    gone.delete()
    text = treeview.render_text([gone, jnp.zeros((3, 4))], width=100)
    assert text == "[jax.Array float32[3, 4] <deleted>, jax.Array float32[3, 4] all 0]"


def test_donated_arrays_are_deleted_arrays():
    step = jax.jit(lambda x: x + 1, donate_argnums=0)
    donated = jnp.ones((3, 4))
    step(donated)
    assert treeview.render_text(donated) == "jax.Array float32[3, 4] <deleted>"


@pytest.mark.parametrize("transform", [jax.jit, jax.vmap, jax.make_jaxpr, jax.grad])
def test_tracers_are_shown_without_their_values(transform):
    seen = []

    def function(x):
        seen.append(treeview.render_text(x))
        return x.sum()

    transform(function)(jnp.ones((4,) if transform is not jax.vmap else (2, 4)))
    assert set(seen) == {"jax.Array float32[4] <traced>"}


def test_what_is_traced_is_no_mask_and_no_limit():
    def function(x):
        with pytest.raises(ValueError, match="Expected `valid_mask` to be an array whose values"):
            treeview.render_array(np.ones(4), valid_mask=x > 0)
        with pytest.raises(ValueError, match="Expected `vmax` to be an array whose values can be"):
            treeview.render_array(np.ones(4), vmax=x.max())
        return x

    jax.jit(function)(jnp.ones(4))
    figure = treeview.render_array(jnp.arange(4.0), vmax=jnp.float32(2), valid_mask=jnp.ones(1))
    assert figure.picture.legends[0].high == "2"


def test_symbols_stand_for_sizes_that_are_not_known():
    shapes = jax.ShapeDtypeStruct(export.symbolic_shape("b, 2*c, 3"), jnp.float32)
    text = treeview.render_text({"x": shapes}, totals=True)
    assert "jax.ShapeDtypeStruct float32[b, 2*c, 3] <abstract>" in text
    seen = []

    def function(x):
        seen.append(treeview.render_text([x], totals=True))
        return x

    export.export(jax.jit(function))(shapes)
    assert "jax.Array float32[b, 2*c, 3] <traced>" in seen[0]
    sized = jax.ShapeDtypeStruct((np.int64(2), 3), jnp.float32)
    assert treeview.render_text(sized) == "jax.ShapeDtypeStruct float32[2, 3] <abstract>"


@pytest.mark.skipif(not hasattr(jax, "new_ref"), reason="this JAX has no mutable arrays")
def test_tracers_of_mutable_arrays_are_shown():
    seen = []

    @jax.jit
    def function(ref):
        seen.append(treeview.render_text(ref))
        return ref[...]

    function(jax.new_ref(jnp.ones(3)))
    assert len(seen) == 1
    assert "float32[3]" in seen[0]


def test_constants_are_read_while_a_function_is_traced(remote):
    constant = jnp.arange(20)
    seen = []

    @jax.jit
    def function(x):
        seen.append(treeview.render_text({"x": x, "c": constant}, width=100))
        return x + constant

    function(jnp.ones(20))
    assert seen == [
        "{'x': jax.Array float32[20] <traced>, 'c': jax.Array int32[20] ≈9.5 ±5.8 [0, 19] zero:1}"
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_roundtrip_text_evaluates_to_an_equal_array(dtype):
    array = random((2, 3), dtype)
    back = eval(treeview.render_text(array, roundtrip=True), {"jax": jax})
    assert back.dtype == array.dtype
    assert (np.asarray(back) == np.asarray(array)).all()


def test_roundtrip_text_shows_that_random_keys_have_no_expression():
    assert treeview.render_text(jax.random.key(0), roundtrip=True) == "<jax.Array key<fry>[]>"


def test_random_keys_show_their_kind_and_shape():
    keys = jax.random.split(jax.random.key(0), (2, 3))
    assert treeview.render_text(keys) == "jax.Array key<fry>[2, 3]"
    assert treeview.render_text(jax.random.key(0)) == "jax.Array key<fry>[]"


def test_abstract_arrays_count_their_bytes():
    adapter = default_registry.adapter_for(jax.ShapeDtypeStruct)
    struct = jax.ShapeDtypeStruct((3, 4), jnp.bfloat16)
    expected = ArrayInfo(
        "jax.ShapeDtypeStruct", "bfloat16", positional_axes((3, 4)), bytes=24, problem="abstract"
    )
    assert adapter.describe(struct) == expected
    assert adapter.statistics([struct]) == [None]
    assert treeview.render_text(struct) == "jax.ShapeDtypeStruct bfloat16[3, 4] <abstract>"


def test_abstract_arrays_have_no_values():
    with pytest.raises(TypeError, match="Expected an array with values, got `X`, which has none"):
        AbstractAdapter("X", "abstract").fetch([])


@pytest.mark.skipif(not hasattr(jax, "new_ref"), reason="this JAX has no mutable arrays")
def test_mutable_arrays_are_not_read():
    assert treeview.render_text(jax.new_ref(jnp.ones(3))) == "jax.Ref float32[3] <mutable>"


def test_shardings_and_structures_are_readable():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]).reshape(1, 1), ("data", "model"))
    spec = jax.sharding.PartitionSpec("data", None)
    sharding = jax.sharding.NamedSharding(mesh, spec)
    assert treeview.render_text(mesh) == "Mesh('data': 1, 'model': 1)"
    assert treeview.render_text(spec) == repr(spec)
    assert treeview.render_text(sharding, width=200) == (
        f"NamedSharding(Mesh('data': 1, 'model': 1), {spec!r})"
    )
    structure = jax.tree.structure({"a": [1, None]})
    assert treeview.render_text(structure) == "PyTreeDef({'a': [*, None]})"


@jax.tree_util.register_pytree_with_keys_class
class Pair:
    """A node with key paths of its own."""

    __slots__ = ("hidden",)

    def __init__(self, *parts):
        self.hidden = parts

    def tree_flatten_with_keys(self):
        keys = jax.tree_util.GetAttrKey("first"), jax.tree_util.DictKey("second")
        return list(zip(keys, self.hidden)), None

    @classmethod
    def tree_unflatten(cls, _, parts):
        return cls(*parts)


def test_registered_nodes_show_their_children_under_their_keys():
    pair = Pair(jnp.arange(3), [1, None])
    assert treeview.render_text(pair, width=100) == (
        "Pair(first=jax.Array int32[3] [0, 1, 2], ['second']=[1, None])"
    )


SHARDED = """
    import jax, jax.numpy as jnp, numpy as np, treeview
    from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
    jax.config.update("jax_num_cpu_devices", 8)
    mesh = Mesh(np.array(jax.devices()).reshape(4, 2), ("data", "model"))
    values = np.arange(64.0, dtype=np.float32).reshape(8, 8)
    for spec in (P("data", None), P(None, ("data", "model")), P()):
        print(treeview.render_text(jax.device_put(values, NamedSharding(mesh, spec)), width=200))
    device = jax.devices()[3]
    text = treeview.render_text(jax.device_put(values, device), width=200)
    print(text.replace(str(device), "DEVICE"))
    print(treeview.render_array(jax.device_put(values, NamedSharding(mesh, P("model")))))
    model = [
        jax.device_put(np.full((8, 2 * k), k, "float32"), NamedSharding(mesh, P("data", "model")))
        for k in range(10, 40)
    ]
    jax.block_until_ready(model)
    compiled, transfers, device_get = [], [], jax.device_get
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if "backend_compile" in event else None
    )
    jax.device_get = lambda tree: transfers.append(len(tree)) or device_get(tree)
    html = treeview.render_html(model, autovisualize=True)
    print(html.count("<img "), "all 39" in html, transfers, compiled)
    sharding = NamedSharding(mesh, P(None, "model"))
    placed = [jax.device_put(values, sharding), jax.device_put(values, NamedSharding(mesh, P()))]
    tree = treeview.render([*placed, mesh, sharding, NamedSharding(mesh, P())], autovisualize=True)
    print(tree.text(width=200))
    shown = tree.document.values
    pictures = shown[0].values[1].values + [one for node in shown[2:] for one in node.values]
    for picture in pictures:
        print([scale.high for scale in picture.legends], picture.caption.plain)
"""


def test_arrays_on_many_devices_are_read_and_say_where_they_are():
    spec = jax.sharding.PartitionSpec
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(SHARDED)],
        capture_output=True,
        text=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        check=False,
    )
    assert result.returncode == 0, result.stderr
    by_model = ["0 = CPU 0 + CPU 2 + CPU 4 + CPU 6", "1 = CPU 1 + CPU 3 + CPU 5 + CPU 7"]
    summary = "jax.Array float32[8, 8] ≈32 ±18 [0, 63] zero:1 ████████"
    assert result.stdout.splitlines() == [
        f"{summary} on 8 devices, {spec('data', None)!r}",
        f"{summary} on 8 devices, {spec(None, ('data', 'model'))!r}",
        f"{summary} copied to 8 devices",
        f"{summary} on DEVICE",
        "float32[8, 8]: values from 0 to 63; rows: axis 0; columns: axis 1",
        "60 True [30] []",
        "[",
        f"  {summary} on 8 devices, {spec(None, 'model')!r}",
        "    <picture: float32[8, 8]: all values; rows: axis 0; columns: axis 1>",
        "    parts on 8 devices",
        "  ,",
        f"  {summary} copied to 8 devices",
        "    <picture: float32[8, 8]: all values; rows: axis 0; columns: axis 1>",
        "    copies on 8 devices",
        "  ,",
        "  Mesh('data': 4, 'model': 2)",
        "    <picture: what each device holds>",
        "  ,",
        f"  NamedSharding(Mesh('data': 4, 'model': 2), {spec(None, 'model')!r})",
        "    <picture: what each device holds>",
        "  ,",
        f"  NamedSharding(Mesh('data': 4, 'model': 2), {spec()!r})",
        "    <picture: what each device holds>",
        "  ,",
        "]",
        f"{by_model} not split: axis 0: 8",
        f"{[f'{number} = CPU {number}' for number in range(8)]} ",
        f"{by_model} not split: axis 0: 1",
        f"{['0 = ' + ' + '.join(f'CPU {number}' for number in range(8))]} ",
    ]
