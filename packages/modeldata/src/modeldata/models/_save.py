"""Saving models in the format of Hugging Face."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from modeldata.models._blocks import without_stack
from modeldata.models.checkpoints import Place, SaveError, import_extra
from modeldata.models.families import Family, family_named
from modeldata.models.transformer import ModelOrigin, TransformerEncoder, TransformerLM
from modeldata.named import NamedArray
from modeldata.variables import Parameter, ParameterSlot, ParameterValue

_WEIGHTS = "model.safetensors"
_CONFIG = "config.json"
# Files that transformers would read in place of those that are written.
_RIVALS = ("model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")


def save(model: TransformerLM | TransformerEncoder, folder: str | os.PathLike[str]) -> None:
    """Saves a model as a folder that `load` and the transformers library read.

    Values of parameters may be other than those that were loaded. All layers must be as they were,
    since the format has no place for others; only blocks may be in a stack. The tokenizer is not
    saved; copy its files from the checkpoint that the model comes from.

    Args:
        model: A model that `load` made.
        folder: Where to; it is made if it is not there. The files `model.safetensors` and
            `config.json` in it are replaced.

    Raises:
        TypeError: If `model` is something else.
        SaveError: If the model was not loaded, layers or axes of parameters were changed, or the
            folder holds weights in other files. Nothing is written then.
        LoadError: If the package `safetensors` is missing.
    """
    if not isinstance(model, TransformerLM | TransformerEncoder):
        raise TypeError(
            "Expected `model` to be a `TransformerLM` or a `TransformerEncoder`, but got a "
            f"`{type(model).__name__}`. Pass a model that `models.load` made."
        )
    origin = model.metadata.origin
    if origin is None:
        raise SaveError(
            "Expected a model that `models.load` made, but this one does not say which family it "
            "belongs to, which decides how its weights are stored. Save its parameters with "
            "`unbind_params`, or load a checkpoint and bind them to that model."
        )
    family = family_named(origin.family)
    values = _checked_values(without_stack(model), family, origin)
    config = _config_of(family, origin, next(iter(values.values())).dtype)
    library = import_extra("safetensors.numpy", "hf", "Saving a model")
    path = _checked_folder(folder)
    path.mkdir(parents=True, exist_ok=True)
    # Written beside its place, so that a broken-off run leaves no broken file there.
    beside = path / f".{_WEIGHTS}.part"
    try:
        library.save_file(_tensors(family, origin, values), beside, metadata={"format": "pt"})
        beside.replace(path / _WEIGHTS)
    finally:
        beside.unlink(missing_ok=True)
    (path / _CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def _checked_folder(folder: str | os.PathLike[str]) -> Path:
    path = Path(folder).expanduser()
    if path.exists() and not path.is_dir():
        raise SaveError(f"Expected a folder at `{path}`, but there is a file. Give another path.")
    rivals = [name for name in _RIVALS if (path / name).exists()]
    if rivals:
        raise SaveError(
            f"Expected a folder without other weights, but `{path}` has `{rivals[0]}`, which would "
            "be read in place of what is saved. Give a new folder."
        )
    return path


def _config_of(family: Family, origin: ModelOrigin, dtype: Any) -> dict[str, Any]:
    if origin.checkpoint_config is None:
        raise SaveError(
            f"Expected a model that was loaded with a `config.json`, but this `{family.name}` was "
            "not. Load it from a Hugging Face folder or a GGUF file."
        )
    config = json.loads(origin.checkpoint_config)
    config.pop("torch_dtype", None)
    return {**config, "dtype": str(dtype)}


def _checked_values(
    model: TransformerLM | TransformerEncoder, family: Family, origin: ModelOrigin
) -> dict[str, NamedArray]:
    """Returns the parameters by label, if the model has the layers that it was loaded with."""
    values: dict[Any, NamedArray] = {}

    def emptied(node: Any) -> Any:
        if not _is_parameter(node):
            return node
        values[node.label] = node.value
        return ParameterSlot(label=node.label)

    expected = family.build_slots(origin.config)
    layers = jax.tree_util.tree_map(emptied, model, is_leaf=_is_parameter)
    layers = layers.replace(metadata=expected.metadata)
    difference = _first_difference(layers, expected, "")
    if difference is not None:
        raise SaveError(
            f"Expected the layers that a `{family.name}` model has, because its format has no "
            f"place for others, but {difference}. Undo that edit, or save the parameters "
            "on their own (`unbind_params`)."
        )
    for rule in family.weight_rules(origin.config, expected):
        value = values[rule.label]
        shape = getattr(value, "named_shape", None)
        if shape != rule.named_shape or value.positional_shape:
            raise SaveError(
                f"Expected the parameter `{rule.label}` to have the axes {rule.named_shape}, but "
                f"it has {shape}. Give it the axes that it was loaded with."
            )
    return values


def _is_parameter(node: Any) -> bool:
    return isinstance(node, Parameter | ParameterValue)


def _tensors(
    family: Family, origin: ModelOrigin, values: dict[str, NamedArray]
) -> dict[str, np.ndarray]:
    """Returns the tensors to store."""
    tensors: dict[str, np.ndarray] = {}
    config = json.loads(origin.checkpoint_config or "{}")
    is_bare = family.bare_class in (config.get("architectures") or ())
    slots = family.build_slots(origin.config)
    for rule in family.weight_rules(origin.config, slots, () if is_bare else None):
        place, value = rule.place_for("huggingface"), values[rule.label]
        array = np.asarray(value.unwrap(*place.named_shape))
        if place.is_whole:
            tensors[place.name] = array.reshape(place.stored_shape)
        else:
            place.write(array, _opener(tensors, place, array.dtype))
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def _opener(
    tensors: dict[str, np.ndarray], place: Place, dtype: Any
) -> Callable[[str], np.ndarray]:
    def opened(name: str) -> np.ndarray:
        if name not in tensors:
            tensors[name] = np.empty(place.stored_shape, dtype)
        return tensors[name]

    return opened


def _first_difference(found: Any, expected: Any, path: str) -> str | None:
    """Says where two trees of layers differ first, in words; None if they are equal."""
    if type(found) is not type(expected):
        return f"`{path}` is a `{type(found).__name__}`, not a `{type(expected).__name__}`"
    pairs = [
        jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda node, tree=tree: node is not tree)
        for tree in (found, expected)
    ]
    (children, structure), (wanted, wanted_structure) = pairs
    if structure != wanted_structure:
        if isinstance(found, list | tuple):
            return f"`{path}` has {len(found)} parts, not {len(expected)}"
        return f"the settings of the `{type(found).__name__}` at `{path}` are others"
    for (key, child), (_, other) in zip(children, wanted, strict=True):
        if not key:
            return None if np.array_equal(found, expected) else f"the number at `{path}` is another"
        difference = _first_difference(child, other, path + jax.tree_util.keystr(key))
        if difference is not None:
            return difference
    return None
