"""Models of random settings, all ways of running them, against transformers.

Each number draws settings of a family: sizes, odd numbers of heads, biases, windows shorter than
the text, rotary embeddings, soft caps, experts. `RANDOM_MODELS=20` tries twenty of each family.
"""

import os
import random

import jax.numpy as jnp
import modeldata as md
import numpy as np
import pytest
from modeldata import models, nx
from modeldata.models.transformer import KVCachingTransformerLM

pytestmark = pytest.mark.reference

VOCABULARY, LENGTH, STEPS = 50, 12, 6
NUMBERS = range(int(os.environ.get("RANDOM_MODELS", "1")))
KINDS = ("sliding_attention", "full_attention")


def rope(draw):
    found = {"rope_theta": draw.choice([10.0, 1e4, 5e5])}
    kind = draw.choice(["default", "linear", "llama3", "yarn"])
    length = {"original_max_position_embeddings": draw.choice([8, 64])}
    options = {
        "default": {},
        "linear": {"factor": 4.0},
        "llama3": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, **length},
        "yarn": {"factor": draw.choice([2.0, 4.0]), "truncate": draw.random() < 0.5, **length},
    }
    return {"rope_type": kind, **found, **options[kind]}


def windows(draw, layers):
    kinds = [draw.choice(KINDS) for _ in range(layers)]
    return {"sliding_window": draw.choice([2, 3, 5, 20]), "layer_types": kinds}


def flag(draw):
    return draw.random() < 0.5


def settings_of(family, draw):
    """Draws settings of a family."""
    keys, groups = draw.choice([1, 1, 2, 3, 5]), draw.choice([1, 1, 2, 3])
    heads, head_dim, layers = keys * groups, draw.choice([4, 8]), draw.choice([1, 2, 3, 4])
    if family == "GPT2":
        return {
            "vocab_size": VOCABULARY,
            "n_embd": head_dim * heads,
            "n_head": heads,
            "n_layer": layers,
            "n_positions": 40,
            "activation_function": draw.choice(["gelu_new", "gelu", "relu"]),
            "tie_word_embeddings": flag(draw),
            "scale_attn_by_inverse_layer_idx": flag(draw),
        }
    found = {
        "vocab_size": VOCABULARY,
        # transformers multiplies experts in groups only in multiples of four.
        "intermediate_size": draw.choice([8, 24]),
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": keys,
        "max_position_embeddings": 512,
        "tie_word_embeddings": flag(draw),
        "hidden_size": head_dim * heads,
        "rope_parameters": rope(draw),
    }
    if family in {
        "Llama",
        "Mistral",
        "Mixtral",
        "Qwen3",
        "Gemma",
        "Gemma2",
        "Gemma3Text",
        "GptOss",
    }:
        found |= {"head_dim": head_dim, "hidden_size": heads * draw.choice([4, 12])}
    own = {
        "Llama": lambda: {
            "attention_bias": flag(draw),
            "mlp_bias": flag(draw),
            "hidden_act": draw.choice(["silu", "gelu", "relu"]),
        },
        "Mistral": lambda: {"sliding_window": draw.choice([None, 2, 5])},
        "Mixtral": lambda: {"sliding_window": draw.choice([None, 3]), **experts(draw)},
        "Qwen2": lambda: switched_windows(draw),
        "Qwen3": lambda: {**switched_windows(draw), "attention_bias": flag(draw)},
        "Gemma2": lambda: {
            **windows(draw, layers),
            "query_pre_attn_scalar": draw.choice([7, 256]),
            "attn_logit_softcapping": draw.choice([None, 2.0]),
        },
        "Gemma3Text": lambda: {
            **windows(draw, layers),
            "query_pre_attn_scalar": draw.choice([7, 256]),
            "rope_parameters": {
                "full_attention": rope(draw),
                "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
            },
        },
        "Phi3": lambda: {
            "sliding_window": draw.choice([None, 3]),
            "hidden_size": 8 * heads,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e4,
                "partial_rotary_factor": draw.choice([0.5, 1.0]),
            },
        },
        "Olmo2": lambda: {"attention_bias": flag(draw)},
        "GptOss": lambda: {**windows(draw, layers), **experts(draw), "attention_bias": flag(draw)},
        "GPTNeoX": lambda: {
            "use_parallel_residual": flag(draw),
            "attention_bias": flag(draw),
            "hidden_size": 8 * heads,
            "rope_parameters": {**rope(draw), "partial_rotary_factor": draw.choice([0.25, 0.5])},
        },
    }
    found |= own.get(family, dict)()
    if family == "GPTNeoX":
        del found["num_key_value_heads"]
    return found


def switched_windows(draw):
    switch = {"use_sliding_window": flag(draw), "max_window_layers": draw.choice([1, 2])}
    return {**switch, "sliding_window": 4}


def experts(draw):
    count = draw.choice([1, 2, 5])
    return {"num_local_experts": count, "num_experts_per_tok": draw.randint(1, count)}


FAMILIES = ["Llama", "Mistral", "Mixtral", "Qwen2", "Qwen3", "Gemma", "Gemma2", "Gemma3Text"]
FAMILIES += ["Phi3", "Olmo2", "GptOss", "GPTNeoX", "GPT2"]
run = md.variable_jit(lambda model, tokens, places: model(tokens, token_positions=places))


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_random_models_run_in_all_ways_as_those_of_transformers(
    transformers, torch, family, number, tmp_path
):
    draw = random.Random(f"{family} {number}")
    ids = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"))
    config = getattr(transformers, f"{family}Config")(
        **settings_of(family, draw), **ids, attn_implementation="eager"
    )
    torch.manual_seed(number)
    theirs = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_(std=0.3)
    ours = models.load(theirs, progress=False)

    rows = np.random.default_rng(number).integers(0, VOCABULARY, (3, LENGTH))
    right, left = draw.randint(1, LENGTH), draw.randint(1, LENGTH)
    prompts = [rows[0], rows[1, :right], rows[2, :left]]
    expected = [logits_of(torch, theirs, prompt) for prompt in prompts]
    tokens, places = rows.copy(), np.full(rows.shape, -1)
    places[0], places[1, :right], places[2, -left:] = range(LENGTH), range(right), range(left)
    tokens[2, -left:] = rows[2, :left]
    inputs = [nx.wrap(jnp.asarray(array), "batch", "seq") for array in (tokens, places)]
    for model in (ours, *stacked(ours)):
        found = run(model, *inputs).unwrap("batch", "seq", "vocabulary")
        for mine, wanted in zip(
            (found[0], found[1, :right], found[2, -left:]), expected, strict=True
        ):
            assert_close(mine, wanted)

    last = [ours, *stacked(ours)][-1]
    cached = KVCachingTransformerLM.from_uncached(last, cache_len=LENGTH + draw.choice([0, 3]))
    row = nx.wrap(jnp.asarray(rows[0]), "seq")
    cuts = [slice(0, 7), slice(7, 8), slice(8, 9), slice(9, LENGTH)]
    pieces = nx.concatenate([cached(row[{"seq": cut}]) for cut in cuts], "seq")
    assert_close(pieces.unwrap("seq", "vocabulary"), expected[0])

    texts = models.generate(last, [prompt.tolist() for prompt in prompts], max_tokens=STEPS)
    assert texts == [continuation(torch, theirs, prompt) for prompt in prompts]

    models.save(ours, tmp_path / "theirs")
    again = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / "theirs", attn_implementation="eager"
    )
    assert_close(logits_of(torch, again, rows[0]), expected[0])
    models.save_tree(ours, tmp_path / "tree")
    assert md.freeze_variables(models.load_tree(tmp_path / "tree")) == md.freeze_variables(ours)


def stacked(model):
    try:
        return [models.stack_blocks(model)]
    except ValueError:  # blocks that do not repeat
        return []


def logits_of(torch, model, tokens):
    with torch.no_grad():
        return model(torch.from_numpy(tokens)[None]).logits[0].numpy()


def continuation(torch, model, prompt):
    ids = torch.from_numpy(prompt)[None]
    found = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        min_new_tokens=STEPS,
        max_new_tokens=STEPS,
        pad_token_id=0,
    )
    return found[0, len(prompt) :].tolist()
