"""How much memory loading takes, as the system counts it: mapped files included."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from modeldata.models.families import family_named
from modeldata.models.transformer import AttentionTypeGlobalCausal, LlamalikeTransformerConfig

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak anew"
)

CONFIG = LlamalikeTransformerConfig(
    num_kv_heads=1,
    query_head_multiplier=4,
    embedding_dim=512,
    projection_dim=64,
    mlp_hidden_dim=4096,
    num_decoder_blocks=8,
    vocab_size=1000,
    mlp_variant="geglu_approx",
    tie_embedder_and_logits=True,
    attention_type=AttentionTypeGlobalCausal(),
    use_qk_norm=True,
    use_post_attn_norm=True,
    use_post_ffw_norm=True,
)
SETTINGS = {
    "model_type": "gemma3_text",
    "vocab_size": 1000,
    "hidden_size": 512,
    "intermediate_size": 4096,
    "num_hidden_layers": 8,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "head_dim": 64,
    "query_pre_attn_scalar": 64,
    "sliding_window": 64,
    "layer_types": ["full_attention"] * 8,
}
# Loads each folder in turn and prints the peak of resident memory while it does, less what was
# resident before, as a multiple of the parameters.
PROGRAM = """
import gc, importlib, json, pathlib, sys
import jax, jax.numpy as jnp
import modeldata as md

def memory(field):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

def peak_of(folder, dtype, options):
    gc.collect()
    before = memory("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    model = md.models.load(folder, dtype=dtype, progress=False, **options)
    parameters = [each.value.data_array for each in md.unbind_params(model)[1]]
    jax.block_until_ready(parameters)
    return (memory("VmHWM") - before) / sum(array.nbytes for array in parameters)

tiny, libraries, *folders = sys.argv[1:]
for library in libraries.split():
    importlib.import_module(library)
mesh = jax.make_mesh((8,), ("parts",))
spread = {"mesh": mesh, "axis_name_to_mesh_name": {"neurons": "parts", "vocabulary": "parts"}}
for options in ({}, spread):  # so that libraries are loaded and threads run
    md.models.load(tiny, progress=False, **options)
found = {}
for folder in folders:
    name = pathlib.Path(folder).name
    found[f"{name} float32"] = peak_of(folder, jnp.float32, {})
    found[f"{name} bfloat16"] = peak_of(folder, jnp.bfloat16, {})
    found[f"{name} on a mesh"] = peak_of(folder, jnp.float32, spread)
print(json.dumps(found))
"""


def some_tensors(config):
    family = family_named("gemma3")
    rules = family.weight_rules(config, family.build_slots(config))
    places = [rule.place_for("huggingface") for rule in rules]
    return {place.name: np.zeros(place.stored_shape, np.float32) for place in places}


def write_folder(path, tensors, files=1, **changes):
    path.mkdir()
    (path / "config.json").write_text(json.dumps(SETTINGS | changes))
    if files == 1:
        safetensors.numpy.save_file(tensors, path / "model.safetensors")
        return
    index = {}
    for number in range(files):
        part = dict(list(tensors.items())[number::files])
        safetensors.numpy.save_file(part, path / f"part-{number}.safetensors")
        index |= dict.fromkeys(part, f"part-{number}.safetensors")
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))


def write_tiny(path):
    one = replace(CONFIG, num_decoder_blocks=1, mlp_hidden_dim=16)
    changes = {"intermediate_size": 16, "num_hidden_layers": 1, "layer_types": ["full_attention"]}
    write_folder(path, some_tensors(one), **changes)


def peaks(tiny, *folders, libraries="safetensors"):
    # What is freed goes back to the system at once, so that it isn't taken for free the next time.
    glibc = {"MALLOC_MMAP_THRESHOLD_": "65536"}
    devices = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    environment = os.environ | glibc | devices
    command = [sys.executable, "-c", PROGRAM, str(tiny), libraries, *map(str, folders)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_loading_safetensors_takes_little_more_memory_than_the_model(tmp_path):
    tensors = some_tensors(CONFIG)
    assert sum(array.nbytes for array in tensors.values()) > 2e8
    write_tiny(tmp_path / "tiny")
    write_folder(tmp_path / "one file", tensors)
    write_folder(tmp_path / "several files", tensors, files=3)
    found = peaks(tmp_path / "tiny", tmp_path / "one file", tmp_path / "several files")
    assert len(found) == 6
    # Below 1, memory that was free before was used, and the reading is worth nothing.
    assert {name: peak for name, peak in found.items() if not 0.9 < peak <= 1.2} == {}


@pytest.mark.reference
def test_loading_files_of_torch_takes_little_more_memory_than_the_model(tmp_path):
    torch = pytest.importorskip("torch")
    write_tiny(tmp_path / "tiny")
    folder = tmp_path / "torch"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(SETTINGS))
    tensors = {name: torch.from_numpy(array) for name, array in some_tensors(CONFIG).items()}
    torch.save(tensors, folder / "pytorch_model.bin")
    found = peaks(tmp_path / "tiny", folder, libraries="safetensors torch")
    assert len(found) == 3
    limits = {name: 1.4 if "bfloat16" in name else 1.2 for name in found}
    assert {name: peak for name, peak in found.items() if not 0.9 < peak <= limits[name]} == {}
