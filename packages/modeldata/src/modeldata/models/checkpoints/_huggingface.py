"""Checkpoints of Hugging Face: a folder of safetensors files, or a model in memory."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from modeldata.models.checkpoints._base import Checkpoint, TensorInfo, aligned_empty
from modeldata.models.checkpoints._errors import LoadError, import_extra

_CONFIG = "config.json"
_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"


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
    """A folder with `config.json` and the weights in safetensors files.

    Attributes:
        path: The folder.
    """

    naming = "huggingface"

    def __init__(self, path: Path) -> None:
        """Opens a folder and the headers of its weight files.

        Args:
            path: An existing folder.

        Raises:
            LoadError: If a file is missing or damaged, or the package `safetensors` is missing.
        """
        self.path = path
        self.source = f"the Hugging Face folder `{path}`"
        self.config = read_json(path / _CONFIG)
        self.architecture = str(self.config.get("model_type", ""))
        self._library: Any = import_extra("safetensors", "hf", "Reading a Hugging Face folder")
        self._files: dict[str, Any] = {}
        self._tensors: dict[str, Any] = {}
        self.tensors = {}
        for name, file in self._locations().items():
            part = self._open(file).get_slice(name)
            shape, kind = tuple(part.get_shape()), part.get_dtype()
            self.tensors[name] = TensorInfo(shape, kind, _stored_bytes(shape, kind))

    def read(self, name: str, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Reads one tensor; see `Checkpoint.read`."""
        if name not in self._tensors:
            raise LoadError(
                f"Expected a tensor `{name}` in {self.source}, which has none of this name."
            )
        values = aligned_empty(self.tensors[name].shape, dtype)
        values[...] = self._open(self._tensors[name]).get_tensor(name)
        return values

    def _locations(self) -> dict[str, str]:
        """Which file holds each tensor."""
        if (self.path / _INDEX).exists():
            index = read_json(self.path / _INDEX).get("weight_map")
            if not isinstance(index, dict):
                raise LoadError(
                    f"Expected a `weight_map` in `{self.path / _INDEX}`, but there is none. The "
                    "file is damaged; fetch it again."
                )
            self._tensors = index
        elif (self.path / _SINGLE).exists():
            self._tensors = dict.fromkeys(self._open(_SINGLE).keys(), _SINGLE)
        else:
            raise LoadError(
                f"Expected `{_SINGLE}` or `{_INDEX}` in {self.source}, which has neither. Weights "
                "in the older `.bin` files are not read; save the model again with "
                "`save_pretrained`."
            )
        return self._tensors

    def _open(self, file: str) -> Any:
        if file not in self._files:
            path = self.path / file
            if not path.exists():
                raise LoadError(
                    f"Expected the file `{file}` that the index names in {self.source}, which has "
                    "none of this name. Fetch the missing part."
                )
            try:
                self._files[file] = self._library.safe_open(path, framework="np")
            except self._library.SafetensorError as error:
                raise LoadError(
                    f"The safetensors file `{path}` is damaged or cut off: {error}. Fetch it again."
                ) from error
        return self._files[file]


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
        self.tensors = {
            name: TensorInfo(
                tuple(tensor.shape),
                str(tensor.dtype).removeprefix("torch."),
                tensor.numel() * tensor.element_size(),
            )
            for name, tensor in self._state.items()
        }

    def read(self, name: str, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Reads one tensor; see `Checkpoint.read`."""
        if name not in self._state:
            raise LoadError(
                f"Expected a tensor `{name}` in {self.source}, which has none of this name."
            )
        values = aligned_empty(self.tensors[name].shape, dtype)
        values[...] = self._state[name].detach().cpu().float().numpy()
        return values


def is_transformers_model(value: Any) -> bool:
    """Returns whether this looks like a model of transformers, without importing that library.

    Args:
        value: Anything.
    """
    return hasattr(value, "state_dict") and hasattr(getattr(value, "config", None), "to_dict")


def _stored_bytes(shape: tuple[int, ...], kind: str) -> int:
    bits = int("".join(filter(str.isdigit, kind.split("_", maxsplit=1)[0])) or 8)
    return int(np.prod(shape, dtype=np.int64)) * bits // 8
