"""Labels of state variables that were made without one."""

import contextlib
import contextvars
import functools
import itertools
import secrets
from collections.abc import Hashable, Iterator
from dataclasses import astuple, dataclass
from typing import Any

_counter = itertools.count()

# Numbers are unique in one process only. A label that comes from another process (by pickle)
# gets a fresh number here, the same one each time, so that it cannot meet a label made here.
_process = secrets.token_hex(8)
_adopted: dict[tuple[str, int], int] = {}

_scope: contextvars.ContextVar["tuple[Hashable, itertools.count[int]] | None"] = (
    contextvars.ContextVar("state_variable_labels", default=None)
)


@functools.total_ordering
class StateVarLabel:
    """Base of automatic labels, ordered so that they can be keys of a dictionary in a pytree.

    JAX sorts the keys of dictionaries. Automatic labels sort after strings and tuples, and among
    themselves by type and content.
    """

    def _sort_key(self) -> tuple[str, tuple[str, ...]]:
        return type(self).__qualname__, tuple(
            f"{part:020d}" if isinstance(part, int) else repr(part)
            for part in astuple(self)  # pyright: ignore[reportArgumentType]
        )

    def __lt__(self, other: object) -> bool:
        if isinstance(other, str | tuple):
            return False
        if isinstance(other, StateVarLabel):
            return self._sort_key() < other._sort_key()
        return NotImplemented


@dataclass(frozen=True)
class AutoStateVarLabel(StateVarLabel):
    """Label of a state variable that was made outside any label scope.

    Attributes:
        var_id: A number that no other automatic label of this process has.
    """

    var_id: int

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_label, (_process, self.var_id)


@dataclass(frozen=True)
class ScopedStateVarLabel(StateVarLabel):
    """Label of a state variable that was made inside `scoped_auto_state_var_labels`.

    Attributes:
        group: The group given to the scope.
        index: The number of the variable within the scope, from zero.
    """

    group: Hashable
    index: int


def _restore_label(process: str, var_id: int) -> AutoStateVarLabel:
    if process == _process:
        return AutoStateVarLabel(var_id)
    if (process, var_id) not in _adopted:
        _adopted[process, var_id] = next(_counter)
    return AutoStateVarLabel(_adopted[process, var_id])


def next_label() -> StateVarLabel:
    """Returns a label that no other call has returned, or the next one of the current scope."""
    scope = _scope.get()
    if scope is None:
        return AutoStateVarLabel(next(_counter))
    group, numbers = scope
    return ScopedStateVarLabel(group, next(numbers))


@contextlib.contextmanager
def scoped_auto_state_var_labels(group: Hashable = None) -> Iterator[None]:
    """Labels state variables made in the body by group and number, the same in every run.

    Scopes nest: each counts from zero, and the outer one goes on counting afterwards. A scope
    belongs to the current thread or asynchronous task.

    Args:
        group: A name that tells the labels of this scope from those of others.

    Yields:
        Nothing.
    """
    token = _scope.set((group, itertools.count()))
    try:
        yield
    finally:
        _scope.reset(token)
