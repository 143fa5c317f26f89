"""Ordinary IPython formatters that show objects with treeview.

Two formatters are involved. The one for MIME bundles is asked first and answers with text and
HTML for every object of the chosen types. IPython's own text formatter has printers for the
containers of the standard library, which would override the text of that bundle, so those are
replaced for as long as treeview is installed. Nothing is displayed on the side.
"""

import importlib
import sys
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import (
    BuiltinFunctionType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any, cast
from weakref import WeakKeyDictionary

from treeview._document import ATOM_TYPES
from treeview._live import LiveOutput, live_output
from treeview._names import type_attribute
from treeview._options import Options, changed_options, current_options, options
from treeview._rendering import Displayable, mime_bundle, rendered
from treeview.notebook.prompts import Undo, install_debugger, install_displayhook, prompt_text

# IPython has text printers of its own for these.
_CONTAINERS: tuple[type, ...] = (
    ChainMap,
    Counter,
    MappingProxyType,
    OrderedDict,
    SimpleNamespace,
    UserDict,
    UserList,
    defaultdict,
    deque,
    dict,
    frozenset,
    list,
    set,
    tuple,
)
# What says all there is to say on one line, or is shown best by IPython itself.
_PLAIN_TYPES: frozenset[type] = ATOM_TYPES | {
    BuiltinFunctionType,
    FunctionType,
    MethodType,
    ModuleType,
}

_installed: WeakKeyDictionary[Any, list[Undo]] = WeakKeyDictionary()
_prompts: list[Undo] = []
_cell: ContextVar[frozenset[str]] = ContextVar("treeview.cell", default=frozenset())
_live: ContextVar[LiveOutput | None] = ContextVar("treeview.live", default=None)


def install(
    types: type | Iterable[type] | None = None,
    *,
    autovisualize: bool | Callable[[Any, str], Any] = False,
    displayhook: bool = False,
    debugger: bool = False,
    shell: Any = None,
    **options: Any,
) -> None:
    """Shows results with treeview until `uninstall` is called: in IPython, or at other prompts.

    Args:
        types: The types to show, with their subclasses, even if they bring rich output of their
            own. None for every object that has no rich output and is not a plain value.
        autovisualize: Whether to draw the arrays in them, or a rule that says which and how; see
            `Options`.
        displayhook: Whether the prompt of plain Python shows its results so.
        debugger: Whether the prompts of `pdb`, and of debuggers made from it (`ipdb`, IPython's),
            show theirs so.
        shell: The IPython shell; None for the one that runs. With `displayhook` or `debugger`
            there need not be one.
        **options: Other fields of `Options`, for the results that are shown so. What
            `treeview.options` or `%%treeview` says where a result is made goes before.

    Raises:
        RuntimeError: No IPython shell runs, and no other prompt is chosen.
        TypeError: `types` holds something that is not a type, `autovisualize` is neither a truth
            value nor a rule, or an option is unknown or has a value of another type.
        ValueError: An option is out of range.
    """
    chosen = None if types is None else _checked_types(types)
    shell = shell or _running_shell(required=not (displayhook or debugger))
    changes = {**options, **({"autovisualize": autovisualize} if autovisualize else {})}
    changed_options(changes)  # refuses a wrong value before anything changes
    uninstall(shell=shell)
    if shell is not None:
        _install_shell(shell, chosen, changes)
    elif displayhook:  # that of IPython already shows what its formatters say
        _prompts.append(install_displayhook(chosen or (object,), changes))
    if debugger:
        _prompts.append(install_debugger(chosen or (object,), changes))


def _install_shell(shell: Any, chosen: tuple[type, ...] | None, changes: dict[str, Any]) -> None:
    formatter = shell.display_formatter
    bundles, texts = formatter.mimebundle_formatter, formatter.formatters["text/plain"]
    told: list[tuple[Any, str]] = []

    def in_terminal() -> bool:
        return "text/html" not in formatter.active_types

    def bundle(obj: Any) -> Any:
        live = _live.get()
        _live.set(None)  # what is displayed while this is looked at is no part of it
        if chosen is None and not _adds_value(obj, formatter):
            return _own_bundle(obj)
        if in_terminal():
            return {"text/plain": prompt_text(obj, sys.stdout, _wanted(changes))}
        if isinstance(obj, Displayable):
            return mime_bundle(obj)
        data = mime_bundle(rendered(obj, changed_options(_wanted(changes)), live))
        if _printer(texts, obj) is print_text:
            told[:] = [(obj, data["text/plain"])]
        return data

    def print_text(obj: Any, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython calls it
        # IPython asks for the text of what has a printer a second time, right after the bundle.
        known, text = told.pop() if told else (None, "")
        if known is obj and not cycle:
            printer.text(text)
            return
        stream = sys.stdout if in_terminal() else None
        printer.text("..." if cycle else prompt_text(obj, stream, _wanted(changes)))

    everything = (object,) if chosen is None else chosen
    _installed[shell] = [
        *(_replace_printer(bundles, kind, bundle) for kind in everything),
        *(_replace_printer(texts, kind, print_text) for kind in chosen or _CONTAINERS),
        _show_results_live(shell, changes),
    ]


def _show_results_live(shell: Any, changes: dict[str, Any]) -> Undo:
    """Lets results of cells appear before their arrays are read; returns what undoes it.

    That is up to the hook that shows them. The formatters, which others ask too, have no part in
    it but to tell the output of the hook how far they are.
    """
    hook = shell.displayhook
    original, before = hook.compute_format_data, hook.__dict__.get("compute_format_data")

    def compute_format_data(result: Any) -> Any:
        live = live_output(_wanted(changes).get("progressive", current_options().progressive))
        if live is None:
            return original(result)
        token = _live.set(live)
        try:
            with live:
                data, metadata = original(result)
                if live.shown:
                    live.finish(data, metadata)
        finally:
            _live.reset(token)
        if not live.shown:
            return data, metadata
        hook.log_output(data)
        return {}, {}

    def undo() -> None:
        if hook.__dict__.get("compute_format_data") is compute_format_data:
            del hook.compute_format_data
            if before is not None:
                hook.compute_format_data = before

    hook.compute_format_data = compute_format_data
    return undo


def uninstall(*, shell: Any = None) -> None:
    """Gives IPython and other prompts their own display back; does nothing where there is none.

    Args:
        shell: The IPython shell; None for the one that runs, if any.
    """
    shell = shell or _running_shell(required=False)
    undone = _prompts + ([] if shell is None else _installed.pop(shell, []))
    _prompts.clear()
    for undo in undone:
        undo()


def is_installed(shell: Any) -> bool:
    """Whether an IPython shell shows results with treeview."""
    return shell in _installed


@contextmanager
def cell_options(changes: dict[str, Any]) -> Generator[None]:
    """Options that go before those of `install`, until the block ends.

    Args:
        changes: Changes of the options.
    """
    with options(**changes):
        token = _cell.set(_cell.get().union(changes))
        try:
            yield
        finally:
            with suppress(ValueError):  # the context has ended before
                _cell.reset(token)


def _wanted(changes: dict[str, Any]) -> dict[str, Any]:
    """Those changes by `install` that nobody has overruled for the moment."""
    current, defaults = current_options(), Options()

    def overruled(name: str) -> bool:
        return name in _cell.get() or getattr(current, name) is not getattr(defaults, name)

    return {name: value for name, value in changes.items() if not overruled(name)}


def _checked_types(types: type | Iterable[type]) -> tuple[type, ...]:
    chosen: tuple[Any, ...] = (types,) if isinstance(types, type) else tuple(types)
    for kind in chosen:
        if not isinstance(kind, type):
            raise TypeError(f"Expected `types` to be types, got {kind!r}; pass its class instead.")
    return chosen


def _running_shell(*, required: bool) -> Any:
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None and required:
        raise RuntimeError(
            "Expected an IPython shell to run, found none; call this in a notebook or in IPython,"
            " pass `displayhook=True` at the prompt of plain Python, or use `treeview.show`."
        )
    return shell


def _replace_printer(formatter: Any, kind: type, printer: Any) -> Undo:
    """Registers a printer with a formatter and returns what restores the one before."""
    printers: dict[type, Any] = formatter.type_printers
    before = printers.get(kind)
    printers[kind] = printer

    def undo() -> None:
        if printers.get(kind) is not printer:
            return  # somebody else has registered a printer since
        del printers[kind]
        if before is not None:
            printers[kind] = before

    return undo


def _adds_value(obj: Any, formatter: Any) -> bool:
    """Whether an object has no rich output of its own."""
    kind = cast("type[object]", type(obj))
    if kind in _PLAIN_TYPES or issubclass(kind, type):
        return False
    if type_attribute(kind, "__treeview__") is not None:
        return True
    if _real_method(obj, "_repr_mimebundle_") is not None:
        return False
    return not any(
        _has_printer(obj, one) for mime, one in formatter.formatters.items() if mime != "text/plain"
    )


def _has_printer(obj: Any, formatter: Any) -> bool:
    known = _printer(formatter, obj) is not None
    return known or _real_method(obj, str(formatter.print_method)) is not None


def _printer(formatter: Any, obj: Any) -> Any:
    """The printer that is registered with a formatter for an object, or None."""
    try:
        return formatter.lookup(obj)
    except KeyError:
        return None


def _own_bundle(obj: Any) -> Any:
    method = _real_method(obj, "_repr_mimebundle_")
    return None if method is None else method(include=None, exclude=None)


def _real_method(obj: Any, name: str) -> Any:
    """A display method as IPython finds it: not on classes, not where `__getattr__` invents it."""
    return importlib.import_module("IPython.utils.dir2").get_real_method(obj, name)
