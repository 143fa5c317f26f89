"""Any tree saved and loaded again."""

import collections
import collections.abc
import dataclasses
import enum
import functools
import json
import math
import os
import sys
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modeldata as md
from modeldata import models, nn, nx
from modeldata.models import LoadError, SaveError
from modeldata.models.transformer import LlamalikeTransformerConfig, build_llamalike_transformer

TRUSTED = [__name__]


@md.pytree_dataclass
class Pair(md.Struct):
    left: Any
    right: Any
    note: Any = md.static_field(default=None)


@md.pytree_dataclass
class Double(nn.Layer):
    factor: Any

    def __call__(self, argument, /, **_):
        return argument * self.factor.value


class State(NamedTuple):
    count: Any
    mean: Any


@dataclasses.dataclass(frozen=True)
class Setting:
    size: int
    name: str = "x"


class Color(enum.Enum):
    RED = "r"


def triple(x):
    return 3 * x


def saved_and_loaded(tree, folder, trusted=()):
    models.save_tree(tree, folder)
    return models.load_tree(folder, trusted=trusted)


def same(a, b):
    """Whether two trees are equal, with equal types all the way down, and equal sharing."""
    return _same(a, b, {})


def _same(a, b, seen):
    if type(a) is not type(b):
        return False
    if isinstance(a, md.Parameter | md.StateVariable):
        if id(a) in seen:
            return seen[id(a)] is b
        seen[id(a)] = b
        return (
            not any(b is other for key, other in seen.items() if key != id(a))
            and a.label == b.label
            and _same(dict(a.metadata), dict(b.metadata), seen)
            and _same(a.value, b.value, seen)
        )
    if isinstance(a, jax.Array | np.ndarray | np.generic):
        if isinstance(a, jax.Array) and jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
            return a.dtype == b.dtype and (jax.random.key_data(a) == jax.random.key_data(b)).all()
        is_like = a.dtype == b.dtype and a.shape == b.shape
        return is_like and np.asarray(a).tobytes() == np.asarray(b).tobytes()
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if dataclasses.is_dataclass(a):
        return all(
            _same(getattr(a, f.name), getattr(b, f.name), seen) for f in dataclasses.fields(a)
        )
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(_same(x, y, seen) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict | collections.abc.Mapping):
        return list(a) == list(b) and all(_same(a[key], b[key], seen) for key in a)
    if isinstance(a, functools.partial):
        return _same((a.func, a.args, a.keywords), (b.func, b.args, b.keywords), seen)
    return a == b


@functools.cache
def arrays():
    return (
        jnp.arange(3.0),
        np.arange(6, dtype=np.int8).reshape(2, 3),
        jnp.ones((2, 0), jnp.bfloat16),
        nx.wrap(jnp.arange(6).reshape(2, 3), "a", ("b", 1)),
        nx.wrap(jnp.zeros((2, 3)), "a", "b").untag("a"),
        np.float16(0.5),
    )


@functools.cache
def variables():
    return (
        md.Parameter(value=nx.wrap(jnp.ones(2), "a"), label="p", metadata={"from": (1, None)}),
        md.StateVariable((jnp.zeros(2), None), label=("s", 1)),
    )


def containers(children):
    return (
        st.lists(children, max_size=3)
        | st.lists(children, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), children, max_size=3)
        | st.builds(Pair, children, children, st.none() | st.just((1, "a", Setting(2))))
        | st.builds(State, children, children)
        | children.map(lambda child: nn.Sequential([child]))
    )


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(range(6)).map(lambda index: arrays()[index])
    | st.sampled_from(range(2)).map(lambda index: variables()[index]),
    containers,
    max_leaves=12,
)


@settings(max_examples=60)
@given(tree=trees)
def test_any_tree_comes_back_equal(tree, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    assert same(saved_and_loaded(tree, folder), tree)
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        frozenset({"a"}),
        collections.OrderedDict([("b", 1), ("a", 2)]),
        Color.RED,
        Setting(3, "y"),
        jnp.float32,
        np.int8,
        int,
        np.dtype("bfloat16"),
        jax.nn.gelu,
        jnp.tanh,
        jnp.add,
        jax.lax.rsqrt,
        functools.partial(jax.nn.gelu, approximate=True),
        nn.Elementwise(functools.partial(jax.nn.gelu, approximate=True)),
        md.Parameter(value=jnp.ones(1), label="a").get_slot(),
        md.Parameter(value=jnp.ones(1), label="a", metadata={"b": [1]}).freeze(),
        jax.random.key(3),
        jax.random.split(jax.random.key(3, impl="rbg")),
        jnp.asarray([1.5, -2], "float8_e4m3fn"),
        jnp.asarray([1, -2], "int4"),
        jnp.asarray(1 + 2j),
        np.arange(3, dtype=">i4"),
        -0.0,
        2**100,
    ],
    ids=lambda value: type(value).__name__,
)
def test_settings_and_unusual_values_come_back_equal(value, tmp_path):
    found = saved_and_loaded([value], tmp_path)
    assert same(found, [value])
    if not isinstance(value, jax.Array | np.ndarray | functools.partial):
        assert found == [value]


def test_variables_and_arrays_that_are_shared_stay_shared(tmp_path):
    parameter, array = md.Parameter(value=jnp.ones(3), label="w"), jnp.arange(1000)
    found = saved_and_loaded({"a": [parameter, array], "b": (parameter, array)}, tmp_path)
    assert found["a"][0] is found["b"][0] is not parameter
    assert found["a"][1] is found["b"][1]
    assert sum(path.stat().st_size for path in tmp_path.glob("*.safetensors")) < 5000


def test_automatic_labels_are_new_and_still_fit_their_slots(tmp_path):
    variable, other = md.StateVariable(jnp.zeros(1)), md.StateVariable(jnp.zeros(1))
    found, found_other, slot = saved_and_loaded([variable, other, variable.get_slot()], tmp_path)
    assert found.get_slot() == slot
    assert len({variable.label, other.label, found.label, found_other.label}) == 4


def test_numbers_of_a_weak_type_stay_weak(tmp_path):
    weak, strong = saved_and_loaded([jnp.asarray(2.0), jnp.float32(2)], tmp_path)
    assert (weak * jnp.ones(1, jnp.bfloat16)).dtype == jnp.bfloat16
    assert (strong * jnp.ones(1, jnp.bfloat16)).dtype == jnp.float32


@functools.cache
def tiny_model():
    config = LlamalikeTransformerConfig(
        num_kv_heads=1,
        query_head_multiplier=2,
        embedding_dim=8,
        projection_dim=4,
        mlp_hidden_dim=8,
        num_decoder_blocks=2,
        vocab_size=11,
        mlp_variant="clamped_swiglu",
        tie_embedder_and_logits=True,
    )
    slots = build_llamalike_transformer(config)
    shapes = jax.eval_shape(
        lambda: md.unbind_params(
            build_llamalike_transformer(config, jax.random.key(0)), freeze=True
        )[1]
    )
    draw = np.random.default_rng(0)
    values = jax.tree_util.tree_map(
        lambda leaf: jnp.asarray(draw.normal(scale=0.4, size=leaf.shape), jnp.float32), shapes
    )
    return md.bind_variables(slots, values, unfreeze_as_copy=True)


def test_an_edited_model_computes_the_same_after_loading(tmp_path):
    model = models.stack_blocks(tiny_model())
    factor = md.Parameter(value=jnp.float32(1.5), label="edit")
    edited = md.select(model).at_instances_of(nn.Attention).insert_after(Double(factor))
    edited = (
        md.select(edited).at_instances_of(nn.RMSLayerNorm).pick_nth_selected(0).remove_from_parent()
    )
    found = saved_and_loaded(edited, tmp_path)
    assert same(md.freeze_variables(found), md.freeze_variables(edited))
    run = md.variable_jit(
        lambda model, tokens: model(tokens),
        compiler_options={"xla_backend_optimization_level": 0},
    )
    tokens = nx.wrap(jnp.array([1, 2, 3]), "seq")
    logits = run(edited, tokens).data_array
    np.testing.assert_array_equal(run(found, tokens).data_array, logits)
    assert np.abs(run(models.stack_blocks(tiny_model()), tokens).data_array - logits).max() > 1e-3


def test_names_in_the_file_are_public_ones(tmp_path):
    models.save_tree([nn.Elementwise(jax.nn.silu), nx.wrap(jnp.ones(2), "a")], tmp_path)
    text = (tmp_path / "tree.json").read_text()
    assert '"modeldata.nn:Elementwise"' in text
    assert '"jax.nn:silu"' in text
    assert "._" not in text


def local_struct():
    @md.pytree_dataclass
    class Local(md.Struct):
        value: Any

    return Local(1)


def cyclic():
    items = []
    items.append({"me": items})
    return items


def deep():
    tree = None
    for _ in range(3000):
        tree = [tree]
    return tree


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: {"a": [lambda x: x]}, r"the `function` at `\['a'\]\[0\]` is a function or object"),
        (lambda: Pair(1, jnp.ones(2).sum), r"`method` at `\.right` .* cannot be imported by name"),
        (lambda: Pair(local_struct(), 1), r"`Local` at `\.left` has the class .*local_struct"),
        (lambda: [open(os.devnull)], r"`TextIOWrapper` at `\[0\]` is none of these.*Replace it"),  # noqa: SIM115
        (object, r"the `object` at `\(root\)` is none of these"),
        (lambda: Pair(1, 2, Pair), r"the `StructMeta` at `\.note` is none of these"),
        (cyclic, r"the `list` at `\[0\]\['me'\]` holds itself"),
        (deep, "it is too deep"),
        (lambda: np.array(["a"]), r"has the dtype `<U1`. Only arrays of numbers"),
        (lambda: np.ma.array([1.0]), r"`MaskedArray` at `\(root\)` is another kind of array"),
        (
            lambda: md.Parameter(value=jnp.ones(1), label="w", metadata={"f": lambda: 0}),
            r"the `function` at `\.metadata\['f'\]`",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_cannot_be_written_is_refused_with_its_place(make, message, tmp_path):
    with pytest.raises(SaveError, match=message):
        models.save_tree(make(), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_folder_needs_a_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="Expected a folder at .*file., but there is a file"):
        models.save_tree([], tmp_path / "file")
    with pytest.raises(LoadError, match=r"`tree\.json` that `save_tree` wrote, but .* has none"):
        models.load_tree(tmp_path)


def test_a_new_tree_replaces_the_old_one_only_when_it_is_complete(tmp_path, monkeypatch):
    models.save_tree([jnp.ones(3)], tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())

    def break_off(*_):
        raise OSError("disk full")

    for broken in ("safetensors.numpy.save_file", "pathlib.Path.replace"):
        with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):
            patch.setattr(broken, break_off)
            models.save_tree([jnp.zeros(3)], tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert same(models.load_tree(tmp_path), [jnp.ones(3)])
    models.save_tree([jnp.zeros(2)], tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert same(models.load_tree(tmp_path), [jnp.zeros(2)])


def test_functions_of_other_modules_are_loaded_from_trusted_ones_only(tmp_path):
    models.save_tree(nn.Elementwise(triple), tmp_path)
    with pytest.raises(LoadError, match=rf'`{__name__}:triple`. .* `trusted=\["{__name__}"\]`'):
        models.load_tree(tmp_path)
    assert models.load_tree(tmp_path, trusted=TRUSTED).fn is triple


def test_a_layer_of_a_module_is_loaded_once_that_is_imported(tmp_path, monkeypatch):
    (tmp_path / "lab_of_layers.py").write_text(
        "import modeldata as md\n\n@md.pytree_dataclass\nclass Mine(md.Struct):\n    a: object\n"
    )
    tree = '{"kind": "struct", "class": "lab_of_layers:Mine", "fields": {"a": 1}}'
    crafted(tmp_path, tree)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(LoadError, match=r"Import `lab_of_layers` first, or pass `trusted="):
        models.load_tree(tmp_path)
    found = models.load_tree(tmp_path, trusted=["lab_of_layers"])
    assert (type(found).__name__, found.a) == ("Mine", 1)
    assert models.load_tree(tmp_path) == found
    monkeypatch.delitem(sys.modules, "lab_of_layers")


def crafted(folder, tree, **changes):
    """Saves a tree, then puts another description of one into the file."""
    models.save_tree([jnp.ones(3)], folder)
    description = json.loads((folder / "tree.json").read_text())
    text = json.dumps({**description, "tree": "its place", **changes})
    (folder / "tree.json").write_text(text.replace('"its place"', tree))


def node(kind, **entries):
    return json.dumps({"kind": kind, **entries})


ARRAY = {"tensor": "[0]", "dtype": "float32", "shape": [3]}


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (node("function", name="os:system"), "known to do nothing but compute.*`os:system`"),
        (node("function", name="jax.numpy:load"), "known to do nothing but compute"),
        (node("function", name="jax.nn:_x"), "known to do nothing but compute"),
        (node("function", name="jax.nn:other"), "Expected a function `other` in the module"),
        (node("function", name="modeldata.models:load"), "known to do nothing but compute"),
        (node("function", name="modeldata.nn._linear:math.prod"), "Expected a function `math.prod"),
        (node("function", name="modeldata.nn:Linear"), "Expected a function `Linear`"),
        (node("function", name="modeldata.nn._layer_stack:scan"), None),
        (node("function", name="modeldata.variables:variable_jit"), "nothing but compute"),
        (node("type", name="os:system"), "Expected a type of numbers `system`"),
        (node("type", name="builtins:object"), "Expected a type of numbers `object`"),
        (node("dtype", name="O"), "Expected dtypes of numbers, but the file has `O`"),
        (node("struct", **{"class": "subprocess:Popen"}, fields={}), "to be a struct, as the file"),
        (node("struct", **{"class": "modeldata.nn:Nothing"}, fields={}), "Expected a class `Not"),
        (node("struct", **{"class": "modeldata.nothing:A"}, fields={}), "to import `modeldata.not"),
        (
            node("struct", **{"class": "modeldata.nn:Softmax"}, fields={"b": 1}),
            "`modeldata.nn:Softmax` to have the fields `b`, as in the file, but it has `axes`",
        ),
        (
            node("struct", **{"class": "modeldata.nn:Softmax"}, fields={"axes": [1]}),
            "reading it fails: TypeError: Expected a hashable value in the static field",
        ),
        (
            node("enum", **{"class": f"{__name__}:Color"}, member="BLUE"),
            "Expected a member `BLUE` in .*, but it has `RED`",
        ),
        (node("variable", number=0), "reading it fails: IndexError"),
        (node("pickle", data="x"), "but the file has 'pickle'"),
        (node("array", **ARRAY | {"shape": [4]}), r"\('float32', \(4,\)\), as the tree says, but"),
        (node("array", **ARRAY | {"dtype": "float64"}), "as the tree says, but the file has"),
        (node("array", **ARRAY | {"tensor": "b"}), "reading it fails: SafetensorError"),
        (node("random key", data=1, algorithm="none"), "reading it fails: .*none"),
        (node("tuple"), "reading it fails: KeyError: 'items'"),
        ("[" * 100_000 + "]" * 100_000, "reading it fails: RecursionError"),
    ],
)
def test_files_that_name_what_they_may_not_or_are_damaged_are_refused(tree, message, tmp_path):
    crafted(tmp_path, tree)
    if message is None:
        assert callable(models.load_tree(tmp_path))
        return
    with pytest.raises(LoadError, match=message):
        models.load_tree(tmp_path)


def test_a_class_that_makes_no_variables_is_no_class_of_variables(tmp_path):
    variables = [{"class": "subprocess:Popen", "label": "x", "value": "ls", "metadata": {}}]
    crafted(tmp_path, node("variable", number=0), variables=variables)
    with pytest.raises(LoadError, match="`subprocess:Popen` to be a class of variables"):
        models.load_tree(tmp_path)


def test_files_of_another_format_are_refused(tmp_path):
    crafted(tmp_path, "1", version=2)
    with pytest.raises(LoadError, match=r"'version': 1\}.* says \{.*'version': 2\}"):
        models.load_tree(tmp_path)
    crafted(tmp_path, "1", tensors="../other.safetensors")
    with pytest.raises(LoadError, match=r"beside the tree .* names '\.\./other\.safetensors'"):
        models.load_tree(tmp_path)
    (tmp_path / "tree.json").write_text("{")
    with pytest.raises(LoadError, match="reading it fails: JSONDecodeError"):
        models.load_tree(tmp_path)


def test_dtypes_that_this_session_does_not_have_are_refused(tmp_path):
    with jax.enable_x64(True):
        models.save_tree([jnp.ones(1, jnp.float64)], tmp_path)
        assert models.load_tree(tmp_path)[0].dtype == jnp.float64
    with pytest.raises(LoadError, match="keep the dtype `float64` of the tensor .* `jax.enable_x6"):
        models.load_tree(tmp_path)


def test_arrays_that_are_not_there_are_refused(tmp_path):
    deleted = jnp.ones(3)
    deleted.delete()
    with pytest.raises(SaveError, match=r"at `\[0\]` is deleted. Save before"):
        models.save_tree([deleted], tmp_path)
    with pytest.raises(SaveError, match=r"at `\[0\]` is a tracer. Save outside"):
        jax.eval_shape(lambda x: models.save_tree([x], tmp_path), jnp.ones(2))


def test_load_points_to_load_tree(tmp_path):
    models.save_tree([1, 2], tmp_path)
    with pytest.raises(LoadError, match="holds a tree that `save_tree` has written. Load it with"):
        models.load(tmp_path)
