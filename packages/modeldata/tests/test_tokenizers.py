import functools
import io
import json
import struct
import sys
import unicodedata

import jax.numpy as jnp
import numpy as np
import pytest
import sentencepiece
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata import models, nx
from modeldata.models import LoadError
from modeldata.models.tokenizers import HuggingFaceTokenizer, tokenizer_from_gguf

SENTENCES = [
    "the quick brown fox jumps over the lazy dog and the other dogs",
    "größere Straßen und die kleinen Häuser",
    "to be or not to be that is the question the answer is not there",
    "日本語 の テキスト 日本 語",
]
CONTROL = ["<turn>", "<end>"]
KINDS = (  # what the library calls them, and their numbers
    ("is_unknown", 2),
    ("is_control", 3),
    ("is_unused", 5),
    ("is_byte", 6),
)


@pytest.fixture(scope="module")
def trained():
    """A tokenizer that the library of SentencePiece has trained, with `<turn>` and `<end>`."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20),
        model_writer=model,
        model_type="bpe",
        vocab_size=420,
        byte_fallback=True,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        user_defined_symbols=CONTROL,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def metadata_of(library, **changes):
    """What llama.cpp writes into a GGUF file for this tokenizer."""

    def kind(token):
        if library.id_to_piece(token) in CONTROL:
            return 4
        return next((number for name, number in KINDS if getattr(library, name)(token)), 1)

    count = range(library.get_piece_size())
    metadata = {
        "model": "llama",
        "tokens": [library.id_to_piece(token) for token in count],
        "scores": [library.get_score(token) for token in count],
        "token_type": [kind(token) for token in count],
        "bos_token_id": 2,
        "eos_token_id": 1,
        "eot_token_id": library.piece_to_id("<end>"),
        "unknown_token_id": 3,
        "padding_token_id": 0,
        "add_bos_token": True,
        "add_space_prefix": False,
        **changes,
    }
    return {f"tokenizer.ggml.{k}": v for k, v in metadata.items() if v is not None}


@pytest.fixture(scope="module")
def rebuilt(trained):
    return tokenizer_from_gguf(metadata_of(trained), "the test")


@pytest.fixture(scope="module")
def from_folder(tmp_path_factory):
    """A tokenizer of single characters with control tokens, saved as transformers saves it."""
    folder = tmp_path_factory.mktemp("tokenizer")
    vocabulary = {"<bos>": 0, "<eos>": 1, "?": 2, **{c: i for i, c in enumerate("abc d", start=3)}}
    library = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, [], unk_token="?"))
    library.add_special_tokens(["<bos>", "<eos>"])
    library.decoder = tokenizers.decoders.Fuse()
    library.post_processor = tokenizers.processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", 0)]
    )
    library.save(str(folder / "tokenizer.json"))
    config = {"bos_token": {"content": "<bos>"}, "eos_token": "<eos>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


TEXTS = st.text(max_size=30) | st.lists(
    st.sampled_from(["the", " ", "  ", "dog", "<turn>", "<end>", "ö", "日本", "\n", "not"])
).map("".join)


@settings(max_examples=300)
@given(text=TEXTS)
def test_the_rebuilt_tokenizer_gives_the_tokens_of_the_trained_one(rebuilt, trained, text):
    # The library can't be given NUL, and its own unknown piece is no text to it.
    text = text.replace("\0", "").replace("<unk>", "")
    assert rebuilt.encode(text) == [2, *trained.encode(text)]


@settings(max_examples=300)
@given(text=TEXTS)
def test_decoding_is_the_inverse_of_encoding(rebuilt, text):
    text = text.replace("\u2581", " ")
    assert rebuilt.decode(rebuilt.encode(text)) == text
    assert rebuilt.decode(rebuilt.encode(text, add_bos=False)) == text


def test_control_tokens_in_a_text_become_those_tokens(rebuilt, trained):
    assert rebuilt.encode("<s>the<turn></s><unk>") == [
        *[2, 2, *trained.encode("the")],
        *[trained.piece_to_id("<turn>"), 1, 3],
    ]
    assert rebuilt.decode(rebuilt.encode("a<s>b</s>")) == "a<s>b</s>"


def test_special_tokens_are_those_of_the_file(rebuilt, trained):
    assert (rebuilt.bos_id, rebuilt.pad_id) == (2, 0)
    assert rebuilt.eos_ids == (1, trained.piece_to_id("<end>"))
    assert rebuilt.vocab_size == 420
    assert repr(rebuilt) == (
        f"SentencePieceTokenizer(vocab_size=420, bos_id=2, eos_ids={rebuilt.eos_ids}, pad_id=0, "
        "adds_bos=True)"
    )


def test_a_file_may_ask_for_no_first_token_and_for_a_space(trained):
    metadata = metadata_of(trained, add_bos_token=False, add_space_prefix=True)
    tokenizer = tokenizer_from_gguf(metadata, "the test")
    assert tokenizer.encode("dog") == trained.encode(" dog")
    assert tokenizer.encode("dog", add_bos=True) == [2, *trained.encode(" dog")]
    assert tokenizer.decode(tokenizer.encode("dog")) == "dog"


def test_runs_of_spaces_are_merged_from_short_to_long(trained):
    # Some pieces make room for runs of 2, 3 and 4 spaces, as Gemma has them.
    metadata = metadata_of(trained)
    for token, count in ((270, 2), (271, 3), (272, 4)):
        metadata["tokenizer.ggml.tokens"][token] = " " * count
        metadata["tokenizer.ggml.token_type"][token] = 4
    tokenizer = tokenizer_from_gguf(metadata, "the test")
    counts = [
        [len(tokenizer.decode([t])) for t in tokenizer.encode(" " * n, add_bos=False)]
        for n in (3, 5, 7, 8)
    ]
    # Five: pairs first, 2 2 1; then the 3 that 2 and 1 make goes before the 4 that 2 and 2 make.
    assert counts == [[3], [2, 3], [4, 3], [4, 4]]


def test_bytes_that_are_no_text_become_replacement_characters(rebuilt):
    letter = rebuilt.encode("é€", add_bos=False)
    assert rebuilt.decode([t for t in letter]) == "é€"
    byte = rebuilt.encode("\u0101", add_bos=False)
    assert len(byte) == 2
    assert rebuilt.decode([byte[0], byte[0]]) == "\ufffd\ufffd"
    assert rebuilt.decode([*rebuilt.encode("dog", add_bos=False), byte[0]]) == "dog\ufffd"


@pytest.mark.parametrize(
    "wrap", [list, tuple, iter, np.array, jnp.array, lambda ids: nx.wrap(jnp.array(ids), "seq")]
)
def test_tokens_are_decoded_from_any_sequence(rebuilt, wrap):
    assert rebuilt.decode(wrap(rebuilt.encode("the dog"))) == "the dog"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.encode(b"x"), TypeError, "`text` to be a string, but got a bytes"),
        (lambda t: t.encode(["x"]), TypeError, "got a list. Encode texts one by one"),
        (lambda t: t.encode("a\ud800"), ValueError, r"character 1 is the lone surrogate '\\ud800'"),
        (lambda t: t.decode([420]), ValueError, "tokens from 0 to 419, but got 420"),
        (lambda t: t.decode([-1]), ValueError, "but got -1.*padding"),
        (lambda t: t.decode([[1]]), ValueError, r"one axis, but got int.* \(1, 1\).*one by one"),
        (lambda t: t.decode([0.5]), ValueError, "integers along one axis, but got float"),
        (lambda t: t.piece(420), ValueError, "tokens from 0 to 419"),
    ],
)
def test_unsuitable_input_is_refused(rebuilt, call, error, message):
    with pytest.raises(error, match=message):
        call(rebuilt)


def test_a_first_token_that_does_not_exist_is_refused(trained):
    tokenizer = tokenizer_from_gguf(metadata_of(trained, bos_token_id=None), "the test")
    assert tokenizer.encode("dog") == trained.encode("dog")
    with pytest.raises(ValueError, match="`bos_id` is None. Encode without"):
        tokenizer.encode("dog", add_bos=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": None}, "a tokenizer in the metadata, but the test has none"),
        ({"model": "bert"}, "kind 'llama' .* but the test has one of the kind 'bert'"),
        ({"scores": None}, "list under the key `tokenizer.ggml.scores`, but the test has None"),
        ({"scores": [0.0]}, "for each of 420 tokens, but the test has 1 scores and 420 types"),
        ({"bos_token_id": 420}, "`tokenizer.ggml.bos_token_id` below 420, .* the test has 420"),
        ({"tokens": ["a"] * 420}, "that SentencePiece accepts, but it says: .* damaged"),
    ],
)
def test_metadata_that_describe_no_tokenizer_are_refused(trained, changes, message):
    with pytest.raises(LoadError, match=f"(?s){message}"):
        tokenizer_from_gguf(metadata_of(trained, **changes), "the test")


def test_without_the_library_the_error_says_how_to_get_it(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(LoadError, match=r"needs the package `sentencepiece`.*modeldata\[gguf\]"):
        tokenizer_from_gguf(metadata_of(trained), "the test")


def test_a_tokenizer_is_read_from_a_gguf_file_without_its_tensors(tmp_path):
    path = tmp_path / "empty.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    with pytest.raises(LoadError, match="has none .no key `tokenizer.ggml.model`."):
        models.load_tokenizer(path)


LLAMA3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_WORDS = LLAMA3_WORDS.replace("{1,3}", "")
WAYS = {"gpt-2": None, "llama-bpe": LLAMA3_WORDS, "qwen2": QWEN2_WORDS, "smollm": None}


@functools.cache
def byte_pairs(way):
    """A tokenizer over bytes that the tokenizers library has trained, with three added tokens."""
    library = tokenizers.Tokenizer(tokenizers.models.BPE())
    kinds = tokenizers.pre_tokenizers
    parts = [kinds.Digits(individual_digits=True)] if way == "smollm" else []
    if WAYS[way]:
        parts.append(kinds.Split(tokenizers.Regex(WAYS[way]), "isolated"))
    parts.append(kinds.ByteLevel(add_prefix_space=False, use_regex=not WAYS[way]))
    library.pre_tokenizer = kinds.Sequence(parts)
    library.decoder = tokenizers.decoders.ByteLevel()
    if way == "qwen2":
        library.normalizer = tokenizers.normalizers.NFC()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=kinds.ByteLevel.alphabet(), show_progress=False
    )
    library.train_from_iterator([*SENTENCES, "12 345 2024's they're   of", "\n\n  x"], trainer)
    library.add_special_tokens(["<s>", "</s>"])
    library.add_tokens(["<tool>"])
    if way == "llama-bpe":
        library.post_processor = tokenizers.processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", library.token_to_id("<s>"))]
        )
    return library


def byte_pair_metadata(way, **changes):
    library = byte_pairs(way)
    pieces = [library.id_to_token(number) for number in range(library.get_vocab_size())]
    merges = json.loads(library.to_str())["model"]["merges"]
    metadata = {
        "model": "gpt2",
        "pre": way,
        "tokens": pieces,
        "token_type": [{"<s>": 3, "</s>": 3, "<tool>": 4}.get(piece, 1) for piece in pieces],
        "merges": [" ".join(merge) for merge in merges],
        "bos_token_id": library.token_to_id("<s>"),
        "eos_token_id": library.token_to_id("</s>"),
        **changes,
    }
    return {f"tokenizer.ggml.{k}": v for k, v in metadata.items() if v is not None}


@pytest.mark.parametrize("way", WAYS)
def test_tokenizers_over_bytes_give_the_tokens_of_the_trained_one(way):
    tokenizer = tokenizer_from_gguf(byte_pair_metadata(way), "the test")
    library = byte_pairs(way)
    assert tokenizer.vocab_size == library.get_vocab_size()
    assert tokenizer.adds_bos == (way == "llama-bpe")
    assert tokenizer.eos_ids == (library.token_to_id("</s>"),)

    @settings(max_examples=40)
    @given(text=TEXTS | st.lists(st.sampled_from(WORDS)).map("".join))
    def check(text):
        tokens = tokenizer.encode(text)
        assert tokens == library.encode(text).ids
        composed = unicodedata.normalize("NFC", text) if way == "qwen2" else text
        assert tokenizer.decode(tokens) == composed

    check()


WORDS = ["they're", " 2024", "007", "\n\n", "\r\n ", "<s>", "</s>", "<tool>", "A\u030a", "🙂", " /"]


def test_a_file_over_bytes_may_frame_texts():
    ends = {"add_bos_token": True, "add_eos_token": True}
    tokenizer = tokenizer_from_gguf(byte_pair_metadata("gpt-2", **ends), "the test")
    first, *_, last = tokenizer.encode("the dog")
    assert (first, (last,)) == (tokenizer.bos_id, tokenizer.eos_ids)
    assert tokenizer.decode(tokenizer.encode("the dog")) == "the dog"
    plain = tokenizer_from_gguf(byte_pair_metadata("llama-bpe", add_bos_token=False), "the test")
    assert not plain.adds_bos


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pre": "tekken"}, r"cut texts that is known \('gpt-2', .*\), but the test has 'tekken'"),
        ({"pre": None}, "`tokenizer.ggml.pre` to name a way .* but the test has None. Load"),
        ({"merges": ["a b", "qqq x"]}, "merges of two pieces .* says: .* the test is damaged"),
        ({"merges": None}, "list under the key `tokenizer.ggml.merges`, but the test has None"),
        ({"token_type": [1]}, "a type for each of .* tokens, but the test has 1 types"),
    ],
)
def test_metadata_that_describe_no_tokenizer_over_bytes_are_refused(changes, message):
    with pytest.raises(LoadError, match=message):
        tokenizer_from_gguf(byte_pair_metadata("gpt-2", **changes), "the test")


def test_a_folder_has_the_tokens_of_the_tokenizers_library(from_folder):
    tokenizer = models.load_tokenizer(from_folder)
    assert isinstance(tokenizer, HuggingFaceTokenizer)
    assert tokenizer.encode("a b<eos>") == [0, 3, 6, 4, 1]
    assert tokenizer.encode("ab", add_bos=False) == [3, 4]
    assert tokenizer.decode([0, 3, 6, 4, 1]) == "a b<eos>"
    assert tokenizer.piece(5) == "c"
    assert (tokenizer.bos_id, tokenizer.eos_ids, tokenizer.pad_id) == (0, (1,), None)


def test_tokens_that_end_a_text_come_from_the_generation_config(from_folder, tmp_path):
    for file in from_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [1, 5]}')
    assert models.load_tokenizer(tmp_path).eos_ids == (1, 5)


def test_a_folder_without_a_sound_tokenizer_is_refused(from_folder, tmp_path):
    with pytest.raises(LoadError, match="Expected the file `tokenizer.json` in the Hugging Face"):
        models.load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(LoadError, match="the package `tokenizers` says"):
        models.load_tokenizer(tmp_path)
    settings_ = json.loads((from_folder / "tokenizer.json").read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps(settings_))
    with pytest.raises(LoadError, match=r"turns an empty text into \[0\], and `bos_token` is None"):
        models.load_tokenizer(tmp_path)


def test_tokenizers_of_encoders_frame_a_text_and_leave_padding_to_others(tmp_path):
    words = {"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "[UNK]": 3, "data": 4, "model": 5}
    library = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    library.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    library.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    library.enable_padding(length=9)
    library.enable_truncation(3)
    library.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"})
    )
    tokenizer = models.load_tokenizer(tmp_path)
    assert (tokenizer.bos_id, tokenizer.eos_ids, tokenizer.closing_ids) == (1, (2,), (2,))
    assert tokenizer.encode("model data model") == [1, 5, 4, 5, 2]
    assert tokenizer.encode("model", add_bos=False) == [5]
    assert tokenizer.decode([1, 5, 4, 2]) == "model data"
