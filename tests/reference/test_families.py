import json
from pathlib import Path

import jax.numpy as jnp
import modeldata as md
import numpy as np
import pytest
import safetensors.numpy
from modeldata import models, nx
from modeldata.models.families import FAMILIES

from .make_families import POSITIONS, weights_of

RECORDS = json.loads((Path(__file__).parent / "families.json").read_text())


def write_folder(folder, record):
    folder.mkdir()
    weights = {name: weights_of(name, shape) for name, shape in record["tensors"].items()}
    safetensors.numpy.save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(record["config"]))
    return weights


def test_every_family_has_reference_numbers():
    assert {family.name for family in FAMILIES} == RECORDS.keys()


@pytest.mark.parametrize("name", RECORDS)
def test_a_folder_has_the_output_that_transformers_gave_and_saves_as_it_was(name, tmp_path):
    record = RECORDS[name]
    stored = write_folder(tmp_path / "theirs", record)
    model = models.load(tmp_path / "theirs", progress=False)
    output = model(nx.wrap(jnp.asarray(record["tokens"]), "seq"))
    (axis,) = output.named_shape.keys() - {"seq"}
    found = output.unwrap("seq", axis)
    expected = np.array(record["output"])
    np.testing.assert_allclose(
        found[np.array(POSITIONS)], expected, rtol=0, atol=1e-5 * np.abs(expected).max()
    )

    models.save(model, tmp_path / "ours")
    saved = safetensors.numpy.load_file(tmp_path / "ours" / "model.safetensors")
    assert saved.keys() == stored.keys()
    for tensor in stored:
        # Scales of Gemma are stored less one, which rounds.
        np.testing.assert_allclose(saved[tensor], stored[tensor], rtol=0, atol=1e-7)
    config = json.loads((tmp_path / "ours" / "config.json").read_text())
    assert config == record["config"]


def test_norms_of_the_first_bert_files_have_other_names(tmp_path):
    stored = write_folder(tmp_path / "bert", RECORDS["bert"])
    older = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): values
        for name, values in stored.items()
    }
    assert older.keys() != stored.keys()
    found = models.load(tmp_path / "bert", progress=False)
    safetensors.numpy.save_file(older, tmp_path / "bert" / "model.safetensors")
    again = models.load(tmp_path / "bert", progress=False)
    assert md.freeze_variables(again) == md.freeze_variables(found)
