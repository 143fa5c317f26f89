"""Short and public names of things that are known by name: functions, classes, constants.

Many objects do not know their public name: `numpy.mean` and `torch.relu` are instances of private
classes, `jax.Array` says it lives in `jaxlib`. So the public modules of well-known libraries are
read backwards, each once, when it has been imported: which object is called what there. Only their
dictionaries are looked at, which runs no code. A name is believed only as long as it still leads
to the object.

Where text is read rather than evaluated, `numpy` is written `np` and `jax.numpy` is written `jnp`.
"""

import sys
from collections.abc import Mapping
from threading import Lock
from types import ModuleType
from typing import Any

# Where a thing has several names, the first of these modules decides.
_WELL_KNOWN = (
    "numpy",
    "numpy.linalg",
    "numpy.fft",
    "numpy.random",
    "numpy.ma",
    "jax",
    "jax.numpy",
    "jax.numpy.linalg",
    "jax.nn",
    "jax.nn.initializers",
    "jax.lax",
    "jax.random",
    "jax.tree",
    "jax.tree_util",
    "jax.sharding",
    "jax.scipy.special",
    "torch",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.linalg",
    "torch.optim",
    "scipy.special",
    "math",
    "operator",
)

_SHORT = {"numpy": "np", "jax.numpy": "jnp"}
_shorter: dict[str, str] = dict(_SHORT)
_read: dict[str, ModuleType] = {}
_known: dict[int, tuple[Any, str]] = {}
_chosen: dict[int, tuple[Any, str]] = {}
_lock = Lock()


def add_alias(obj: object, name: str) -> None:
    """Says by which name an object is shown wherever it is met inside another.

    An alias of a module stands for its name where names are read, such as `np` for `numpy`; a
    roundtrip still writes the full name. Any other object is shown by its alias, in a roundtrip
    too, so the alias has to lead to the object. A later alias replaces an earlier one.

    Args:
        obj: A module, function, class, or any object that is known by name, such as a default.
        name: For a module an identifier; else a dotted name that leads to the object, starting
            with an imported module or with a name of `__main__`.

    Raises:
        TypeError: `name` is not a string.
        ValueError: `name` is no identifier, or does not lead to the object.

    Example:
        >>> import functools
        >>> add_alias(functools, "ft")
        >>> print(treeview.render_text([functools.reduce]))
        [ft.reduce]
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"Expected `name` to be a string, got {name!r}.")
    if isinstance(obj, ModuleType):
        if not name.isidentifier():
            raise ValueError(
                f"Expected `name` for module `{obj.__name__}` to be an identifier, got {name!r}."
            )
        _shorter[obj.__name__] = name
        return
    if not leads_to(name, obj):
        raise ValueError(
            f"Expected `name` to lead from an imported module to the object, got {name!r}, which "
            "leads to another object or to none; import its module and write the name in full."
        )
    _chosen[id(obj)] = (obj, name)


def short_name(name: str) -> str:
    """A full name as people write it, such as `jnp.sin` for `jax.numpy.sin`."""
    start, dot, rest = name.rpartition(".")
    while dot:
        short = _shorter.get(start)
        if short is not None:
            return f"{short}.{rest}"
        start, dot, last = start.rpartition(".")
        rest = f"{last}.{rest}"
    return name


def read_names() -> None:
    """Reads the well-known modules that have been imported meanwhile."""
    for name in _WELL_KNOWN:
        module = sys.modules.get(name)
        if module is not None and _read.get(name) is not module:
            _read_module(name, module)


def _read_module(name: str, module: ModuleType) -> None:
    with _lock:
        space = namespace(module)
        for attribute, value in list(space.items()):
            if attribute.startswith("_") or isinstance(value, ModuleType) or not callable(value):
                continue
            _known.setdefault(id(value), (value, f"{name}.{attribute}"))
        if not getattr(space.get("__spec__"), "_initializing", False):
            _read[name] = module


def chosen_name(obj: object) -> str | None:
    """The alias that somebody gave to an object, or None."""
    return _believed(_chosen, obj)


def known_name(obj: object) -> str | None:
    """The alias of an object, or its name in a well-known module, or None."""
    if id(obj) not in _known and id(obj) not in _chosen:
        return None  # most objects
    return _believed(_chosen, obj) or _believed(_known, obj)


def _believed(names: Mapping[int, tuple[Any, str]], obj: object) -> str | None:
    entry = names.get(id(obj))
    return entry[1] if entry is not None and leads_to(entry[1], obj) else None


def leads_to(name: str, value: object) -> bool:
    """Whether a dotted name, from an imported module or `__main__`, leads to a value."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        if ".".join(parts[:length]) in sys.modules:
            return is_found(value, ".".join(parts[:length]), parts[length:])
    return is_found(value, "__main__", parts)


def is_found(value: object, module: str, path: list[str]) -> bool:
    """Whether a path of attributes leads from a module to a value, without running any code."""
    found: Any = sys.modules.get(module)
    for part in path:
        space = namespace(found)
        if part not in space:
            return False
        found = space[part]
    if type(found) in {classmethod, staticmethod}:
        found = found.__func__
    return found is value


def namespace(owner: object) -> Mapping[str, Any]:
    """The own attributes of a class or module, raw."""
    # Dictionaries only: `getattr` could run the import hook of a lazy module.
    if isinstance(owner, type):
        return _TYPE_DICT(owner)
    try:
        return object.__getattribute__(owner, "__dict__")
    except AttributeError:
        return {}


_TYPE_DICT = type.__dict__["__dict__"].__get__
