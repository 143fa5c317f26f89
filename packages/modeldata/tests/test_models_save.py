import dataclasses
import functools
import json
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

import modeldata as md
from modeldata import models, nn, nx
from modeldata.models import SaveError
from modeldata.models.families import family_named
from modeldata.models.transformer import LlamalikeTransformerConfig, build_llamalike_transformer
from modeldata.toolshed.save_intermediates import SaveIntermediate

SETTINGS = {
    "model_type": "llama",
    "vocab_size": 11,
    "hidden_size": 8,
    "intermediate_size": 6,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "eos_token_id": 7,
    "torch_dtype": "bfloat16",
}


@functools.cache
def tensors():
    draw = np.random.default_rng(0)
    family = family_named("llama")
    checkpoint = types.SimpleNamespace(config=SETTINGS, source="a test", naming="huggingface")
    config = family.read_config(checkpoint, jnp.float32)
    places = [
        rule.place_for("huggingface")
        for rule in family.weight_rules(config, family.build_slots(config))
    ]
    return {p.name: draw.normal(size=p.stored_shape).astype(np.float32) for p in places}


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(SETTINGS))
    safetensors.numpy.save_file(tensors(), folder / "model.safetensors")
    return models.load(folder, progress=False)


def test_a_saved_model_is_the_one_that_was_loaded(model, tmp_path):
    models.save(model, tmp_path / "new" / "folder")
    saved = safetensors.numpy.load_file(tmp_path / "new" / "folder" / "model.safetensors")
    assert saved.keys() == tensors().keys()
    for name, values in tensors().items():
        np.testing.assert_array_equal(saved[name], values)
    config = json.loads((tmp_path / "new" / "folder" / "config.json").read_text())
    expected = {k: v for k, v in SETTINGS.items() if k != "torch_dtype"}
    assert config == {**expected, "dtype": "float32"}
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]


def test_changed_values_are_saved_in_whatever_order_their_axes_are(model, tmp_path):
    layers, parameters = md.unbind_params(model, freeze=True)
    changed = [
        p.replace(value=(2 * p.value).order_as(*reversed(p.value.named_shape))) for p in parameters
    ]
    models.save(md.bind_variables(layers, changed), tmp_path)
    saved = safetensors.numpy.load_file(tmp_path / "model.safetensors")
    for name, values in tensors().items():
        np.testing.assert_array_equal(saved[name], 2 * values)


def test_a_model_with_a_stack_of_blocks_is_saved_as_the_list_that_it_was(model, tmp_path):
    stacked = models.stack_blocks(model)
    models.save(stacked, tmp_path)
    saved = safetensors.numpy.load_file(tmp_path / "model.safetensors")
    assert saved.keys() == tensors().keys()
    for name, values in tensors().items():
        np.testing.assert_array_equal(saved[name], values)
    assert models.compare(stacked, model, [1, 2]).is_equal
    assert models.compare(model, stacked, [1, 2]).is_equal


def test_the_type_of_the_parameters_is_the_type_of_the_file(model, tmp_path):
    layers, parameters = md.unbind_params(model, freeze=True)
    half = [p.replace(value=p.value.astype(jnp.bfloat16)) for p in parameters]
    models.save(md.bind_variables(layers, half), tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "bfloat16"
    again = models.load(tmp_path, dtype=jnp.bfloat16, progress=False)
    for saved, parameter in zip(md.unbind_params(again)[1], half, strict=True):
        np.testing.assert_array_equal(saved.value.data_array, parameter.value.data_array)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda m: md.select(m).at_instances_of(nn.Softmax).insert_after(SaveIntermediate()),
            r"layers that a `llama` model has, .*query_key_to_attn\.sublayers` has 4 parts, not 3",
        ),
        (
            lambda m: (
                md.select(m).at_instances_of(nn.Softmax).pick_nth_selected(1).set(nn.Identity())
            ),
            r"`\.body\.sublayers\[2\].*\[2\]` is a `Identity`, not a `Softmax`",
        ),
        (
            lambda m: (
                md.select(m)
                .at_instances_of(nn.RMSStandardize)
                .apply(lambda layer: layer.replace(epsilon=0.1))
            ),
            r"the settings of the `RMSStandardize` at `\.body\.sublayers\[1\].* are others",
        ),
        (
            lambda m: (
                md.select(m)
                .at_instances_of(nn.ConstantRescale)
                .pick_nth_selected(0)
                .set(nn.ConstantRescale(by=1.0))
            ),
            r"the number at `\.body\..*\.by` is another",
        ),
    ],
)
def test_an_edit_that_the_format_has_no_place_for_is_named(model, tmp_path, edit, message):
    with pytest.raises(SaveError, match=message):
        models.save(edit(model), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_parameter_with_other_axes_is_named(model, tmp_path):
    layers, parameters = md.unbind_params(model, freeze=True)
    longer = parameters[0].value.broadcast_to(
        named_shape={**parameters[0].value.named_shape, "extra": 2}
    )
    grown = [parameters[0].replace(value=longer), *parameters[1:]]
    with pytest.raises(SaveError, match=r"`transformer/embedder.embeddings` .*'extra': 2"):
        models.save(md.bind_variables(layers, grown), tmp_path)


def test_what_was_not_loaded_cannot_be_saved(tmp_path):
    with pytest.raises(TypeError, match="`TransformerLM` or .* but got a `Identity`"):
        models.save(nn.Identity(), tmp_path)
    config = LlamalikeTransformerConfig(
        num_kv_heads=1,
        query_head_multiplier=1,
        embedding_dim=4,
        projection_dim=4,
        mlp_hidden_dim=4,
        num_decoder_blocks=1,
        vocab_size=5,
        mlp_variant="swiglu",
        tie_embedder_and_logits=True,
    )
    with pytest.raises(SaveError, match="a model that `models.load` made, .* which family"):
        models.save(build_llamalike_transformer(config, jax.random.key(0)), tmp_path)


def test_a_model_of_which_no_settings_are_known_is_refused(model, tmp_path):
    origin = dataclasses.replace(model.metadata.origin, checkpoint_config=None)
    metadata = dataclasses.replace(model.metadata, origin=origin)
    with pytest.raises(SaveError, match="loaded with a `config.json`, but this `llama` was not"):
        models.save(model.replace(metadata=metadata), tmp_path)


def test_folders_with_other_weights_and_files_are_left_alone(model, tmp_path):
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(SaveError, match="has `pytorch_model.bin`, which would be read"):
        models.save(model, tmp_path)
    with pytest.raises(SaveError, match="a folder at .* but there is a file"):
        models.save(model, tmp_path / "pytorch_model.bin")


def test_without_safetensors_the_error_says_how_to_get_it(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(models.LoadError, match=r"Saving a model needs .*'modeldata\[hf\]'"):
        models.save(model, tmp_path)


def test_what_differs_first_is_marked_in_a_comparison(model):
    second = md.select(model).at_instances_of(nn.Softmax).pick_nth_selected(1)
    other = second.insert_after(nn.ConstantRescale(by=0.5))
    assert models.compare(model, model, [1, 2, 3]).is_equal
    assert models.compare(model, model, np.array([1, 2, 3])).is_equal
    found = models.compare(other, model, [[1, 2, 3], [4]])
    assert [part.name for part in found.parts] == ["embedding", "block 0", "block 1", "logits"]
    assert found.first_difference is not None
    assert found.first_difference.name == "block 1"
    assert not found.is_equal
    lines = repr(found).splitlines()
    assert lines[0] == "With a tolerance of 1e-04, `block 1` differs first."
    assert lines[1:4] == [
        "output of  greatest difference",
        "embedding  0.0e+00",
        "block 0    0.0e+00",
    ]
    assert lines[4].endswith("  <-")
    assert found.text == repr(found)
    worst = max(difference(other, model, tokens) for tokens in ([1, 2, 3], [4]))
    assert found.parts[-1].difference == pytest.approx(worst, rel=1e-4)


@md.pytree_dataclass
class Twice(nn.Layer):
    def __call__(self, argument, /, **side_inputs):
        return nx.concatenate([argument, argument], "vocabulary")


def difference(one, other, tokens):
    named = nx.wrap(jnp.asarray(tokens), "seq")
    a, b = (m(named).unwrap("seq", "vocabulary") for m in (one, other))
    return float(jnp.abs(a - b).max() / jnp.abs(b).max())


def test_rounding_to_16_bits_is_no_difference(model):
    metadata = dataclasses.replace(model.metadata, activation_dtype=jnp.bfloat16)
    found = models.compare(model.replace(metadata=metadata), model, [1, 2])
    assert (found.tolerance, found.is_equal) == (5e-2, True)
    assert models.compare(model, model, [1], tolerance=0).tolerance == 0


def test_a_nan_is_a_difference(model):
    broken = (
        md.select(model)
        .at_instances_of(nn.ConstantRescale)
        .set(nn.ConstantRescale(by=float("nan")))
    )
    found = models.compare(broken, model, [1, 2])
    assert found.first_difference is not None
    assert found.first_difference.name == "block 0"


def test_what_cannot_be_compared_is_refused(model):
    with pytest.raises(TypeError, match="`model` to be a `TransformerLM`, but got a `Identity`"):
        models.compare(nn.Identity(), model, [1])
    with pytest.raises(TypeError, match="`reference` to be .* but got a `int`. Load the ref"):
        models.compare(model, 3, [1])
    for tolerance in ("small", -1.0, float("nan")):
        with pytest.raises(ValueError, match="`tolerance` to be a number of at least 0, but got"):
            models.compare(model, model, [1], tolerance=tolerance)
    wide = model.replace(metadata=dataclasses.replace(model.metadata, vocab_size=99))
    with pytest.raises(ValueError, match="the vocabulary of the reference, 99 tokens, but it has"):
        models.compare(model, wide, [1])
    with pytest.raises(ValueError, match="at least one token"):
        models.compare(model, model, [[1], []])
    with pytest.raises(ValueError, match="token ids from 0 to .*, but got 999"):
        models.compare(model, model, [999])
    with pytest.raises(TypeError, match="a list of token ids.*but got a `str`"):
        models.compare(model, model, "text")
    with pytest.raises(ValueError, match="a `Sequential` with a `TransformerBlock` for each"):
        models.compare(model.replace(body=nn.Identity()), model, [1])
    without = [x for x in model.body.sublayers if not isinstance(x, models.TransformerBlock)]
    blocks = [x for x in model.body.sublayers if isinstance(x, models.TransformerBlock)]
    short = model.replace(body=nn.Sequential([without[0], blocks[0], *without[1:]]))
    double = model.replace(body=nn.Sequential([*model.body.sublayers, Twice()]))
    with pytest.raises(ValueError, match=r"shape \(1, 11\) .* in `logits`, .* makes \(1, 22\)"):
        models.compare(double, model, [1])
    with pytest.raises(ValueError, match="as many blocks as the reference, 2, but it has 1"):
        models.compare(short, model, [1])
