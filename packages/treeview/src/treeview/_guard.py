"""Calls into code that nobody vouches for.

What an object's own methods do while it is looked at stays inside `Damage`. Only requests to stop
the program pass: an interrupt, an exit, the closing of a generator.
"""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from treeview._names import type_attribute, type_name

STOP = (KeyboardInterrupt, SystemExit, GeneratorExit)
"""Exceptions that pass through whatever looks at an object."""


class Damage(Exception):  # noqa: N818 - it is raised by nobody's error but the object's own
    """What went wrong inside an object's own code; its text is one short phrase."""


def guarded(call: Callable[..., Any], *args: Any, doing: str) -> Any:
    """Calls foreign code.

    Args:
        call: The foreign code.
        *args: Its arguments.
        doing: What is called, for the message, such as `__repr__`.

    Returns:
        What it returned.

    Raises:
        Damage: The call raised anything but a request to stop.
    """
    try:
        return call(*args)
    except (*STOP, Damage):
        raise
    except BaseException as error:
        raise Damage(f"{doing} raised {describe_error(error)}") from None


def describe_error(error: BaseException) -> str:
    """The type and the first line of the message of an exception, itself not trusted."""
    try:
        message = plain_string(str(error)).strip().partition("\n")[0]
    except STOP:
        raise
    except BaseException:
        message = ""
    if len(message) > 200:
        message = message[:199] + "…"
    name = type_name(type(error))
    return f"{name}: {message}" if message else name


def has_only(values: Iterable[object], kinds: AbstractSet[type]) -> bool:
    """Whether all values are of exactly these types."""
    try:
        return set(map(type, values)) <= kinds
    except STOP:
        raise
    except BaseException:  # a metaclass with a broken `__hash__` or `__eq__`
        return False


def safe_repr(value: object) -> str:
    """`repr(value)` as a true string.

    Raises:
        Damage: The method raised, or returned something else.
    """
    return plain_string(guarded(repr, value, doing="__repr__"))


def safe_length(value: object) -> int | None:
    """`len(value)` if it has one and it can be believed, else None."""
    if type_attribute(type(value), "__len__") is None:
        return None
    try:
        return int(guarded(len, value, doing="__len__"))
    except Damage:
        return None


def plain_string(value: str) -> str:
    """An exact `str` with the characters of `value`, which may be of a subclass that lies."""
    return value if type(value) is str else str.__add__("", value)
