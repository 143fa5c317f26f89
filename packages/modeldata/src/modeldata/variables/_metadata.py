"""The metadata of a variable: a mapping that never changes and can be part of a pytree."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any


class Metadata(Mapping[Hashable, Any]):
    """An immutable mapping that prints, compares and looks up as a dictionary does.

    Variables, their frozen values and their copies share it safely, and JAX may keep it as the
    static part of a tree. Values need `==` but need not be hashable.
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
