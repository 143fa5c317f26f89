"""The errors of loading and saving, and the import of optional packages."""

import importlib
from types import ModuleType


class LoadError(ValueError):
    """A checkpoint, or its tokenizer, cannot be opened.

    The text is one sentence that says what was expected and what came, then the way out. Nothing is
    left half loaded when it is raised.
    """


class SaveError(ValueError):
    """A model cannot be saved in a format. Nothing is written when it is raised."""


def import_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """Imports an optional package, or says how to get it.

    Args:
        module: The name of the module.
        extra: The extra of modeldata that installs it.
        purpose: What needs it, as the beginning of a sentence.

    Returns:
        The module.

    Raises:
        LoadError: If the package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise LoadError(
            f"{purpose} needs the package `{module}`, which cannot be imported ({error}). "
            f"Install it with `pip install 'modeldata[{extra}]'`."
        ) from error
