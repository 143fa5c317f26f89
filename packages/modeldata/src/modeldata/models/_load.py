"""Loading models and tokenizers from checkpoints."""

import contextlib
import functools
import json
import math
import os
from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from modeldata.models._archive import TREE_FILE
from modeldata.models.checkpoints import (
    Checkpoint,
    ExpandedCheckpoint,
    GGUFCheckpoint,
    HuggingFaceFolder,
    LoadError,
    TransformersModel,
    WeightRule,
    check_tensors,
    is_mxfp4,
    is_transformers_model,
)
from modeldata.models.checkpoints._gguf_header import read_header
from modeldata.models.families import find_family
from modeldata.models.tokenizers import HuggingFaceTokenizer, Tokenizer, tokenizer_from_gguf
from modeldata.named import NamedArray
from modeldata.variables import Parameter, bind_variables

_SOURCES = "a Hugging Face folder, a GGUF file, or a model of the transformers library"


def load(
    checkpoint: str | os.PathLike[str] | Any,
    *,
    dtype: DTypeLike = jnp.float32,
    progress: bool = True,
    mesh: jax.sharding.Mesh | None = None,
    axis_name_to_mesh_name: Mapping[Hashable, str | tuple[str, ...]] | None = None,
) -> Any:
    """Loads a language model, or an encoder.

    Tensors go to their devices one at a time, so on the CPU the memory in use stays near that of
    the finished model.

    Args:
        checkpoint: A Hugging Face folder with weights in files of safetensors or PyTorch, a causal
            language model or an encoder of the transformers library, or a GGUF file of a Llama,
            Qwen or Gemma 3.
        dtype: The type of the parameters, and of the computation; quantized weights are expanded.
        progress: Whether to show a progress bar (on standard error, with tqdm if it is installed).
        mesh: The devices to spread parameters over. Left out, all go to the default device.
        axis_name_to_mesh_name: Which axes of parameters, such as `neurons`, are spread over which
            axes of the mesh. Left out, those that have the same name.

    Returns:
        The model: a `TransformerLM`, or for BERT a `TransformerEncoder`. Call it on tokens: a
        `NamedArray` with the axis `seq`.

    Raises:
        LoadError: If there is no such checkpoint, it is damaged, an option of it is not supported,
            or a package is missing to read it.
        TypeError: If `dtype` is not a floating type.
        ValueError: If parameters cannot be spread over the mesh as told.
    """
    kind = np.dtype(dtype)
    if not jnp.issubdtype(kind, jnp.floating):
        raise TypeError(
            f"Expected `dtype` to be a floating type such as `jnp.float32`, but got `{kind}`."
        )
    opened = open_checkpoint(checkpoint)
    family = find_family(opened)
    opened = family.with_common_names(opened)
    config = family.read_config(opened, kind)
    model = family.build_slots(config, json.dumps(opened.config, default=str))
    rules = family.weight_rules(config, model, opened.tensors)
    tied = config.tie_embedder_and_logits
    check_tensors(rules, opened, functools.partial(family.is_ignored, tied=tied))
    shapes = {rule.label: rule.place_in(opened).named_shape for rule in rules}
    placements = _placements(shapes, mesh, axis_name_to_mesh_name)
    return bind_variables(
        model, list(_parameters(rules, opened, kind, placements, progress=progress))
    )


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
    if (path / TREE_FILE).is_file() and not (path / "config.json").exists():
        raise LoadError(
            f"Expected {_SOURCES}, but `{path}` holds a tree that `save_tree` has written. Load it "
            "with `models.load_tree`."
        )
    opened = HuggingFaceFolder(path) if path.is_dir() else GGUFCheckpoint(path)
    return ExpandedCheckpoint(opened) if is_mxfp4(opened) else opened


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


def _placements(
    shapes: Mapping[str, Mapping[str, int]],
    mesh: jax.sharding.Mesh | None,
    names: Mapping[Hashable, str | tuple[str, ...]] | None,
) -> dict[str, jax.sharding.NamedSharding | None]:
    """Returns where each parameter goes, by its label."""
    if mesh is None:
        if names is not None:
            raise ValueError(
                "Expected `axis_name_to_mesh_name` together with a `mesh` of devices, but there is "
                "none. Pass `mesh=jax.make_mesh(...)`."
            )
        return dict.fromkeys(shapes)
    rule = {name: name for name in mesh.axis_names} if names is None else names
    placements: dict[str, jax.sharding.NamedSharding | None] = {}
    for label, shape in shapes.items():
        spec = [rule.get(axis) for axis in shape]
        problem = _spread_problem(shape, spec, mesh)
        if problem is not None:
            raise ValueError(
                f"Expected a rule that spreads `{label}` with the axes {dict(shape)} over the mesh "
                f"{dict(mesh.shape)}, but with {dict(rule)} {problem}. Change "
                "`axis_name_to_mesh_name`."
            )
        sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*spec))
        placements[label] = sharding
    return placements


def _spread_problem(
    shape: Mapping[str, int], spec: list[str | tuple[str, ...] | None], mesh: jax.sharding.Mesh
) -> str | None:
    """Says what keeps an array from being spread over a mesh."""
    used: set[str] = set()
    for (axis, size), names in zip(shape.items(), spec, strict=True):
        parts = 1
        for name in (names,) if isinstance(names, str) else names or ():
            if name not in mesh.shape:
                return f"`{axis}` goes to `{name}`, which is no axis of the mesh"
            if name in used:
                return f"`{name}` gets two of its axes"
            used.add(name)
            parts *= mesh.shape[name]
        if size % parts:
            return f"`{axis}` of size {size} goes to {parts} devices"
    return None


def _parameters(
    rules: list[WeightRule],
    checkpoint: Checkpoint,
    dtype: np.dtype[Any],
    placements: Mapping[str, jax.sharding.NamedSharding | None],
    *,
    progress: bool,
) -> Iterator[Parameter]:
    """Reads one parameter after another, the largest first, when most memory is free."""
    shapes = {rule.label: rule.place_in(checkpoint).named_shape for rule in rules}
    sizes = {label: math.prod(shape.values()) for label, shape in shapes.items()}
    rules = sorted(rules, key=lambda rule: -sizes[rule.label])
    with _progress_bar(sum(sizes.values()), show=progress) as advance:
        for rule in rules:
            values = jax.device_put(rule.read(checkpoint, dtype), placements[rule.label])
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
