"""Where a variable was made: which JAX trace, and which call of `variable_jit`."""

import contextlib
import contextvars
from collections.abc import Iterator

from jax.extend import core

_call: contextvars.ContextVar[object] = contextvars.ContextVar("variable_jit_call", default=None)


def current_trace() -> object:
    """Returns a token that equals another one taken under the same JAX transformation."""
    return core.get_opaque_trace_state(convention="modeldata")


def current_call() -> object:
    """Returns the call of `variable_jit` that is being traced, None outside any."""
    return _call.get()


@contextlib.contextmanager
def new_call() -> Iterator[None]:
    """Marks the body as the trace of one more call of `variable_jit`."""
    token = _call.set(object())
    try:
        yield
    finally:
        _call.reset(token)
