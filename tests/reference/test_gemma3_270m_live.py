import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeldata import models, nx
from modeldata.variables import variable_jit

pytestmark = [pytest.mark.reference, pytest.mark.weights]


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


@pytest.fixture(scope="module")
def their_model(transformers, gemma_path):
    torch = pytest.importorskip("torch")
    return transformers.AutoModelForCausalLM.from_pretrained(
        gemma_path.parent,
        gguf_file=gemma_path.name,
        dtype=torch.float32,
        attn_implementation="eager",
    ).eval()


def test_parameters_are_those_that_transformers_reads(gemma, their_model):
    from_memory = models.load(their_model, progress=False)
    for ours, other in zip(*(unbound(m) for m in (gemma, from_memory)), strict=True):
        assert ours.label == other.label
        np.testing.assert_allclose(ours.value.data_array, other.value.data_array, atol=1e-6)


STARTS = [
    "The history of the printing press begins",
    "To bake a loaf of bread, you first",
    "Photosynthesis is the process by which",
    "The main difference between a list and a tuple in Python is",
    "Dear Sir or Madam,\n\nI am writing to",
    "import numpy as np\n\ndef softmax(x):\n",
    "SELECT name, COUNT(*) FROM orders",
    "# Installation\n\n1. Clone the repository",
    "Es war einmal ein König, der",
    "La capitale de l'Italie est",
    "El océano Pacífico es",
    "吾輩は猫である。",
    "2, 4, 8, 16, 32,",
    "Q: What is the boiling point of water?\nA:",
    "The three laws of thermodynamics state that",
    "In the year 2050, cities will",
    '{"name": "Alice", "age": 30, "city":',
    "Roses are red, violets are blue,",
    "The patient was admitted with a fever and",
    "Kangaroos live in",
]
STEPS = 64


@pytest.fixture(scope="module")
def prompts(our_tokenizer):
    assert len(STARTS) == 20
    return [our_tokenizer.encode(text) for text in STARTS]


@pytest.fixture(scope="module")
def texts(gemma, prompts):
    return models.generate(gemma, prompts, max_tokens=STEPS)


def test_greedy_texts_of_64_tokens_are_those_of_transformers(their_model, prompts, texts):
    torch = pytest.importorskip("torch")
    longest = max(map(len, prompts))
    padded = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
    theirs = their_model.generate(
        torch.tensor(padded),
        attention_mask=torch.tensor([[token > 0 for token in row] for row in padded]).long(),
        do_sample=False,
        min_new_tokens=STEPS,
        max_new_tokens=STEPS,
    )[:, longest:].tolist()
    # The minimum kept transformers from choosing the end of the text.
    ended = [row.index(1) if 1 in row else STEPS for row in texts]
    assert min(ended) > 0
    cut = [(mine[:end], row[:end]) for mine, row, end in zip(texts, theirs, ended, strict=True)]
    assert [mine for mine, _ in cut] == [row for _, row in cut]


def test_texts_of_ragged_prompts_are_those_of_each_alone(gemma, prompts, texts):
    chosen = range(0, len(prompts), 5)
    assert len({len(prompts[number]) for number in chosen}) > 2
    for number in chosen:
        assert models.generate(gemma, prompts[number], max_tokens=STEPS) == texts[number]


PASSAGE = """\
A lighthouse is a tower that sends out light, so that sailors know at night where the coast is. \
The first ones were hills on which fires burned. Later the fires stood on towers of stone, the most \
famous of which was built at Alexandria about 280 BC; it was more than a hundred metres high, and \
earthquakes brought it down some fifteen hundred years later. In 1822 Augustin Fresnel invented a \
lens of many rings of glass, which gathers nearly all the light of a lamp into one beam. With it, a \
lamp can be seen thirty kilometres away. Today most lighthouses work without keepers, and ships \
find their way by satellite; but a light needs no receiver, and nobody has switched them all off.
"""


def test_the_perplexity_of_a_text_is_that_of_transformers(gemma, their_model, our_tokenizer):
    torch = pytest.importorskip("torch")
    tokens = our_tokenizer.encode(PASSAGE)
    assert len(tokens) > 150
    with torch.no_grad():
        loss = their_model(torch.tensor([tokens]), labels=torch.tensor([tokens])).loss
    logits = variable_jit(lambda model, text: model(text))(gemma, nx.wrap(jnp.array(tokens), "seq"))
    chances = jax.nn.log_softmax(logits.unwrap("seq", "vocabulary"), axis=-1)
    found = -jnp.mean(chances[jnp.arange(len(tokens) - 1), jnp.array(tokens[1:])])
    assert 5 < np.exp(found) < 100
    assert np.exp(found) == pytest.approx(np.exp(loss.item()), rel=1e-4)


def unbound(model):
    from modeldata.variables import unbind_params

    return unbind_params(model)[1]
