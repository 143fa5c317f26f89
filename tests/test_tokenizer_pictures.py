"""Arrays of tokens beside the texts that real tokenizers have for them."""

import io

import numpy as np
import pytest
import sentencepiece
import tokenizers
import treeview
from modeldata.models import load_tokenizer

TEXT = "the cat sat on the mat, and the cat ran"


def token_lines(tokens, tokenizer):
    rule = treeview.ArrayAutovisualizer.for_tokenizer(tokenizer)
    text = treeview.render_text(np.array(tokens), autovisualize=rule, width=10_000)
    return [line.strip() for line in text.splitlines() if line.strip().startswith("tokens")]


def expected(pieces, unknown=None):
    words = [repr(piece) for piece in pieces]
    words += [] if unknown is None else [f"<out of bounds: {unknown}>"]
    return [f"tokens: {' '.join(words)}"]


@pytest.fixture(scope="module")
def library():
    """A tokenizer of `tokenizers` that writes spaces as GPT-2 does."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT] * 4, trainer)
    return tokenizer


def test_tokenizers_write_their_vocabulary(library):
    tokens = [0, *library.encode(TEXT).ids, 1]
    pieces = [library.id_to_token(token) for token in tokens]
    assert "Ġcat" in pieces
    assert token_lines([*tokens, 10**6], library) == expected(pieces, unknown=10**6)
    assert token_lines([*tokens, -1], library) == expected(pieces, unknown=-1)


def test_the_tokenizer_of_a_folder_writes_control_tokens_too(library, tmp_path):
    library.save(str(tmp_path / "tokenizer.json"))
    settings = '{"bos_token": "<s>", "eos_token": "</s>"}'
    (tmp_path / "tokenizer_config.json").write_text(settings, "utf-8")
    tokenizer = load_tokenizer(tmp_path)
    tokens = [tokenizer.bos_id, *tokenizer.encode("the cat é")]
    pieces = [library.id_to_token(token) for token in tokens]
    assert pieces[0] == "<s>"
    assert token_lines([*tokens, 10**6], tokenizer) == expected(pieces, unknown=10**6)


def test_sentencepiece_writes_its_pieces():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([TEXT] * 20),
        model_writer=model,
        vocab_size=24,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    tokens = [1, *processor.encode(TEXT)]
    pieces = [processor.id_to_piece(token) for token in tokens]
    assert pieces[0] == "<s>"
    assert token_lines([*tokens, 10**6], processor) == expected(pieces, unknown=10**6)


@pytest.mark.reference
def test_transformers_write_their_vocabulary(library):
    transformers = pytest.importorskip("transformers")
    wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=library)
    tokens = wrapped(TEXT)["input_ids"]
    pieces = wrapped.convert_ids_to_tokens(tokens)
    assert token_lines([*tokens, 10**6], wrapped) == expected(pieces, unknown=10**6)
