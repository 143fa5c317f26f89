"""Fixtures that need both packages."""

import string
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

EMBEDDING, HEADS, PROJECTION, NEURONS, BLOCKS = 16, 2, 8, 24, 2


@pytest.fixture
def examples(monkeypatch):
    """Lets a test import the examples; they are forgotten again afterwards."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield EXAMPLES
    for name in [path.stem for path in EXAMPLES.glob("*.py")]:
        sys.modules.pop(name, None)


@pytest.fixture
def write_gguf():
    """Writes a tiny random Gemma 3 with a tokenizer of its own to a GGUF file."""
    return _write_gguf


def _write_gguf(path, *, architecture="gemma3", tokenizer=True):
    gguf = pytest.importorskip("gguf")
    pieces, types = _vocabulary()
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(BLOCKS)
    writer.add_context_length(128)
    writer.add_embedding_length(EMBEDDING)
    writer.add_feed_forward_length(NEURONS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_key_length(PROJECTION)
    writer.add_value_length(PROJECTION)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_sliding_window(8)
    if tokenizer:
        writer.add_tokenizer_model("llama")
        writer.add_token_list(pieces)
        writer.add_token_scores([-float(i) for i in range(len(pieces))])
        writer.add_token_types(types)
        writer.add_pad_token_id(0)
        writer.add_eos_token_id(1)
        writer.add_bos_token_id(2)
        writer.add_unk_token_id(3)
        writer.add_add_bos_token(True)
        writer.add_add_space_prefix(False)
    for name, values in _tensors(len(pieces)).items():
        writer.add_tensor(f"{name}.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _vocabulary():
    control, unknown, normal, byte = 3, 2, 1, 6
    letters = ["\u2581", *string.ascii_letters, ",", "."]
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{i:02X}>" for i in range(256)), *letters]
    return pieces, [control, control, control, unknown, *[byte] * 256, *[normal] * len(letters)]


def _tensors(vocabulary):
    rng = np.random.default_rng(0)
    tensors = {"token_embd": (vocabulary, EMBEDDING), "output_norm": (EMBEDDING,)}
    for block in range(BLOCKS):
        shapes = {
            "attn_norm": (EMBEDDING,),
            "attn_q": (HEADS * PROJECTION, EMBEDDING),
            "attn_q_norm": (PROJECTION,),
            "attn_k": (PROJECTION, EMBEDDING),
            "attn_k_norm": (PROJECTION,),
            "attn_v": (PROJECTION, EMBEDDING),
            "attn_output": (EMBEDDING, HEADS * PROJECTION),
            "post_attention_norm": (EMBEDDING,),
            "ffn_norm": (EMBEDDING,),
            "ffn_gate": (NEURONS, EMBEDDING),
            "ffn_up": (NEURONS, EMBEDDING),
            "ffn_down": (EMBEDDING, NEURONS),
            "post_ffw_norm": (EMBEDDING,),
        }
        tensors.update({f"blk.{block}.{name}": shape for name, shape in shapes.items()})
    return {
        name: rng.normal(1 if len(shape) == 1 else 0, 0.3, shape).astype(np.float32)
        for name, shape in tensors.items()
    }
