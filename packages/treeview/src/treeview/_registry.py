"""Who draws what: handlers and array adapters by type.

Libraries register through entry points of the group `treeview.handlers`. The name of an entry
point is the top-level module that must have been imported before it matters, its value a function
that is called with the registry. Treeview's own adapters come the same way from a built-in table,
so importing treeview imports no other library, and neither does drawing an object.
"""

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from treeview._guard import STOP, describe_error
from treeview._names import type_mro, type_name
from treeview._view import ArraySketch, Shown, View

if TYPE_CHECKING:
    from treeview.arrays.protocol import ArrayAdapter

GROUP = "treeview.handlers"

Handler = Callable[[Any, View], Shown | None]
"""Says how an object looks, or None for "not mine"."""

_ADAPTERS = {
    "numpy": "numpy",
    "scipy.sparse": "scipy",
    "pandas": "pandas",
    "polars": "polars",
    "xarray": "xarray",
    "PIL.Image": "pillow",
    "pydantic": "pydantic",
    "omegaconf": "omegaconf",
    "msgspec": "msgspec",
    "jax": "jax",
    "jax.experimental.sparse": "_jax_sparse",
    "flax.linen": "linen",
    "flax.nnx": "nnx",
    "equinox": "equinox",
    "optax": "optax",
    "torch": "torch",
    "transformers.configuration_utils": "transformers",
}
_OWN = {
    "builtins": "treeview.handlers:register",
    "ast": "treeview.handlers.syntax:register",
    **{module: f"treeview.adapters.{file}:register" for module, file in _ADAPTERS.items()},
}
_ADAPTER_METHODS = ("describe", "statistics", "fetch")


class _Plugin(NamedTuple):
    """What one library brings: its name for messages, and what finds its function."""

    name: str
    load: Callable[[], Callable[["Registry"], object]]


class _Table:
    """Handlers and adapters from one side."""

    __slots__ = ("adapters", "handlers", "virtual")

    def __init__(self) -> None:
        self.handlers: dict[type, Handler] = {}
        self.adapters: dict[type, ArrayAdapter] = {}
        self.virtual: list[type] = []


class Registry:
    """Handlers and array adapters by type.

    What a user registers goes before what plugins register for the same class, whichever comes
    first. Of two plugins the later one wins, and treeview's own come first.
    """

    def __init__(self) -> None:
        self._user = _Table()
        self._plugins = _Table()
        self._loading = False
        self._waiting: dict[str, list[_Plugin]] | None = None
        self._lock = RLock()

    def register(self, cls: type, handler: Handler) -> None:
        """Says how instances of a class, and of its subclasses, look.

        Args:
            cls: The class. For an abstract base class, its virtual subclasses count too.
            handler: Called with an object and a `View`; returns a node or a sketch made by the
                view, or None to leave the object to the next handler.

        Raises:
            TypeError: `cls` is no class, or `handler` cannot be called.
        """
        _check_class(cls, handler)
        if not callable(handler):
            raise TypeError(
                f"Expected `handler` for `{type_name(cls)}` to be a function of an object and a "
                f"view, got {handler!r}."
            )
        with self._lock:
            self._table(cls).handlers[cls] = handler

    def register_array(self, cls: type, adapter: "ArrayAdapter") -> None:
        """Says who speaks for arrays of a class, and of its subclasses.

        Args:
            cls: The class. For an abstract base class, its virtual subclasses count too.
            adapter: Its spokesman, with the methods of `ArrayAdapter`.

        Raises:
            TypeError: `cls` is no class, or `adapter` lacks a method.
        """
        _check_class(cls, adapter)
        for method in _ADAPTER_METHODS:
            if isinstance(adapter, type) or not callable(getattr(adapter, method, None)):
                raise TypeError(
                    f"Expected `adapter` for `{type_name(cls)}` to be an object with methods "
                    f"`describe`, `statistics` and `fetch`, got {adapter!r}."
                )
        with self._lock:
            self._table(cls).adapters[cls] = adapter

    def unregister(self, cls: type) -> None:
        """Forgets what a user has registered for a class; what plugins registered counts again.

        Args:
            cls: The class. Nothing happens where nobody has registered it.
        """
        with self._lock:
            self._user.handlers.pop(cls, None)
            self._user.adapters.pop(cls, None)

    def _table(self, cls: type) -> _Table:
        table = self._plugins if self._loading else self._user
        # `type.__subclasscheck__` is what a class has that invents no subclasses.
        if type(cls).__subclasscheck__ is not type.__subclasscheck__ and cls not in table.virtual:
            table.virtual.append(cls)
        return table

    def handlers_for(self, cls: type) -> list[Handler]:
        """Who may draw a class: along its MRO, then for virtual base classes, `object` last."""
        *bases, root = type_mro(cls)
        found: list[Handler] = []
        for base in (*bases, *self._virtual_bases(cls, bases), root):
            handler, adapter = self._at(base)
            if handler is not None:
                found.append(handler)
            if adapter is not None:
                found.append(_array_handler(adapter))
        return found

    def handler_for(self, cls: type) -> Handler | None:
        """The first handler for a class, or None."""
        return next(iter(self.handlers_for(cls)), None)

    def adapter_for(self, cls: type) -> "ArrayAdapter | None":
        """The first array adapter for a class, or None."""
        bases = type_mro(cls)
        every = (*bases, *self._virtual_bases(cls, bases))
        adapters = (self._at(base)[1] for base in every)
        return next((adapter for adapter in adapters if adapter is not None), None)

    def _virtual_bases(self, cls: type, bases: Sequence[type]) -> list[type]:
        known = (*self._user.virtual, *self._plugins.virtual)
        return [base for base in known if _is_virtual_subclass(cls, base, bases)]

    def _at(self, base: type) -> "tuple[Handler | None, ArrayAdapter | None]":
        user, plugins = self._user, self._plugins
        try:
            # A user's adapter must not hide behind a plugin's handler, nor the other way round.
            if base in user.handlers or base in user.adapters:
                return user.handlers.get(base), user.adapters.get(base)
            return plugins.handlers.get(base), plugins.adapters.get(base)
        except STOP:
            raise
        except BaseException:  # a metaclass with a broken `__hash__` or `__eq__`
            return None, None

    def load_plugins(self) -> None:
        """Lets every library that was imported meanwhile register its types.

        A plugin that fails is named in a warning, once, and is left out from then on.
        """
        with self._lock:
            if self._waiting is None:
                self._waiting = _find_plugins()
            waiting = self._waiting
            for module in [module for module in waiting if _is_imported(module)]:
                for plugin in waiting.pop(module):
                    self._call_plugin(plugin)

    def _call_plugin(self, plugin: _Plugin) -> None:
        self._loading = True
        try:
            plugin.load()(self)
        except STOP:
            raise
        except BaseException as error:
            warnings.warn(
                f"The plugin `{plugin.name}` of `{GROUP}` failed and is left out: "
                f"{describe_error(error)}",
                RuntimeWarning,
                stacklevel=2,
            )
        finally:
            self._loading = False


def _find_plugins() -> dict[str, list[_Plugin]]:
    # This module is slow to import and not needed before the first rendering.
    from importlib.metadata import entry_points  # noqa: PLC0415

    found: dict[str, list[_Plugin]] = {}
    for module, target in _OWN.items():
        found.setdefault(module, []).append(_Plugin(target, _loader(target)))
    for point in entry_points(group=GROUP):
        plugin = _Plugin(f"{point.name} = {point.value}", point.load)
        found.setdefault(point.name, []).append(plugin)
    return found


def _loader(target: str) -> Callable[[], Any]:
    module, _, attribute = target.partition(":")
    return lambda: getattr(import_module(module), attribute)


def _is_imported(module: str) -> bool:
    """Whether a module has been imported completely; half of one is no good to a plugin."""
    loaded = sys.modules.get(module)
    if loaded is None:
        return False
    try:
        return not getattr(loaded.__spec__, "_initializing", False)
    except STOP:
        raise
    except BaseException:  # whatever stands there is not a module, but it stands there
        return True


def _array_handler(adapter: "ArrayAdapter") -> Handler:
    return lambda obj, _: ArraySketch(obj, adapter)


def _is_virtual_subclass(cls: type, base: type, bases: Sequence[type]) -> bool:
    try:
        return issubclass(cls, base) and not any(base is real for real in bases)
    except STOP:
        raise
    except BaseException:
        return False


def _check_class(cls: object, what: object) -> None:
    if not isinstance(cls, type):
        raise TypeError(f"Expected a class to register {what!r} for, got {cls!r}.")


default_registry = Registry()
"""The registry that renderings use."""

register = default_registry.register
register_array = default_registry.register_array
unregister = default_registry.unregister
