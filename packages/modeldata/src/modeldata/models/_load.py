"""Loading models and tokenizers from checkpoints."""

import contextlib
import functools
import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from modeldata.models.checkpoints import (
    Checkpoint,
    GGUFCheckpoint,
    HuggingFaceFolder,
    LoadError,
    TransformersModel,
    WeightRule,
    check_tensors,
    is_transformers_model,
)
from modeldata.models.checkpoints._gguf_header import read_header
from modeldata.models.families import find_family
from modeldata.models.tokenizers import HuggingFaceTokenizer, Tokenizer, tokenizer_from_gguf
from modeldata.models.transformer import TransformerLM
from modeldata.named import NamedArray
from modeldata.variables import Parameter, bind_variables

_SOURCES = "a Hugging Face folder, a GGUF file, or a model of the transformers library"


def load(
    checkpoint: str | os.PathLike[str] | Any,
    *,
    dtype: DTypeLike = jnp.float32,
    progress: bool = True,
) -> TransformerLM:
    """Loads a language model.

    Tensors go to the default device one at a time, so on the CPU the memory in use stays near that
    of the finished model.

    Args:
        checkpoint: A GGUF file, a Hugging Face folder with safetensors files, or a causal language
            model of the transformers library. The architecture must be Gemma 3 (text).
        dtype: The type of the parameters, and of the computation; quantized weights are expanded.
        progress: Whether to show a progress bar (on standard error, with tqdm if it is installed).

    Returns:
        The model. Call it on tokens: a `NamedArray` with the axis `seq`.

    Raises:
        LoadError: If there is no such checkpoint, it is damaged, an option of it is not supported,
            or a package is missing to read it.
        TypeError: If `dtype` is not a floating type.
    """
    kind = np.dtype(dtype)
    if not jnp.issubdtype(kind, jnp.floating):
        raise TypeError(
            f"Expected `dtype` to be a floating type such as `jnp.float32`, but got `{kind}`."
        )
    opened = open_checkpoint(checkpoint)
    family = find_family(opened)
    config = family.read_config(opened, kind)
    is_huggingface = opened.naming == "huggingface"
    model = family.build_slots(
        config, json.dumps(opened.config, default=str) if is_huggingface else None
    )
    rules = family.weight_rules(config, model, opened.tensors)
    tied = config.tie_embedder_and_logits
    check_tensors(rules, opened, functools.partial(family.is_ignored, tied=tied))
    return bind_variables(model, list(_parameters(rules, opened, kind, progress=progress)))


def load_tokenizer(checkpoint: str | os.PathLike[str]) -> Tokenizer:
    """Loads the tokenizer that comes with a checkpoint.

    Args:
        checkpoint: A GGUF file, or a Hugging Face folder with a `tokenizer.json`.

    Returns:
        The tokenizer, which gives the same tokens as that of the transformers library.

    Raises:
        LoadError: If there is no such checkpoint, it is damaged, has no tokenizer or one of an
            unsupported kind, or a package is missing to run it.
    """
    if is_transformers_model(checkpoint):
        raise LoadError(
            "Expected a file or a folder with a tokenizer, but got a transformers model, which has "
            "none. Save its tokenizer with `save_pretrained` and pass that folder."
        )
    path = _existing(checkpoint)
    if path.is_dir():
        return HuggingFaceTokenizer.from_folder(path)
    return tokenizer_from_gguf(read_header(path).metadata, f"the GGUF file `{path}`")


def open_checkpoint(checkpoint: str | os.PathLike[str] | Any) -> Checkpoint:
    """Opens a checkpoint without reading its tensors.

    Args:
        checkpoint: See `load`.

    Raises:
        LoadError: If there is none, or it is damaged.
    """
    if is_transformers_model(checkpoint):
        return TransformersModel(checkpoint)
    path = _existing(checkpoint)
    return HuggingFaceFolder(path) if path.is_dir() else GGUFCheckpoint(path)


def _existing(checkpoint: Any) -> Path:
    if not isinstance(checkpoint, str | os.PathLike):
        raise LoadError(
            f"Expected {_SOURCES}, but got a `{type(checkpoint).__name__}`. Pass the path of a "
            "file or a folder."
        )
    path = Path(os.fsdecode(checkpoint)).expanduser()
    if not path.exists():
        raise LoadError(
            f"Expected {_SOURCES} at `{path}`, but there is nothing. Check the path; nothing is "
            "downloaded by name."
        )
    return path


def _parameters(
    rules: list[WeightRule], checkpoint: Checkpoint, dtype: np.dtype[Any], *, progress: bool
) -> Iterator[Parameter]:
    """Reads one parameter after another, the largest first, when most memory is free."""
    places = {rule.label: rule.place_in(checkpoint) for rule in rules}
    shapes = {label: place.named_shape for label, place in places.items()}
    sizes = {label: math.prod(shape.values()) for label, shape in shapes.items()}
    rules = sorted(rules, key=lambda rule: -sizes[rule.label])
    with _progress_bar(sum(sizes.values()), show=progress) as advance:
        for rule in rules:
            values = jax.device_put(rule.read(checkpoint, dtype))
            array = NamedArray(data_array=values, dims=tuple(shapes[rule.label]))
            yield Parameter(value=array, label=rule.label)
            advance(sizes[rule.label])


@contextlib.contextmanager
def _progress_bar(total: int, *, show: bool) -> Iterator[Callable[[int], Any]]:
    """Shows a bar of tqdm, if it is installed; gives a function that moves it on."""
    try:
        from tqdm import tqdm  # noqa: PLC0415  # optional
    except ImportError:
        yield lambda count: count
        return
    # The name of the unit stands in front of a rate: "80M weights/s".
    bar = tqdm(total=total, desc="Loading", unit=" weights", unit_scale=True, disable=not show)
    with bar:
        yield bar.update
