import struct

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata.models import LoadError
from modeldata.models.checkpoints import GGUFCheckpoint
from modeldata.models.checkpoints._gguf_header import read_header

QUANTIZED = [Kind.F32, Kind.F16, Kind.BF16, Kind.Q4_0, Kind.Q5_0, Kind.Q8_0, Kind.Q5_1]


def write(path, tensors=None, metadata=None):
    """Writes a file with the library of llama.cpp; a tensor is values, or bytes and their kind."""
    writer = gguf.GGUFWriter(path, "gemma3")
    for key, value in (metadata or {}).items():
        if isinstance(value, list):
            writer.add_array(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_float32(key, value)
    for name, (values, kind) in (tensors or {}).items():
        writer.add_tensor(name, values, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    values = np.random.default_rng(0).normal(size=(6, 64)).astype(np.float32)
    tensors = {kind.name: (gguf.quants.quantize(values, kind), kind) for kind in QUANTIZED}
    metadata = {"words": ["a", "größe", ""], "numbers": [1, 2, 3], "text": "x", "half": 0.5}
    path = tmp_path_factory.mktemp("gguf") / "example.gguf"
    return write(path, tensors, metadata), values


def test_metadata_are_what_was_written(example):
    config = GGUFCheckpoint(example[0]).config
    assert config["general.architecture"] == "gemma3"
    assert config["words"] == ["a", "größe", ""]
    assert config["numbers"] == [1, 2, 3]
    assert (config["text"], config["half"]) == ("x", 0.5)


@pytest.mark.parametrize("kind", QUANTIZED, ids=lambda kind: kind.name)
def test_values_are_those_that_the_library_of_llama_cpp_expands(example, kind):
    path, values = example
    checkpoint = GGUFCheckpoint(path)
    expected = gguf.quants.dequantize(gguf.quants.quantize(values, kind), kind)
    found = checkpoint.read(kind.name)
    assert checkpoint.tensors[kind.name].shape == (6, 64)
    assert checkpoint.tensors[kind.name].storage == kind.name
    np.testing.assert_array_equal(found, expected.astype(np.float32))


def test_large_tensors_are_expanded_in_pieces(example, monkeypatch):
    path, values = example
    monkeypatch.setattr("modeldata.models.checkpoints._gguf._BLOCK_BYTES", 300)
    np.testing.assert_array_equal(GGUFCheckpoint(path).read("F32"), values)


def test_values_are_converted_and_lie_where_jax_can_take_them_over(example):
    path, values = example
    found = GGUFCheckpoint(path).read("F32", np.float16)
    np.testing.assert_array_equal(found, values.astype(np.float16))
    assert found.ctypes.data % 64 == 0
    assert found.flags.c_contiguous


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 3, 4)])
def test_every_shape_is_read(tmp_path, shape):
    values = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
    if shape == ():
        values = np.array([7.0], np.float32)
    path = write(tmp_path / "shape.gguf", {"x": (values, Kind.F32)})
    np.testing.assert_array_equal(GGUFCheckpoint(path).read("x"), values)


@settings(max_examples=150)
@given(data=st.data())
def test_a_file_that_is_cut_off_anywhere_is_refused(example, tmp_path_factory, data):
    whole = example[0].read_bytes()
    length = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path_factory.mktemp("cut") / "cut.gguf"
    path.write_bytes(whole[:length])
    # Behind the last tensor there is nothing but padding.
    if length < len(whole) - gguf.GGUF_DEFAULT_ALIGNMENT:
        with pytest.raises(LoadError, match=r"cut off|starts with"):
            GGUFCheckpoint(path)


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4)])
def test_a_tensor_without_values_is_read_as_such(tmp_path, shape):
    path = tmp_path / "empty.gguf"
    writer = gguf.GGUFWriter(path, "gemma3")
    writer.add_tensor("empty", np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert GGUFCheckpoint(path).read("empty").shape == shape


@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_header_gives_a_load_error_or_no_error(example, tmp_path_factory, data):
    damaged = bytearray(example[0].read_bytes())
    place = data.draw(st.integers(0, 600))
    damaged[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "damaged.gguf"
    path.write_bytes(damaged)
    try:
        checkpoint = GGUFCheckpoint(path)
        for name in checkpoint.tensors:
            checkpoint.read(name)
    except LoadError:
        pass


def broken(tmp_path, *, magic=b"GGUF", version=3, tensors=0, entries=0, rest=b""):
    path = tmp_path / "broken.gguf"
    path.write_bytes(magic + struct.pack("<IQQ", version, tensors, entries) + rest)
    return path


def text(value):
    return struct.pack("<Q", len(value)) + value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"magic": b"PK\x03\x04"}, r"starts with the bytes b'GGUF'.*starts with b'PK"),
        ({"version": 1}, "version 2 or 3, but .* says version 1. Convert it"),
        ({"version": 1 << 24}, "little-endian .* says version 16777216"),
        (
            {"entries": 1 << 60},
            "damaged or cut off: it announces 1,152,921,504,606,846,976 entries",
        ),
        (
            {"entries": 1, "rest": text(b"key") + struct.pack("<I", 99)},
            "a metadata value has the unknown type 99",
        ),
        (
            {"entries": 1, "rest": text(b"\xff\xfe") + struct.pack("<IB", 0, 1)},
            "a string is not UTF-8",
        ),
        (
            {"tensors": 1, "rest": text(b"x") + struct.pack("<I", 77)},
            "the tensor `x` has 77 axes",
        ),
        (
            {"tensors": 2, "rest": 2 * (text(b"x") + struct.pack("<IQIQ", 1, 1, 0, 0)) + bytes(64)},
            "two tensors have the same name",
        ),
        (
            {"entries": 1, "rest": text(b"general.alignment") + struct.pack("<II", 4, 0)},
            "`general.alignment` is 0",
        ),
        (
            {"tensors": 1, "rest": text(b"x") + struct.pack("<IQIQ", 1, 1, 12345, 0) + bytes(64)},
            "storage type .* the tensor `x` .* has number 12345",
        ),
        (
            {"tensors": 1, "rest": text(b"x") + struct.pack("<IQIQ", 1, 5, 8, 0) + bytes(64)},
            r"multiple of 32 values for Q8_0, but the tensor `x` .* shape \(5,\)",
        ),
        (
            {"tensors": 1, "rest": text(b"x") + struct.pack("<IQIQ", 1, 1 << 40, 0, 0)},
            "its tensors need 4,398,046,511,1.. bytes",
        ),
    ],
)
def test_damage_is_told_in_a_sentence(tmp_path, changes, message):
    with pytest.raises(LoadError, match=message):
        GGUFCheckpoint(broken(tmp_path, **changes))


def test_arrays_of_arrays_are_read_and_deep_ones_are_not(tmp_path):
    inner = struct.pack("<IQ", 0, 2) + b"\x01\x02"
    nested = struct.pack("<IIQ", 9, 9, 2) + inner + inner
    path = broken(tmp_path, entries=1, rest=text(b"key") + nested)
    assert read_header(path).metadata == {"key": [[1, 2], [1, 2]]}
    deep = struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 100
    with pytest.raises(LoadError, match="unknown type 9"):
        read_header(broken(tmp_path, entries=1, rest=text(b"key") + deep))


def test_an_unknown_tensor_is_named(example):
    with pytest.raises(LoadError, match="Expected a tensor `nothing` in the GGUF file"):
        GGUFCheckpoint(example[0]).read("nothing")


def test_a_file_that_shrinks_after_opening_is_noticed(example, tmp_path):
    path = tmp_path / "shrinking.gguf"
    path.write_bytes(example[0].read_bytes())
    checkpoint = GGUFCheckpoint(path)
    path.write_bytes(example[0].read_bytes()[:3000])
    with pytest.raises(LoadError, match=r"has changed since it was opened"):
        checkpoint.read("Q5_1")


def test_a_storage_type_that_the_library_cannot_expand_is_named(tmp_path):
    rest = text(b"x") + struct.pack("<IQIQ", 1, 4, int(Kind.I8), 0)
    path = broken(tmp_path, tensors=1, rest=rest + bytes(64))
    with pytest.raises(LoadError, match="the tensor `x` .* is stored as I8"):
        GGUFCheckpoint(path).read("x")


def test_without_the_library_the_error_says_how_to_get_it(example, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    with pytest.raises(LoadError, match=r"needs the package `gguf`.*'modeldata\[gguf\]'"):
        GGUFCheckpoint(example[0])
