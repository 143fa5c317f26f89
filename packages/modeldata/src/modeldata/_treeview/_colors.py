"""Colours by which kinds of objects are told apart, legible on light and on dark pages."""

import hashlib
from functools import cache

GREY = "oklch(0.68 0.01 250)"
PARAMETER = "oklch(0.68 0.12 230)"
PARAMETER_VALUE = "oklch(0.68 0.06 260)"
STATE = "oklch(0.68 0.16 50)"
STATE_VALUE = "oklch(0.74 0.12 95)"
MARK = "oklch(0.70 0.19 350)"


@cache
def type_color(cls: type) -> str:
    """A colour of its own for each class, the same in every process.

    Args:
        cls: The class; its module and name decide.

    Returns:
        A CSS colour.
    """
    name = f"{cls.__module__}.{cls.__qualname__}"
    digest = hashlib.sha256(name.encode()).digest()
    hue = int.from_bytes(digest[:2], "big") % 360
    return f"oklch(0.70 0.12 {hue})"
