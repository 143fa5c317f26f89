"""Saving any tree: its structure as JSON, its arrays as safetensors."""

import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from modeldata.models._tree_decoding import TreeDecoder
from modeldata.models._tree_encoding import TreeEncoder
from modeldata.models.checkpoints import LoadError, SaveError, import_extra

TREE_FILE = "tree.json"
_FORMAT = {"format": "modeldata tree", "version": 1}
# What a damaged file makes the reader stumble over.
_DAMAGES = (AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
_TENSORS = re.compile(r"tensors-[0-9a-f]{12}\.safetensors")


def save_tree(tree: Any, folder: str | os.PathLike[str]) -> None:
    """Saves a model with all its edits, or any other tree, for `load_tree`.

    The tree may hold structs, variables, named and plain arrays, random keys, named tuples, frozen
    dataclasses, lists, tuples, dictionaries, sets, enums, numbers, strings, dtypes, and functions
    that can be imported by name, also in a `functools.partial`. Classes and functions are stored as
    names: keep their code. How arrays are spread over devices is not stored.

    Args:
        tree: The model or tree.
        folder: Where to; it is made if it is not there. A tree that was saved there before is
            replaced once the new one is complete.

    Raises:
        SaveError: If the tree holds something that cannot be written, such as a lambda, or there is
            a file at `folder`. Nothing is written then.
        LoadError: If the package `safetensors` is missing.
    """
    library = import_extra("safetensors.numpy", "hf", "Saving a tree")
    path = Path(folder).expanduser()
    if path.exists() and not path.is_dir():
        raise SaveError(f"Expected a folder at `{path}`, but there is a file. Give another path.")
    encoder = TreeEncoder()
    try:
        encoded = encoder.encode(tree, "")
        description = {**_FORMAT, "tree": encoded, "variables": encoder.variables}
        description["tensors"] = tensors = f"tensors-{secrets.token_hex(6)}.safetensors"
        text = json.dumps(description, indent=1, allow_nan=False) + "\n"
    except RecursionError as error:
        raise SaveError(
            "Expected a tree that Python can go through, but it is too deep. Make it flatter: put "
            "what is nested into lists."
        ) from error
    path.mkdir(parents=True, exist_ok=True)
    _write(path, text, tensors, lambda place: library.save_file(encoder.tensors, place))


def _write(path: Path, text: str, tensors: str, save_file: Callable[[Path], Any]) -> None:
    """Writes both files; the tree is there from the moment when its description is replaced."""
    beside = path / f".{TREE_FILE}.part"
    try:
        save_file(path / tensors)
        beside.write_text(text)
        beside.replace(path / TREE_FILE)
    except BaseException:
        (path / tensors).unlink(missing_ok=True)
        beside.unlink(missing_ok=True)
        raise
    for other in path.iterdir():
        if _TENSORS.fullmatch(other.name) and other.name != tensors:
            other.unlink()


def load_tree(folder: str | os.PathLike[str], *, trusted: Sequence[str] = ()) -> Any:
    """Loads what `save_tree` has saved.

    Variables are new ones, shared where they were shared. Arrays go to the default device.

    Loading runs no code that the file brings. Its classes must belong to modeldata or to modules
    that are imported already; its functions to `jax.nn`, `jax.numpy`, `jax.lax` or modeldata's
    layers.

    Args:
        folder: The folder.
        trusted: Names of modules and packages of yours to take classes and functions from, too.
            They are imported if the file names them.

    Returns:
        A tree equal to the one that was saved. State variables that had automatic labels have new
        ones.

    Raises:
        LoadError: If there is no saved tree, it is damaged, names code that it may not name, or
            that is not as it was; or if the package `safetensors` is missing.
    """
    path = Path(folder).expanduser()
    if not (path / TREE_FILE).is_file():
        raise LoadError(
            f"Expected a folder with a `{TREE_FILE}` that `save_tree` wrote, but `{path}` has "
            "none. Checkpoints of other formats are for `models.load`."
        )
    library = import_extra("safetensors", "hf", "Loading a tree")
    try:
        description = json.loads((path / TREE_FILE).read_text())
        _check_format(description, path)
        with library.safe_open(path / description["tensors"], framework="np") as tensors:
            decoder = TreeDecoder(description["variables"], tensors.get_tensor, tuple(trusted))
            return decoder.decode(description["tree"])
    except LoadError:
        raise
    except (*_DAMAGES, library.SafetensorError) as error:
        raise LoadError(
            f"Expected a tree at `{path}` as `save_tree` writes it, but reading it fails: "
            f"{type(error).__name__}: {error}. The file is damaged; save the tree again."
        ) from error


def _check_format(description: Any, path: Path) -> None:
    found = {key: description.get(key) for key in _FORMAT} if isinstance(description, dict) else {}
    if found != _FORMAT:
        raise LoadError(
            f"Expected a tree of the format {_FORMAT} at `{path}`, but it says {found}. Load it "
            "with the version of modeldata that it was saved with."
        )
    if not _TENSORS.fullmatch(str(description["tensors"])):
        raise LoadError(
            f"Expected the tensors beside the tree at `{path}`, but it names "
            f"{description['tensors']!r}. It was not written by `save_tree`."
        )
