"""Outputs of a live notebook that appear before the values of their arrays are there.

A notebook can replace an output in place, so whoever waits for a device need not look at nothing.
The law is one of time: if half a second after a cell asked for it an object is still being read, it
is shown as it is known by then, with `…` where something is to come. While more is read, that is
replaced about every second, and by the finished output in the end. What takes less is shown in one
step. A timer decides, for nobody knows beforehand how long a device is busy or how slow the adapter
of somebody else is.

The timer runs in a thread of its own, which only writes what the reading thread has left alone: the
document, whose arrays are put in their places under a lock.
"""

import importlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from threading import Lock, Timer
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from treeview._document import Node

PATIENCE = 0.5
"""Seconds after which something is shown."""

_LEAST = 0.1  # seconds that reading has for itself, however long it took to get there
_BETWEEN = 1.0  # seconds for which what is shown stays
_EFFORT = 10  # times as long as it took to make

Look = Callable[[str], Node]
"""The document as far as arrays are read; a text says why the others will not be, if they won't."""

Bundle = dict[str, str]
"""What a notebook is given to show, by MIME type."""


class LiveOutput:
    """An output that may be shown before it is complete, and is then replaced.

    It is used as a context, inside of which the object is looked at and the complete output made.
    Whatever ends that early leaves the output as it was known by then, and says so in it.

    Attributes:
        shown: Whether something is shown already.
    """

    def __init__(self) -> None:
        self.shown = False
        self._started = self._changed = perf_counter()
        self._effort = 0.0
        self._name = os.urandom(8).hex()
        self._lock = Lock()
        self._timer: Timer | None = None
        self._look: Look | None = None
        self._make: Callable[[Node, bool], Bundle] | None = None

    def prepare(self, make: Callable[[Node, bool], Bundle]) -> None:
        """Takes what makes an output of a document, given whether more is to come."""
        self._make = make

    def follow(self, look: Look) -> None:
        """Is told when arrays begin to be read, and whenever some more have been."""
        self._look = look
        if self._timer is None:
            left = PATIENCE - (perf_counter() - self._started)
            self._timer = Timer(max(left, _LEAST), copy_context().run, (self._open,))
            self._timer.daemon = True
            with suppress(RuntimeError):  # Python in a browser has no threads
                self._timer.start()
        elif self.shown and perf_counter() - self._changed > max(_BETWEEN, _EFFORT * self._effort):
            with self._lock:
                self._show("")

    def end(self) -> None:
        """Is told when all arrays have been read; from then on others change the document."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._timer = None

    def finish(self, data: Any, metadata: Any = None) -> None:
        """Replaces what is shown by the complete output."""
        _publish(data, metadata, self._name, update=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.end()
        if kind is not None and self.shown:
            interrupted = issubclass(kind, KeyboardInterrupt)
            with suppress(Exception):  # the one that came here is what matters
                self._show("interrupted before it was read" if interrupted else "not read")

    def _open(self) -> None:
        # What goes wrong here does so again where the complete output is made, and is told there.
        with self._lock, suppress(Exception):
            if self._timer is not None:
                self._show("")

    def _show(self, reason: str) -> None:
        if self._look is None or self._make is None:
            return
        started = perf_counter()
        data = self._make(self._look(reason), not reason)
        _publish(data, None, self._name, update=self.shown)
        finished = perf_counter()
        # The first time much is loaded that is there from then on.
        self._effort = finished - started if self.shown else 0.0
        self.shown, self._changed = True, finished


def live_output(progressive: bool | None) -> LiveOutput | None:  # noqa: FBT001 - an option as it is
    """An output of the running cell that can be replaced, or None.

    Args:
        progressive: Whether that is wanted where it is possible; None for programs that are known
            to replace outputs.
    """
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None and progressive is not False else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    # Whoever captures what is displayed wants what is complete.
    if not isinstance(shell.display_pub, shell.display_pub_class) or _in_output_widget():
        return None
    return LiveOutput() if progressive or _replaces_outputs(shell) else None


def _replaces_outputs(shell: Any) -> bool:
    """Whether the cell runs in a notebook; consoles for text print updates nowhere."""
    return (
        "JPY_SESSION_NAME" in os.environ  # what a Jupyter server opened
        or "__vsc_ipynb_file__" in shell.user_ns  # VS Code
        or "google.colab" in sys.modules
    )


def _in_output_widget() -> bool:
    """Whether an output widget takes what is displayed; it knows of no updates."""
    module: Any = sys.modules.get("ipywidgets.widgets.widget")
    known: Any = getattr(module, "_instances", {})
    return any(
        type(one).__name__ == "Output" and getattr(one, "msg_id", "") for one in [*known.values()]
    )


def _publish(data: Any, metadata: Any, name: str, *, update: bool) -> None:
    display = importlib.import_module("IPython.display")
    show = display.update_display if update else display.display
    show(data, raw=True, metadata=metadata, display_id=name)
