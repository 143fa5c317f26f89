"""The methods that build another tree, with other nodes in the selected places."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax

from modeldata._partition import NotInThisPartition
from modeldata._tree import KeyPath, is_function, path_text
from modeldata.selectors._looking import State, paths_text
from modeldata.selectors._refining import Refining
from modeldata.selectors._trail import Several


class _Inserted:
    """Marks a value that an edit inserts, so that it can be found afterwards; a leaf to JAX."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Editing(Refining):
    """Selections that can be put back into their tree."""

    def deselect(self, *, expect: int | None = None) -> Any:
        """Returns the tree with the selected nodes in it.

        Args:
            expect: How many nodes must be selected.

        Raises:
            ValueError: If another number of nodes is selected.
        """
        self._check_count(expect)
        trail, places, values, is_settled = self._state
        return trail.root if is_settled else trail.root_with(places, values)

    def apply(
        self,
        fn: Callable[..., Any],
        *,
        with_keypath: bool = False,
        keep_selected: bool = False,
        expect: int | None = None,
    ) -> Any:
        """Replaces each selected node by a function of it.

        Args:
            fn: Takes a node; or its path from the root, and the node.
            with_keypath: Whether it takes the path.
            keep_selected: Whether to return a selection of the new nodes instead of the tree.
            expect: How many nodes must be selected.

        Raises:
            ValueError: If another number of nodes is selected.
        """
        self._check_count(expect)
        nodes = self._state.values
        if with_keypath:
            new = [fn(path, node) for path, node in zip(self.get_keypaths(), nodes, strict=True)]
        else:
            new = [fn(node) for node in nodes]
        return self._with_values(new, keep_selected=keep_selected)

    def apply_with_selected_index(
        self,
        fn: Callable[[int, Any], Any],
        *,
        keep_selected: bool = False,
        expect: int | None = None,
    ) -> Any:
        """Replaces each selected node by a function of its number and itself.

        Args:
            fn: Takes the number of the node in the selection, from 0, and the node.
            keep_selected: Whether to return a selection of the new nodes instead of the tree.
            expect: How many nodes must be selected.

        Raises:
            ValueError: If another number of nodes is selected.
        """
        self._check_count(expect)
        new = [fn(number, node) for number, node in enumerate(self._state.values)]
        return self._with_values(new, keep_selected=keep_selected)

    def set(self, value: Any, *, expect: int | None = None) -> Any:
        """Replaces each selected node by a value.

        Args:
            value: The new node, the same object in all places; or a function of the old node. A
                callable that is a pytree node, such as a layer, is a value.
            expect: How many nodes must be selected.

        Raises:
            ValueError: If another number of nodes is selected.
        """
        return self.apply(_as_function(value), expect=expect)

    def set_by_path(
        self,
        replacer: Mapping[KeyPath, Any] | Callable[[KeyPath], Any],
        *,
        expect: int | None = None,
    ) -> Any:
        """Replaces each selected node by a value that depends on its key path.

        Args:
            replacer: The new nodes by path, as `get_by_path` returns them; or a function of path.
            expect: How many nodes must be selected.

        Raises:
            ValueError: If the paths are not those of the selected nodes, or another number of nodes
                is selected.
        """
        self._check_count(expect)
        paths = self.get_keypaths()
        if not isinstance(replacer, Mapping):
            return self._with_values([replacer(path) for path in paths])
        if replacer.keys() != set(paths):
            missing = [path for path in paths if path not in replacer]
            unknown = [path for path in replacer if path not in set(paths)]
            raise ValueError(
                f"Expected a value for each selected path and no other, but {paths_text(missing)} "
                f"have none, and {paths_text(unknown)} are not selected. Start from "
                "`get_by_path()`."
            )
        return self._with_values([replacer[path] for path in paths])

    def select_and_set_by_path(
        self, replacements: Mapping[KeyPath, Any], *, expect: int | None = None
    ) -> Any:
        """Replaces nodes at key paths that start at the selected nodes.

        Args:
            replacements: The new nodes by path.
            expect: How many nodes must be replaced, in all selected nodes together.

        Raises:
            ValueError: If a path leads nowhere, or another number of nodes would be replaced.
        """
        inner = self.at_keypaths(replacements.keys())
        inner._check_count(expect)  # noqa: SLF001  # of this class
        values = {
            (*base, *path): value
            for base in self.get_keypaths()
            for path, value in replacements.items()
        }
        return inner.set_by_path(lambda path: values[path])

    def set_sequence(self, values: Iterable[Any], *, expect: int | None = None) -> Any:
        """Replaces the selected nodes by values, in order.

        Args:
            values: As many values as there are selected nodes.
            expect: How many nodes must be selected.

        Raises:
            ValueError: If there are fewer or more values, or another number of nodes is selected.
        """
        self._check_count(expect)
        count = self.count()
        taken = [value for _, value in zip(range(count + 1), values, strict=False)]
        if len(taken) != count:
            got = "more" if len(taken) > count else f"only {len(taken)}"
            raise ValueError(
                f"Expected {count} values, one for each selected node, got {got}. Check "
                "`get_keypaths()` for what is selected."
            )
        return self._with_values(taken)

    def apply_and_inline(
        self,
        fn: Callable[..., Iterable[Any]],
        *,
        with_keypath: bool = False,
        expect: int | None = None,
    ) -> Any:
        """Replaces each selected node by any number of nodes in the same list or tuple.

        Args:
            fn: Takes a node, or its path from the root and the node; and returns the new nodes.
            with_keypath: Whether it takes the path.
            expect: How many nodes must be selected.

        Raises:
            ValueError: If a selected node is not an element of a list or tuple, or another number
                of nodes is selected.
        """
        self._check_count(expect)
        self._check_listed()
        return self.apply(lambda *arguments: Several(fn(*arguments)), with_keypath=with_keypath)

    def remove_from_parent(self, *, expect: int | None = None) -> Any:
        """Removes each selected node from the list or tuple that holds it.

        Args:
            expect: How many nodes must be selected.

        Raises:
            ValueError: As for `apply_and_inline`.
        """
        return self.apply_and_inline(lambda _: [], expect=expect)

    def insert_before(
        self,
        value: Any,
        *,
        and_select: bool = False,
        expect: int | None = None,
    ) -> Any:
        """Inserts a value in front of each selected node, in the list or tuple that holds it.

        Args:
            value: The value, the same object in all places; or a function of the selected node,
                which makes a value for each. A callable that is a pytree node, such as a layer,
                is a value.
            and_select: Whether to return a selection of what was inserted instead of the tree.
            expect: How many nodes must be selected.

        Raises:
            ValueError: As for `apply_and_inline`.
        """
        around = lambda node, new: [new, node]  # noqa: E731  # shorter than a def
        return self._insert(value, around, and_select=and_select, expect=expect)

    def insert_after(
        self,
        value: Any,
        *,
        and_select: bool = False,
        expect: int | None = None,
    ) -> Any:
        """Inserts a value behind each selected node, in the list or tuple that holds it.

        Args:
            value: As for `insert_before`.
            and_select: Whether to return a selection of what was inserted instead of the tree.
            expect: How many nodes must be selected.

        Raises:
            ValueError: As for `apply_and_inline`.
        """
        around = lambda node, new: [node, new]  # noqa: E731  # as above
        return self._insert(value, around, and_select=and_select, expect=expect)

    def partition(self, *, at_leaves: bool = False, expect: int | None = None) -> tuple[Any, Any]:
        """Splits the tree in two, which `modeldata.combine` puts together again.

        Args:
            at_leaves: Whether to replace only leaves, so that both parts keep the structure.
            expect: How many nodes must be selected.

        Returns:
            The tree with `NotInThisPartition` for all that is not selected, and the tree with it
            for all that is.

        Raises:
            ValueError: If another number of nodes is selected.
        """
        self._check_count(expect)

        def without(node: Any) -> Any:
            if at_leaves:
                return jax.tree_util.tree_map(lambda _: NotInThisPartition(), node)
            return NotInThisPartition()

        return self.invert().apply(without), self.apply(without)

    # ---- Helpers ----

    def _with_values(self, values: list[Any], *, keep_selected: bool = False) -> Any:
        """Returns the tree with other nodes in the selected places, or a selection of them."""
        trail, places = self._state.trail, self._state.places
        result = self._of(State(trail, places, values, is_settled=False))
        return result if keep_selected else result.deselect()

    def _insert(
        self,
        value: Any,
        around: Callable[[Any, Any], list[Any]],
        *,
        and_select: bool,
        expect: int | None,
    ) -> Any:
        make = _as_function(value)
        if not and_select:
            return self.apply_and_inline(lambda node: around(node, make(node)), expect=expect)
        tree = self.apply_and_inline(
            lambda node: around(node, _Inserted(make(node))), expect=expect
        )
        inserted = self._of_tree(tree).at_instances_of(_Inserted)
        return inserted.apply(lambda marked: marked.value, keep_selected=True)

    def _check_listed(self) -> None:
        """Refuses a selection whose nodes are not all elements of lists or tuples."""
        trail, places = self._state.trail, self._state.places
        for index, (number, _) in enumerate(places):
            if number >= 0 and type(trail.levels[number][0]) in (list, tuple):
                continue
            [path] = trail.keys_to([places[index]])
            place = f"{path_text(path)} is not in one" if path else "this is the root"
            raise ValueError(
                "Expected elements of a list or tuple to replace by several others, but "
                f"{place}. Select such elements, or use `apply` or `set` to put one node in the "
                f"place of another.{_hint(self._state.values[index])}"
            )


def _as_function(value: Any) -> Callable[[Any], Any]:
    return value if is_function(value) else lambda _: value


def _hint(node: Any) -> str:
    if not callable(node) or is_function(node):
        return ""
    return (
        f" To run something before or after this {type(node).__name__}, wrap it: "
        "`.apply(lambda layer: nn.Sequential([layer, other]))`."
    )
