import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeldata import models

pytestmark = [pytest.mark.reference, pytest.mark.weights]


@pytest.fixture(scope="module")
def transformers():
    return pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def their_tokenizer(transformers, gemma_path):
    return transformers.AutoTokenizer.from_pretrained(gemma_path.parent, gguf_file=gemma_path.name)


@pytest.fixture(scope="module")
def our_tokenizer(gemma_path):
    return models.load_tokenizer(gemma_path)


PARTS = st.sampled_from(
    ["a", " ", "  ", "\n", "\t", "é", "日本", "😀", "<bos>", "<unk>", "<", "unused", "5>", "ing"]
    + [" the", "0", "<h1>", "\r", "[multimodal]", "<0x0A>", "ﷺ", "\u200d", " " * 20]
)
TEXTS = st.lists(PARTS | st.text(max_size=3)).map("".join)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXTS)
def test_any_text_has_the_tokens_that_transformers_gives(our_tokenizer, their_tokenizer, text):
    tokens = our_tokenizer.encode(text)
    assert tokens == their_tokenizer.encode(text)
    assert our_tokenizer.decode(tokens) == their_tokenizer.decode(tokens).removeprefix("<bos>")


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(tokens=st.lists(st.integers(238, 493) | st.integers(3, 262_143)))
def test_any_tokens_have_the_text_that_transformers_gives(our_tokenizer, their_tokenizer, tokens):
    assert our_tokenizer.decode(tokens) == their_tokenizer.decode(tokens)


def test_a_saved_tokenizer_gives_the_same_tokens(our_tokenizer, their_tokenizer, tmp_path):
    their_tokenizer.save_pretrained(tmp_path)
    from_folder = models.load_tokenizer(tmp_path)
    for text in ["Hello  world", "<start_of_turn>user\nHi<end_of_turn>", "größer 日本語 😀", ""]:
        assert from_folder.encode(text) == our_tokenizer.encode(text)
        assert from_folder.decode(from_folder.encode(text)) == text


def test_parameters_are_those_that_transformers_reads(transformers, gemma, gemma_path):
    torch = pytest.importorskip("torch")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        gemma_path.parent, gguf_file=gemma_path.name, dtype=torch.float32
    )
    from_memory = models.load(theirs, progress=False)
    for ours, other in zip(*(unbound(m) for m in (gemma, from_memory)), strict=True):
        assert ours.label == other.label
        np.testing.assert_allclose(ours.value.data_array, other.value.data_array, atol=1e-6)


def unbound(model):
    from modeldata.variables import unbind_params

    return unbind_params(model)[1]
