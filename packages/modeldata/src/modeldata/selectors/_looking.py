"""What a selection keeps, and the methods that tell what is selected."""

import importlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import wadler_lindig as wl

from modeldata._struct import Struct
from modeldata._tree import KeyPath, path_text
from modeldata.selectors._holes import Found, with_holes, without_holes
from modeldata.selectors._trail import ROOT, Place, Trail

_FIELDS = ("selected_by_path", "remainder")
_MOST_PRINTED = 12
_MOST_TOLD = 4


class State(NamedTuple):
    """What a selection works with.

    Attributes:
        trail: The tree, and the containers above the selected places.
        places: The selected places, none inside another.
        values: The nodes for these places.
        is_settled: Whether the tree has these nodes; else it still has other ones there.
    """

    trail: Trail
    places: list[Place]
    values: list[Any]
    is_settled: bool


class Looking(Struct):
    """Some nodes of a tree, and the rest of it.

    Most selections are only a step to the next one or to an edit. So paths and the tree with holes
    are made when somebody asks for them, which JAX does when a selection is flattened; and a
    selection that JAX puts together finds its places when a method asks for them.
    """

    selected_by_path: Found
    remainder: Any

    def __getattr__(self, name: str) -> Any:
        # Python calls this only for what is not in `__dict__` yet.
        own: Any = self.__dict__
        if name == "_state" and "remainder" in own:
            selected = own["selected_by_path"]
            trail, places = without_holes(own["remainder"], selected)
            own["_state"] = State(trail, places, list(selected.values()), is_settled=True)
        elif name in _FIELDS and "_state" in own:
            state: State = own["_state"]
            paths = state.trail.keys_to(state.places)
            own["selected_by_path"] = OrderedDict(zip(paths, state.values, strict=True))
            own["remainder"] = with_holes(state.trail, state.places)
        else:
            raise AttributeError(f"`{type(self).__name__}` has no attribute `{name}`.")
        return own[name]

    def __getstate__(self) -> dict[str, Any]:
        return self.attributes_dict()

    @classmethod
    def _of(cls, state: State) -> Self:
        """Returns a selection in some state."""
        result: Any = object.__new__(cls)
        attributes: dict[str, Any] = result.__dict__  # not by assignment, because it is frozen
        attributes["_state"] = state
        return result

    @classmethod
    def _of_tree(cls, tree: Any) -> Self:
        """Returns the selection of a whole tree."""
        return cls._of(State(Trail(tree), [ROOT], [tree], is_settled=True))

    def _at(self, trail: Trail, places: list[Place]) -> Self:
        """Returns the selection of some places of a tree."""
        return self._of(State(trail, places, list(map(trail.node_at, places)), is_settled=True))

    def _settled(self) -> tuple[Trail, list[Place]]:
        """Returns the trail of the tree with the selected nodes in it, and their places."""
        state = self._state
        if state.is_settled:
            return state.trail, state.places
        return state.trail.replaced(state.places, state.values), state.places

    # ---- Looking ----

    def count(self) -> int:
        """Returns how many nodes are selected."""
        return len(self._state.places)

    def __len__(self) -> int:
        return self.count()

    def is_empty(self) -> bool:
        """Returns whether nothing is selected."""
        return not self._state.places

    def get(self) -> Any:
        """Returns the one selected node.

        Raises:
            ValueError: If there is not exactly one.
        """
        if self.count() != 1:
            raise ValueError(
                f"Expected exactly one selected node, got {self.count()}{self._places_text()}. Use "
                "`get_sequence()` for all of them, or `pick_nth_selected(n)` to choose one."
            )
        return self._state.values[0]

    def get_sequence(self, *, expect: int | None = None) -> tuple[Any, ...]:
        """Returns the selected nodes in order.

        Args:
            expect: How many nodes must be selected.

        Raises:
            ValueError: If another number of nodes is selected.
        """
        self._check_count(expect)
        return tuple(self._state.values)

    def get_by_path(self, *, expect: int | None = None) -> Found:
        """Returns the selected nodes by their key paths; a pytree, and input of `set_by_path`.

        Args:
            expect: How many nodes must be selected.

        Raises:
            ValueError: If another number of nodes is selected.
        """
        self._check_count(expect)
        return OrderedDict(zip(self.get_keypaths(), self._state.values, strict=True))

    def get_keypaths(self) -> tuple[KeyPath, ...]:
        """Returns the key paths of the selected nodes in order."""
        return tuple(self._state.trail.keys_to(self._state.places))

    def assert_count_is(self, count: int) -> Self:
        """Returns the selection itself, if it has a certain count.

        Args:
            count: The number of nodes that should be selected.

        Raises:
            AssertionError: If another number is.
        """
        if self.count() != count:
            raise AssertionError(self._count_text(count))
        return self

    def show_selection(self) -> None:
        """Shows the tree through treeview, with the selected places marked.

        Raises:
            ImportError: If treeview is not installed.
        """
        _viewer("show_selection").show(self)

    def show_value(self) -> None:
        """Shows the tree through treeview, opened down to the selected places.

        Raises:
            ImportError: If treeview is not installed.
        """
        _viewer("show_value").show_in_sight(self)

    def __pdoc__(self, **_: Any) -> wl.AbstractDoc:
        begin = wl.TextDoc(f"<Selection of {nodes_text(self.count())}:")
        nodes = wl.join(wl.comma, [wl.TextDoc(text) for text in self._shown(_MOST_PRINTED)])
        lines = (wl.BreakDoc(" ") + nodes).nest(2) + wl.BreakDoc("")
        return (begin + lines + wl.TextDoc(">")).group()

    # ---- Helpers ----

    def _check_count(self, expect: int | None) -> None:
        if expect is not None and self.count() != expect:
            raise ValueError(self._count_text(expect))

    def _count_text(self, expected: int) -> str:
        return (
            f"Expected {nodes_text(expected)} to be selected, got {self.count()}"
            f"{self._places_text()}. Check the steps of the selection one by one."
        )

    def _places_text(self) -> str:
        return "" if self.is_empty() else f" ({', '.join(self._shown(_MOST_TOLD))})"

    def _shown(self, most: int) -> list[str]:
        """Returns the type and the path of the first few selected nodes."""
        trail, places, values, _ = self._state
        paths = trail.keys_to(places[:most])
        texts = [
            f"{type(node).__name__} at {path_text(path)}"
            for node, path in zip(values, paths, strict=False)
        ]
        return texts + ["..."] * (len(places) > most) or ["none"]


def _viewer(method: str) -> Any:
    """Returns what knows treeview, which need not be installed."""
    try:
        return importlib.import_module("modeldata._treeview")
    except ImportError as error:
        raise ImportError(
            f"Expected treeview to be installed, because `{method}` uses it, but: {error}. Install "
            "it with `pip install 'modeldata[view]'`, or print the selection."
        ) from error


def nodes_text(count: int) -> str:
    """Returns a number of nodes in words."""
    return "1 node" if count == 1 else f"{count} nodes"


def paths_text(paths: Sequence[KeyPath]) -> str:
    """Returns some paths for a message."""
    more = ["..."] * (len(paths) > _MOST_TOLD)
    return ", ".join([*map(path_text, paths[:_MOST_TOLD]), *more]) or "none"
