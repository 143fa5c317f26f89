"""Checkpoints of Hugging Face: a folder of safetensors files, or a model in memory."""

import contextlib
import json
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from modeldata.models.checkpoints._base import Checkpoint, TensorInfo, aligned_empty
from modeldata.models.checkpoints._errors import LoadError, import_extra

_CONFIG = "config.json"
# Where weights may be, the first that is there: a list of files, or a single file.
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
# A file that is mapped into memory is mapped anew after so many bytes were read.
_MOST_MAPPED_BYTES = 2**25


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object from a file.

    Args:
        path: The file.

    Raises:
        LoadError: If it is missing, or holds anything else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LoadError(
            f"Expected the file `{path.name}` in the Hugging Face folder `{path.parent}`, which "
            "has none of this name. Pass the folder that `save_pretrained` or a download made."
        ) from error
    except ValueError as error:
        raise LoadError(f"The file `{path}` is damaged: {error}. Fetch it again.") from error
    if not isinstance(value, dict):
        raise LoadError(
            f"Expected a JSON object in `{path}`, but it holds a {type(value).__name__}. Fetch it "
            "again."
        )
    return value


class HuggingFaceFolder(Checkpoint):
    """A folder with `config.json` and the weights in files of safetensors or of PyTorch.

    Attributes:
        path: The folder.
    """

    naming = "huggingface"

    def __init__(self, path: Path) -> None:
        """Opens a folder and the headers of its weight files.

        Args:
            path: An existing folder.

        Raises:
            LoadError: If a file is missing or damaged, or the package `safetensors` (for older
                files `torch`) is missing.
        """
        self.path = path
        self.source = f"the Hugging Face folder `{path}`"
        self.config = read_json(path / _CONFIG)
        self.architecture = str(self.config.get("model_type", ""))
        self._files: dict[str, _WeightFile] = {}
        self._locations = self._find_tensors()
        self.tensors = {name: self._open(file).info(name) for name, file in self._locations.items()}

    def read(self, name: str, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Reads one tensor; see `Checkpoint.read`."""
        if name not in self._locations:
            raise LoadError(
                f"Expected a tensor `{name}` in {self.source}, which has none of this name."
            )
        values = aligned_empty(self.tensors[name].shape, dtype)
        values[...] = self._open(self._locations[name]).values(name)
        return values

    def _find_tensors(self) -> dict[str, str]:
        """Which file holds each tensor."""
        for single in _WEIGHTS:
            index_file = self.path / f"{single}.index.json"
            if index_file.exists():
                index = read_json(index_file).get("weight_map")
                if not isinstance(index, dict):
                    raise LoadError(
                        f"Expected a `weight_map` in `{index_file}`, but there is none. The file "
                        "is damaged; fetch it again."
                    )
                return index
            if (self.path / single).exists():
                return dict.fromkeys(self._open(single).names, single)
        raise LoadError(
            f"Expected `{_WEIGHTS[0]}` or `{_WEIGHTS[0]}.index.json` in {self.source}, which has "
            f"neither, nor `{_WEIGHTS[1]}`. Save the model again with `save_pretrained`."
        )

    def _open(self, file: str) -> "_WeightFile":
        if file not in self._files:
            path = self.path / file
            if not path.exists():
                raise LoadError(
                    f"Expected the file `{file}` that the index names in {self.source}, which has "
                    "none of this name. Fetch the missing part."
                )
            kind = _TorchFile if file.endswith(".bin") else _SafetensorsFile
            self._files[file] = kind(path)
        return self._files[file]


class _SafetensorsFile:
    """Tensors in a file of safetensors, read one at a time.

    The file is mapped into memory, and what was read of it counts as memory of the process until it
    is closed. So it is opened for each tensor anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._library: Any = import_extra("safetensors", "hf", "Reading a Hugging Face folder")
        with self._opened() as file:
            self._infos = {name: _info_of_slice(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118  # no mapping
        self.names = list(self._infos)

    def info(self, name: str) -> TensorInfo:
        return self._infos[name]

    def values(self, name: str) -> np.ndarray:
        with self._opened() as file:
            return file.get_tensor(name)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            with self._library.safe_open(self._path, framework="np") as file:
                yield file
        except self._library.SafetensorError as error:
            raise LoadError(
                f"The safetensors file `{self._path}` is damaged or cut off: {error}. Fetch it "
                "again."
            ) from error


class _TorchFile:
    """Tensors in a file of `torch.save`, mapped into memory; no code in it is run.

    What was read of a mapped file counts as memory of the process, so now and then it is mapped
    anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Files of the oldest format cannot be mapped.
        self._is_mapped = zipfile.is_zipfile(path)
        self._state = self._load()
        self._bytes_read = 0
        self.names = list(self._state)

    def info(self, name: str) -> TensorInfo:
        return _info_of(self._state[name])

    def values(self, name: str) -> np.ndarray:
        if self._is_mapped and self._bytes_read > _MOST_MAPPED_BYTES:
            self._state, self._bytes_read = self._load(), 0
        self._bytes_read += self.info(name).stored_bytes
        return _values_of(self._state[name])

    def _load(self) -> dict[str, Any]:
        torch: Any = import_extra("torch", "hf", "Reading weights in a `.bin` file")
        options: dict[str, Any] = {"map_location": "cpu", "weights_only": True}
        try:
            state = torch.load(self._path, mmap=self._is_mapped, **options)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise LoadError(
                f"The file `{self._path}` is damaged, or holds more than tensors: {error}. Fetch "
                "it again, or save the model as safetensors."
            ) from error
        return {k: v for k, v in state.items() if hasattr(v, "untyped_storage")}


_WeightFile = _SafetensorsFile | _TorchFile


class TransformersModel(Checkpoint):
    """A model of the transformers library, in memory.

    Its values are copied: neither model changes when the other does.
    """

    naming = "huggingface"

    def __init__(self, model: Any) -> None:
        """Wraps a model.

        Args:
            model: A causal language model of transformers.
        """
        self.source = f"the transformers model `{type(model).__name__}`"
        self.config = model.config.to_dict()
        self.architecture = str(self.config.get("model_type", ""))
        self._state: dict[str, Any] = model.state_dict()
        self.tensors = {name: _info_of(tensor) for name, tensor in self._state.items()}

    def read(self, name: str, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Reads one tensor; see `Checkpoint.read`."""
        if name not in self._state:
            raise LoadError(
                f"Expected a tensor `{name}` in {self.source}, which has none of this name."
            )
        values = aligned_empty(self.tensors[name].shape, dtype)
        values[...] = _values_of(self._state[name])
        return values


def is_transformers_model(value: Any) -> bool:
    """Returns whether this looks like a model of transformers, without importing that library.

    Args:
        value: Anything.
    """
    return hasattr(value, "state_dict") and hasattr(getattr(value, "config", None), "to_dict")


def _info_of(tensor: Any) -> TensorInfo:
    """What is known of a tensor of PyTorch."""
    return TensorInfo(
        tuple(tensor.shape),
        str(tensor.dtype).removeprefix("torch."),
        tensor.numel() * tensor.element_size(),
    )


def _values_of(tensor: Any) -> np.ndarray:
    """The values of a tensor of PyTorch, without a copy where it holds float32 in main memory."""
    return tensor.detach().cpu().float().numpy()


def _info_of_slice(part: Any) -> TensorInfo:
    """What is known of a tensor of safetensors."""
    shape, kind = tuple(part.get_shape()), part.get_dtype()
    return TensorInfo(shape, kind, _stored_bytes(shape, kind))


def _stored_bytes(shape: tuple[int, ...], kind: str) -> int:
    bits = int("".join(filter(str.isdigit, kind.split("_", maxsplit=1)[0])) or 8)
    return int(np.prod(shape, dtype=np.int64)) * bits // 8
