"""A mapping that never changes, for the static parts of a tree."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any


class FrozenDict(Mapping[Hashable, Any]):
    """An immutable mapping that prints, compares and looks up as a dictionary does.

    Several owners share it safely, and JAX may keep it in the structure of a tree. Values need
    `==` but need not be hashable.

    Args:
        items: The mapping to copy; empty if not given.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[Hashable, Any] | None = None) -> None:
        self._items = dict(items or {})

    def __getitem__(self, key: Hashable) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return self._items == dict(other)

    def __hash__(self) -> int:
        # Equal mappings have equal keys; values may be unhashable.
        return hash(frozenset(self._items))

    def __repr__(self) -> str:
        return repr(self._items)
