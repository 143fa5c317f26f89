"""Where a variable was made: in which JAX trace, and in which call of a transform that threads."""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator

_call: contextvars.ContextVar["Call | None"] = contextvars.ContextVar("call", default=None)


class Call:
    """A running call of a transform that threads variables, such as `variable_jit`.

    Args:
        transform: The name of the transform, for messages.

    Attributes:
        labels_seen: Whether anything has looked at an automatic label of a variable that watches
            for this on behalf of the call.
    """

    __slots__ = ("labels_seen", "transform")

    def __init__(self, transform: str) -> None:
        self.transform = transform
        self.labels_seen = False


def current_trace() -> object:
    """Returns a token that equals another one taken under the same JAX transformation."""
    return _trace_state()(convention="modeldata")


@functools.cache
def _trace_state() -> Callable[..., object]:
    # `jax.extend` loads the compilers of kernels, which takes as long as half of this package.
    from jax.extend import core  # noqa: PLC0415  # not before it is needed

    return core.get_opaque_trace_state


def current_call() -> Call | None:
    """Returns the innermost call of a transform that is running, None outside any."""
    return _call.get()


@contextlib.contextmanager
def running(call: Call) -> Iterator[None]:
    """Marks the body as the inside of a call."""
    token = _call.set(call)
    try:
        yield
    finally:
        _call.reset(token)
