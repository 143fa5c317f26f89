import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import models, nx
from modeldata.variables import variable_jit

pytestmark = pytest.mark.weights

PAIRS = json.loads((Path(__file__).parent / "gemma3_270m_tokens.json").read_text())
SHORT = ["capital", "code", "german", "counting", "story", "japanese"]
LONG = "boxes"
TOLERANCE = 2e-3

run = variable_jit(lambda model, tokens, places: model(tokens, token_positions=places))


@pytest.fixture(scope="module")
def tokenizer(gemma_path):
    return models.load_tokenizer(gemma_path)


def test_texts_have_the_tokens_that_transformers_gives(tokenizer):
    assert len(PAIRS) >= 200
    found = [[text, tokenizer.encode(text)] for text, _ in PAIRS]
    assert found == PAIRS


def test_decoding_gives_the_text_back(tokenizer):
    for text, tokens in PAIRS:
        # The vocabulary writes a space as U+2581, so the two can't be told apart.
        assert tokenizer.decode(tokens) == text.replace("\u2581", " ")


def test_the_tokenizer_knows_its_special_tokens(tokenizer):
    assert (tokenizer.bos_id, tokenizer.eos_ids, tokenizer.pad_id) == (2, (1,), 0)
    assert tokenizer.vocab_size == 262_144
    assert tokenizer.piece(105) == "<start_of_turn>"
    assert tokenizer.encode("hello", add_bos=False) == tokenizer.encode("hello")[1:]


@pytest.fixture(scope="module")
def logits(gemma, gemma_numbers):
    """Logits of each prompt: the long one alone, the short ones as rows of a padded batch."""
    tokens = np.zeros((len(SHORT), 32), np.int32)
    places = np.full((len(SHORT), 32), -1, np.int32)
    texts = [gemma_numbers[f"{name}.tokens"] for name in SHORT]
    for row, text in enumerate(texts):
        tokens[row, : len(text)], places[row, : len(text)] = text, range(len(text))
    batch = run(gemma, *(nx.wrap(array, "batch", "seq") for array in (tokens, places)))
    found = dict(zip(SHORT, batch.unwrap("batch", "seq", "vocabulary"), strict=True))
    long = gemma_numbers[f"{LONG}.tokens"]
    alone = run(gemma, nx.wrap(long, "seq"), nx.arange("seq", len(long)))
    found[LONG] = alone.unwrap("seq", "vocabulary")
    return found


@pytest.mark.parametrize("name", [*SHORT, LONG])
def test_logits_are_those_of_transformers(logits, gemma_numbers, name):
    logits = logits[name][: len(gemma_numbers[f"{name}.tokens"])]
    np.testing.assert_array_equal(jnp.argmax(logits, -1), gemma_numbers[f"{name}.argmax"])
    close = {"rtol": 0, "atol": TOLERANCE}
    columns = logits[:, gemma_numbers["columns"]]
    np.testing.assert_allclose(columns, gemma_numbers[f"{name}.logits"], **close)
    total = jax.nn.logsumexp(logits, axis=-1)
    np.testing.assert_allclose(total, gemma_numbers[f"{name}.logsumexp"], **close)
    top = logits[-1, gemma_numbers[f"{name}.top_tokens"]]
    np.testing.assert_allclose(top, gemma_numbers[f"{name}.top_logits"], **close)


def test_one_prompt_goes_past_the_sliding_window(gemma_numbers):
    assert len(gemma_numbers["boxes.tokens"]) > 600


@pytest.mark.parametrize("names", [SHORT, [LONG]], ids=["short", "long"])
def test_greedy_continuations_are_those_of_transformers(gemma, gemma_numbers, names):
    prompts = [gemma_numbers[f"{name}.tokens"].tolist() for name in names]
    expected = [gemma_numbers[f"{name}.greedy"].tolist() for name in names]
    assert models.generate(gemma, prompts, max_tokens=40) == expected


def test_every_parameter_has_the_axes_that_the_settings_say(gemma):
    parameters = {p.label: p.value.named_shape for p in md.unbind_params(gemma)[1]}
    assert len(parameters) == 236
    assert parameters["transformer/block_0/attention/query.weights"] == {
        "query_heads": 4,
        "projection": 256,
        "embedding": 640,
    }
    assert sum(np.prod(list(shape.values())) for shape in parameters.values()) == 268_098_176
