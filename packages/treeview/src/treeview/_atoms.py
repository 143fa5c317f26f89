"""Which values stand in a document as themselves, and how much text they are."""

from collections.abc import Sequence
from math import copysign
from typing import Any

from treeview._document import ATOM_TYPES, Branch, Foreign, Picture, Reference, Text
from treeview._guard import STOP

SHORT = 100
"""Strings and bytes up to this length stand in a document as they are."""

NODE_TYPES = frozenset({Text, Branch, Picture, Foreign, Reference})

_BIG = 10**100
_SETTLED = frozenset({type(None), bool, type(...), *NODE_TYPES})
_NUMBERS = frozenset({float, complex})
_INTEGERS = {int}
_WORDS = {str}
_TEXTS = {Text}
_STRINGS = frozenset({str, bytes})


class AtomCheck:
    """Tells atoms from what has to be visited, a whole row of values at a time.

    Args:
        exact: Whether each value has to evaluate to itself as it is written.
        room: How many characters there may be.

    Attributes:
        room: How many more there may be.
    """

    __slots__ = ("_exact", "_settled", "room")

    def __init__(self, *, exact: bool, room: int) -> None:
        self.room = room
        self._exact = exact
        self._settled = _SETTLED if exact else _SETTLED | _NUMBERS

    def pending(self, values: Sequence[Any]) -> list[int]:
        """Where the values are that do not stand for themselves."""
        settled = self._settled
        try:
            kinds = set(map(type, values))
        except STOP:
            raise
        except BaseException:  # a metaclass with a broken `__hash__` or `__eq__`
            single = len(values) == 1
            return [i for i, value in enumerate(values) if single or self.pending([value])]
        if kinds == _INTEGERS:
            if min(values) > -_BIG and max(values) < _BIG:
                return []
        elif kinds <= settled:
            return []
        elif kinds.isdisjoint(ATOM_TYPES) and kinds.isdisjoint(settled):
            return list(range(len(values)))
        elif not kinds.isdisjoint(_STRINGS):
            lengths = [len(value) for value in values if type(value) in _STRINGS]
            self.room -= sum([length for length in lengths if length <= SHORT])
        return [
            index
            for index, (value, kind) in enumerate(zip(values, map(type, values), strict=True))
            if kind not in settled
            and not (kind is int and -_BIG < value < _BIG)
            and not ((kind is str or kind is bytes) and len(value) <= SHORT)
            and not (kind in _NUMBERS and value - value == 0 and self._reads_back(value))
        ]

    def are_labels(self, raw: Sequence[Any]) -> bool:
        """Whether all are texts or short strings, which need no closer look as labels."""
        try:
            kinds = set(map(type, raw))
        except STOP:
            raise
        except BaseException:  # a metaclass with a broken `__hash__` or `__eq__`
            return False
        if kinds == _WORDS:
            size = sum(map(len, raw))
            if size <= SHORT or max(map(len, raw)) <= SHORT:
                self.room -= size
                return True
        return kinds <= _TEXTS

    def _reads_back(self, value: complex) -> bool:
        """Whether a finite number evaluates to itself as Python writes it."""
        if type(value) is float or not self._exact:
            return True
        # Sums of a real and an imaginary number lose the sign of a zero.
        signs = copysign(1, value.real), copysign(1, value.imag)
        return signs == (1, 1) or (value.real != 0 and value.imag != 0)
