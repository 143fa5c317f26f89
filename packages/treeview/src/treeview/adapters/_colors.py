"""Colours by which kinds of objects are told apart, legible on light and on dark pages."""

from functools import lru_cache
from zlib import crc32

from treeview._names import type_module, type_name

PARAMETER = "oklch(0.68 0.12 230)"
STATE = "oklch(0.68 0.16 50)"


@lru_cache(maxsize=1024)
def name_color(name: str) -> str:
    """A CSS colour of its own for each name, the same in every process."""
    return f"oklch(0.70 0.12 {crc32(name.encode('utf-8', 'replace')) % 360})"


def type_color(cls: type) -> str:
    """A CSS colour of its own for each class."""
    return name_color(f"{type_module(cls)}.{type_name(cls)}")
