"""`Selection`: some nodes of a tree, and the rest of it."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import jax
import wadler_lindig as wl

from modeldata import _repr
from modeldata._partition import NotInThisPartition
from modeldata._struct import Struct, pytree_dataclass
from modeldata._tree import KeyPath, is_function
from modeldata.selectors import _editing, _refining
from modeldata.selectors._holes import (
    Found,
    SelectionHole,
    exchange,
    fill,
    move_holes,
    refill,
    take_out,
)


def select(tree: Any) -> "Selection":
    """Selects a whole tree, as the first step to select parts of it.

    Args:
        tree: Any pytree.
    """
    return Selection(OrderedDict({(): tree}), SelectionHole(()))


@pytree_dataclass
class Selection(Struct):
    """Some nodes of a tree, none of them inside another, and the rest of the tree.

    A selection is a pytree itself, and so is `selected_by_path`; transformations and `jax.tree.map`
    may change what is selected. Editing methods take `expect=n` to insist on a count, because an
    edit that silently reaches nothing, or too much, is the most common mistake.

    Attributes:
        selected_by_path: The selected nodes by their key paths, in the order of the tree.
        remainder: The tree with a `SelectionHole` in the place of each selected node.
    """

    selected_by_path: Found
    remainder: Any

    # ---- Narrowing down ----

    def at(self, accessor_fn: Callable[[Any], Any], *, multiple: bool | None = None) -> "Selection":
        """Selects nodes that a function picks by plain attribute access and indexing.

        Args:
            accessor_fn: Takes a stand-in for each selected node, in which leaves are replaced, and
                returns a node of it, as in `lambda root: root.body.sublayers[0]`; or a collection
                of nodes.
            multiple: Whether it returns a collection. By default, a list, tuple, set or dictionary
                that is not itself a node of the tree counts as a collection.

        Raises:
            AttributeError: If the function looks inside a leaf.
            ValueError: If something it returns is not a node of the tree.
        """
        return self._take(
            lambda _, node: _refining.paths_wanted(
                _refining.accessed_paths(node, accessor_fn, multiple=multiple)
            )
        )

    def at_instances_of(self, cls: Any, *, innermost: bool = False) -> "Selection":
        """Selects the nodes of some types, leaves included.

        Args:
            cls: A class, a tuple of classes, or a union of classes.
            innermost: Whether to select, of nodes that nest, the inner ones; else the outer ones.
        """
        return self._take_where(lambda _, node: isinstance(node, cls), innermost=innermost)

    def at_subtrees_where(
        self,
        filter_fn: Callable[..., bool],
        *,
        with_keypath: bool = False,
        absolute_keypath: bool = False,
        innermost: bool = False,
    ) -> "Selection":
        """Selects the nodes for which a function returns True, leaves included.

        Args:
            filter_fn: Takes a node; or a path and a node.
            with_keypath: Whether it takes the path.
            absolute_keypath: Whether the path starts at the root of the tree; else it starts at
                the node that was selected before.
            innermost: Whether to select, of nodes that nest, the inner ones; else the outer ones.

        Raises:
            TypeError: If the function returns something other than a bool.
        """

        def wanted(path: KeyPath, _: Any) -> _refining.Wanted:
            base = path if absolute_keypath else ()
            return _refining.checked_filter(filter_fn, with_keypath=with_keypath, base=base)

        return self._take(wanted, innermost=innermost)

    def at_equal_to(self, template: Any) -> "Selection":
        """Selects the nodes that are equal (`==`) to an object. Arrays never are.

        Args:
            template: The object to look for.

        Raises:
            ValueError: If it is an array.
        """
        return self._take_where(_refining.equals(template))

    def at_keypaths(self, keypaths: Collection[KeyPath]) -> "Selection":
        """Selects nodes by their key paths, which start at the nodes selected so far.

        Args:
            keypaths: Paths as JAX gives them. Of paths that extend each other the shortest counts.

        Raises:
            ValueError: If a path leads nowhere from any of the nodes selected so far.
        """
        seen: set[KeyPath] = set()
        wanted = frozenset(map(tuple, keypaths))

        def is_wanted(path: KeyPath, _: Any) -> bool:
            if path in wanted:
                seen.add(path)
            return path in wanted

        result = self._take_where(is_wanted)
        shadowed = {path for path in wanted if any(path[:n] in seen for n in range(len(path)))}
        lost = wanted - seen - shadowed
        if lost:
            texts = ", ".join(f"`{jax.tree_util.keystr(path) or '(root)'}`" for path in lost)
            raise ValueError(
                f"Expected key paths that lead from the selected nodes to others, but {texts} "
                "lead nowhere. Take them from `get_keypaths()` of a selection in the same tree."
            )
        return result

    def at_pytree_leaves(self) -> "Selection":
        """Selects all leaves."""
        leaves = jax.tree_util.tree_leaves_with_path

        def wanted(_: KeyPath, node: Any) -> _refining.Wanted:
            return _refining.paths_wanted(path for path, _ in leaves(node))

        return self._take(wanted)

    def at_children(self) -> "Selection":
        """Selects the direct children of the selected nodes; leaves have none and drop out."""
        return self._take_where(lambda path, _: len(path) == 1)

    def at_childless(self) -> "Selection":
        """Selects all leaves and all nodes without children, such as None and `()`."""
        return self._take_where(_refining.is_childless)

    def where(self, filter_fn: Callable[..., Any], *, with_keypath: bool = False) -> "Selection":
        """Keeps the selected nodes for which a function returns something true.

        Args:
            filter_fn: Takes a node; or its path from the root, and the node.
            with_keypath: Whether it takes the path.
        """
        kept = {
            path
            for path, node in self.selected_by_path.items()
            if (filter_fn(path, node) if with_keypath else filter_fn(node))
        }
        return self._take(lambda path, _: lambda relative, _: not relative and path in kept)

    def pick_nth_selected(self, n: int | Sequence[int]) -> "Selection":
        """Keeps some of the selected nodes by their numbers.

        Args:
            n: A number, from 0, or negative to count from the end; or several. Numbers out of
                range select nothing.
        """
        numbers = [n] if isinstance(n, int) else list(n)
        paths = self.get_keypaths()
        kept = {paths[i] for i in numbers if -len(paths) <= i < len(paths)}
        return self.where(lambda path, _: path in kept, with_keypath=True)

    def invert(self) -> "Selection":
        """Selects all that is not selected, in the largest pieces that have no selected node."""
        return Selection(*exchange(self.remainder, self.selected_by_path))

    def refine(self, selector_fn: Callable[[Any], "Selection"]) -> "Selection":
        """Selects parts of each selected node with a function, which may edit them, too.

        Args:
            selector_fn: Takes a selected node, and returns a selection in it.

        Raises:
            ValueError: If it returns something that is not a selection.
        """
        return self.apply(selector_fn, keep_selected=True).flatten_selected_selections()

    def flatten_selected_selections(self) -> "Selection":
        """Turns a selection of selections into a selection of what those have selected.

        Raises:
            ValueError: If a selected node is not a selection.
        """

        def split(path: KeyPath, node: Any) -> tuple[Found, Any]:
            if not isinstance(node, Selection):
                raise ValueError(  # noqa: TRY004  # the node is a wrong value in the tree
                    "Expected every selected node to be a selection, but "
                    f"`{jax.tree_util.keystr(path) or '(root)'}` is {_repr.brief(node)}. Return a "
                    "selection from the function of `refine`, as in `select(node).at(...)`."
                )
            found = OrderedDict(
                ((*path, *relative), inner) for relative, inner in node.selected_by_path.items()
            )
            return found, move_holes(node.remainder, path)

        return self._split(split)

    # ---- Looking ----

    def count(self) -> int:
        """Returns how many nodes are selected."""
        return len(self.selected_by_path)

    def __len__(self) -> int:
        return self.count()

    def is_empty(self) -> bool:
        """Returns whether nothing is selected."""
        return not self.selected_by_path

    def get(self) -> Any:
        """Returns the one selected node.

        Raises:
            ValueError: If there is not exactly one.
        """
        if self.count() != 1:
            raise ValueError(
                f"Expected exactly one selected node, got {self.count()}{self._places()}. Use "
                "`get_sequence()` for all of them, or `pick_nth_selected(n)` to choose one."
            )
        return next(iter(self.selected_by_path.values()))

    def get_sequence(self) -> tuple[Any, ...]:
        """Returns the selected nodes in order."""
        return tuple(self.selected_by_path.values())

    def get_by_path(self) -> Found:
        """Returns the selected nodes by their key paths; a pytree, and input of `set_by_path`."""
        return OrderedDict(self.selected_by_path)

    def get_keypaths(self) -> tuple[KeyPath, ...]:
        """Returns the key paths of the selected nodes in order."""
        return tuple(self.selected_by_path)

    def assert_count_is(self, count: int) -> "Selection":
        """Returns the selection itself, if it has a certain count.

        Args:
            count: The number of nodes that should be selected.

        Raises:
            AssertionError: If another number is.
        """
        if self.count() != count:
            raise AssertionError(self._count_text(count))
        return self

    # ---- Changing ----

    def deselect(self) -> Any:
        """Returns the tree with nothing changed."""
        return fill(self.remainder, self.selected_by_path)

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
        new = OrderedDict(
            (path, fn(path, node) if with_keypath else fn(node))
            for path, node in self.selected_by_path.items()
        )
        result = Selection(new, self.remainder)
        return result if keep_selected else result.deselect()

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
        number_of = {path: number for number, path in enumerate(self.selected_by_path)}
        return self.apply(
            lambda path, node: fn(number_of[path], node),
            with_keypath=True,
            keep_selected=keep_selected,
            expect=expect,
        )

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
            ValueError: If the paths are not those of the selected nodes.
        """
        if not isinstance(replacer, Mapping):
            return self.apply(lambda path, _: replacer(path), with_keypath=True, expect=expect)
        if replacer.keys() != self.selected_by_path.keys():
            missing = [path for path in self.selected_by_path if path not in replacer]
            unknown = [path for path in replacer if path not in self.selected_by_path]
            raise ValueError(
                f"Expected a value for each selected path and no other, but {_paths_text(missing)} "
                f"have none, and {_paths_text(unknown)} are not selected. Start from "
                "`get_by_path()`."
            )
        return self.apply(lambda path, _: replacer[path], with_keypath=True, expect=expect)

    def select_and_set_by_path(self, replacements: Mapping[KeyPath, Any]) -> Any:
        """Replaces nodes at key paths that start at the selected nodes.

        Args:
            replacements: The new nodes by path.

        Raises:
            ValueError: If a path leads nowhere.
        """
        inner = self.at_keypaths(replacements.keys())
        values = {
            (*base, *path): value
            for base in self.selected_by_path
            for path, value in replacements.items()
        }
        return inner.set_by_path({path: values[path] for path in inner.selected_by_path})

    def set_sequence(self, values: Iterable[Any], *, expect: int | None = None) -> Any:
        """Replaces the selected nodes by values, in order.

        Args:
            values: As many values as there are selected nodes.
            expect: How many nodes must be selected.

        Raises:
            ValueError: If there are fewer or more.
        """
        count = self.count()
        taken = [value for _, value in zip(range(count + 1), values, strict=False)]
        if len(taken) != count:
            got = "more" if len(taken) > count else f"only {len(taken)}"
            raise ValueError(
                f"Expected {count} values, one for each selected node, got {got}. Check "
                "`get_keypaths()` for what is selected."
            )
        return self.apply_with_selected_index(lambda i, _: taken[i], expect=expect)

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
        _editing.check_inlinable(self.remainder, self.selected_by_path)
        values = {
            path: list(fn(path, node) if with_keypath else fn(node))
            for path, node in self.selected_by_path.items()
        }
        return _editing.inline(self.remainder, values)

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

    def partition(self, *, at_leaves: bool = False) -> tuple[Any, Any]:
        """Splits the tree in two, which `modeldata.combine` puts together again.

        Args:
            at_leaves: Whether to replace only leaves, so that both parts keep the structure.

        Returns:
            The tree with `NotInThisPartition` for all that is not selected, and the tree with it
            for all that is.
        """

        def without(node: Any) -> Any:
            if at_leaves:
                return jax.tree_util.tree_map(lambda _: NotInThisPartition(), node)
            return NotInThisPartition()

        return self.invert().apply(without), self.apply(without)

    # ---- Helpers ----

    def __pdoc__(self, **_: Any) -> wl.AbstractDoc:
        shown = _paths_text(list(self.selected_by_path))
        return wl.TextDoc(f"<Selection of {_nodes_text(self.count())}: {shown}>")

    def _take_where(self, is_wanted: _refining.Wanted, *, innermost: bool = False) -> "Selection":
        return self._take(lambda *_: is_wanted, innermost=innermost)

    def _take(
        self, wanted: Callable[[KeyPath, Any], _refining.Wanted], *, innermost: bool = False
    ) -> "Selection":
        """Selects, in each selected node, what a test says that is made for this node."""

        def split(path: KeyPath, node: Any) -> tuple[Found, Any]:
            is_wanted = wanted(path, node)
            if innermost:
                is_wanted = _refining.paths_wanted(_refining.innermost_paths(node, is_wanted))
            return take_out(node, path, is_wanted)

        return self._split(split)

    def _split(self, split: Callable[[KeyPath, Any], tuple[Found, Any]]) -> "Selection":
        """Selects parts of each selected node, given a function that takes them out."""
        found: Found = OrderedDict()
        rest: dict[KeyPath, Any] = {}
        for path, node in self.selected_by_path.items():
            inner, rest[path] = split(path, node)
            found.update(inner)
        return Selection(found, refill(self.remainder, rest))

    def _insert(
        self,
        value: Any,
        around: Callable[[Any, Any], list[Any]],
        *,
        and_select: bool,
        expect: int | None,
    ) -> Any:
        make = _as_function(value)
        mark = _editing.Inserted if and_select else _same
        tree = self.apply_and_inline(lambda node: around(node, mark(make(node))), expect=expect)
        if not and_select:
            return tree
        inserted = select(tree).at_instances_of(_editing.Inserted)
        return inserted.apply(lambda marked: marked.value, keep_selected=True)

    def _check_count(self, expect: int | None) -> None:
        if expect is not None and self.count() != expect:
            raise ValueError(self._count_text(expect))

    def _count_text(self, expected: int) -> str:
        return (
            f"Expected {_nodes_text(expected)} to be selected, got {self.count()}"
            f"{self._places()}. Check the steps of the selection one by one."
        )

    def _places(self) -> str:
        return f" ({_paths_text(list(self.selected_by_path))})" if self.selected_by_path else ""


def _as_function(value: Any) -> Callable[[Any], Any]:
    return value if is_function(value) else lambda _: value


def _same(value: Any) -> Any:
    return value


def _nodes_text(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _paths_text(paths: Sequence[KeyPath], most: int = 4) -> str:
    texts = [f"`{jax.tree_util.keystr(path) or '(root)'}`" for path in paths[:most]]
    return ", ".join(texts) + (", ..." if len(paths) > most else "") or "none"
