"""Names of classes and functions in saved trees, and which of them a file may name.

A file must not be able to run code. So loading imports nothing because a file says so, makes
instances without calling their classes, and takes functions only from a few modules whose functions
do no more than compute, unless the caller trusts more.
"""

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import jax.lax
import jax.nn
import jax.numpy as jnp
import numpy as np

from modeldata.models.checkpoints import LoadError

_COMPUTING = {module.__name__: module for module in (jax.nn, jnp, jax.lax)}
# Functions of `jax.numpy` that touch files.
_NOT_COMPUTING = frozenset({"fromfile", "load", "save", "savez"})
_OWN_COMPUTING = ("modeldata.nn", "modeldata.named", "modeldata.models.transformer")
_PLAIN_TYPES = (bool, int, float, complex)
_SCALAR_TYPES = (np.__name__, jnp.__name__, int.__module__)


def name_of(value: Any) -> str | None:
    """Returns the name by which a class or function can be imported; None if there is none.

    Args:
        value: A class, a function, or any other object.

    Returns:
        Module and qualified name, as in `modeldata.nn:Linear`.
    """
    short = getattr(value, "__name__", None)
    home = getattr(value, "__module__", None)
    if not isinstance(short, str) or not isinstance(home, str):
        return None
    computing = [name for name, module in _COMPUTING.items() if vars(module).get(short) is value]
    if computing:
        return f"{computing[0]}:{short}"
    qualified = getattr(value, "__qualname__", None) or short
    if not isinstance(value, type) and "." in qualified:
        return None
    # Where a package exports it, as private modules may change.
    public = home.partition("._")[0]
    for module in (public, home):
        if module in sys.modules and _look_up(sys.modules[module], qualified) is value:
            return f"{module}:{qualified}"
    return None


def class_named(name: str, trusted: Sequence[str]) -> type:
    """Returns a class that a file names.

    Args:
        name: Module and qualified name.
        trusted: Names of modules that may be imported for it.

    Raises:
        LoadError: If there is none, or its module is not imported.
    """
    found = _find(name, trusted)
    if not isinstance(found, type):
        raise _missing(name, "a class")
    return found


def scalar_type_named(name: str) -> type:
    """Returns a type of numbers, such as `jax.numpy:float32`.

    Args:
        name: Module and name.

    Raises:
        LoadError: If there is none.
    """
    found = _find(name, ()) if name.partition(":")[0] in _SCALAR_TYPES else None
    if found is None or not is_scalar_type(found):
        raise _missing(name, "a type of numbers")
    return found


def is_scalar_type(value: Any) -> bool:
    """Returns whether a value is a type of numbers, such as `jnp.float32`."""
    return isinstance(value, type) and (
        value in _PLAIN_TYPES
        or issubclass(value, np.generic)
        or isinstance(value, type(jnp.float32))
    )


def function_named(name: str, trusted: Sequence[str]) -> Any:
    """Returns a function that a file names.

    Args:
        name: Module and name.
        trusted: Names of modules all of whose functions may be named.

    Raises:
        LoadError: If there is none, or it is not known to do nothing but compute.
    """
    module, _, short = name.partition(":")
    if not (_is_within(module, trusted) or _is_computing(module, short)):
        raise LoadError(
            f"Expected functions that are known to do nothing but compute, such as those of "
            f"`jax.nn`, but the file names `{name}`. If you trust the file and that module, pass "
            f'`trusted=["{module}"]`.'
        )
    found = None if "." in short else _find(name, trusted)
    if not callable(found) or isinstance(found, type):
        raise _missing(name, "a function")
    if _is_within(module, _OWN_COMPUTING) and not _is_within(found.__module__, _OWN_COMPUTING):
        raise _missing(name, "a function of that module")
    return found


def _is_computing(module: str, name: str) -> bool:
    if module in _COMPUTING:
        return not name.startswith("_") and name not in _NOT_COMPUTING
    return _is_within(module, _OWN_COMPUTING)


def _is_within(module: str, packages: Sequence[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _find(name: str, trusted: Sequence[str]) -> Any:
    module, _, qualified = name.partition(":")
    if _is_within(module, ("modeldata", *trusted)):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise LoadError(
                f"Expected to import `{module}`, which the file names, but got an error: {error}. "
                "Install the version of the package that the file was saved with."
            ) from error
    if module not in sys.modules:
        raise LoadError(
            f"Expected classes of modules that are imported, but the file names `{name}`. Import "
            f'`{module}` first, or pass `trusted=["{module}"]`, if you trust it.'
        )
    return _look_up(sys.modules[module], qualified)


def _look_up(module: ModuleType, qualified: str) -> Any:
    """Follows a qualified name through classes only, without running code."""
    found: Any = module
    for depth, part in enumerate(qualified.split(".")):
        if depth and not isinstance(found, type):
            return None
        found = vars(found).get(part)
    return found


def _missing(name: str, what: str) -> LoadError:
    module, _, qualified = name.partition(":")
    return LoadError(
        f"Expected {what} `{qualified}` in the module `{module}`, which the file names, but there "
        "is none. Define it as it was when the file was saved."
    )
