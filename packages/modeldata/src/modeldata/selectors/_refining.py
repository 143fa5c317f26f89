"""The methods that narrow a selection down."""

import abc
import operator
import types
import typing
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Self, SupportsIndex

import jax
import numpy as np

from modeldata import _repr
from modeldata._node_kinds import is_struct, kind_of
from modeldata._tree import KeyPath, path_text
from modeldata.named import NamedArray
from modeldata.selectors import _patterns
from modeldata.selectors._accessing import accessed_places
from modeldata.selectors._looking import Looking, State, paths_text
from modeldata.selectors._searching import (
    Step,
    TypeRule,
    ask_each,
    follow,
    is_childless,
    search,
)

_ARRAYS = (jax.Array, np.ndarray, NamedArray)
_IS_WANTED = object()


class Refining(Looking):
    """Selections that can be narrowed down."""

    def at(self, accessor_fn: Callable[[Any], Any], *, multiple: bool | None = None) -> Self:
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
        trail, places = self._start()
        found = [
            place
            for start in places
            for place in accessed_places(trail, start, accessor_fn, multiple=multiple)
        ]
        return self._at(trail, found)

    def at_instances_of(self, cls: Any, *, innermost: bool = False) -> Self:
        """Selects the nodes of some types, leaves included.

        Args:
            cls: A class, a tuple of classes, or a union of classes.
            innermost: Whether to select, of nodes that nest, the inner ones; else the outer ones.

        Raises:
            TypeError: If `cls` is something else.
        """
        rule_for = _rule_for_classes(cls)
        return self._where(lambda node: isinstance(node, cls), rule_for, innermost=innermost)

    def at_subtrees_where(
        self,
        filter_fn: Callable[..., bool],
        *,
        with_keypath: bool = False,
        absolute_keypath: bool = False,
        innermost: bool = False,
    ) -> Self:
        """Selects the nodes for which a function returns True, leaves included.

        Args:
            filter_fn: Takes a node; or a path and a node. It is called once for each node.
            with_keypath: Whether it takes the path.
            absolute_keypath: Whether the path starts at the root of the tree; else it starts at
                the node that was selected before.
            innermost: Whether to select, of nodes that nest, the inner ones; else the outer ones.

        Raises:
            TypeError: If the function returns something other than a bool.
        """
        if not with_keypath:
            return self._where(lambda node: _verdict(filter_fn(node), node), innermost=innermost)

        def begin(path: KeyPath, node: Any) -> tuple[KeyPath, bool]:
            path = path if absolute_keypath else ()
            return path, _verdict(filter_fn(path, node), node)

        def step(path: KeyPath, key: Any, node: Any) -> tuple[KeyPath, bool]:
            path = (*path, key)
            return path, _verdict(filter_fn(path, node), node)

        return self._follow(begin, step, innermost=innermost)

    def at_equal_to(self, template: Any) -> Self:
        """Selects the nodes that are equal (`==`) to an object. Arrays never are.

        Args:
            template: The object to look for.

        Raises:
            ValueError: If it is an array.
        """
        if isinstance(template, _ARRAYS):
            raise ValueError(  # noqa: TRY004  # objects of most types will do
                f"Expected a template that `==` compares as a whole, got the array "
                f"{_repr.brief(template)}. Use `at_subtrees_where` with a test of your own."
            )

        def is_wanted(node: Any) -> bool:
            if isinstance(node, _ARRAYS):
                return False
            try:
                return bool(node == template)
            except Exception:  # arrays of other libraries do not say in one word
                return False

        return self._where(is_wanted)

    def at_path(self, *patterns: str) -> Self:
        """Selects nodes by patterns of the paths that lead to them from the nodes selected so far.

        A pattern is a path as it is printed, `.body.sublayers[0]['key']`, the first dot optional.
        In names and keys, `*` stands for any characters and `?` for one. As steps of their own,
        `.*` is any one step, `[*]` any one index or key, and `**` any number of steps, also none:

            model.select().at_path("**.attention.query")
            model.select().at_path(".body.sublayers[*].delta", ".body.sublayers[0]")

        Args:
            *patterns: A node is selected if its path matches one of them, from beginning to end.
                Of nested nodes the outer ones are selected.

        Raises:
            TypeError: If a pattern is no text.
            ValueError: If a pattern is not made of such steps.
        """
        compiled = _patterns.PathPatterns(patterns)
        start = compiled.start()
        return self._follow(lambda *_: (start, compiled.is_match(start)), compiled.step)

    def at_label(self, *patterns: str) -> Self:
        """Selects parameters and other variables by patterns of their labels.

        Values and slots of variables count, too, and nodes of your own that have a `label`.

        Args:
            *patterns: Labels, in which `*` stands for any characters but `/`, `**` for any
                characters, and `?` for one but `/`. A node is selected if its label matches one.

        Raises:
            TypeError: If a pattern is no text.
        """
        return self._where(_patterns.has_label(patterns))

    def at_arrays(self, *, shape: Any = None, dtype: Any = None) -> Self:
        """Selects arrays by their shape, axis names and type of elements.

        A named array is selected as a whole. A variable that holds an array is a leaf, and is
        selected itself. Anything with a `shape` and a `dtype` counts as an array.

        Args:
            shape: The size of each axis in the order of the data, with or without names: None for
                any size, and once `...` for any number of axes. Or a mapping from axis names to
                sizes (None for any), for named arrays that have at least these axes.
            dtype: A type of elements, or its name; or an abstract type such as `np.floating`,
                or its name: "floating", "integer", "unsignedinteger", "signedinteger", "inexact",
                "complexfloating", "number", "prng_key".

        Raises:
            TypeError: If `shape` or `dtype` is something else.
            ValueError: If `...` occurs twice in `shape`.
        """
        is_wanted = _patterns.is_array_like(shape, dtype)

        def rule_for(node: Any) -> TypeRule:
            return (None, None) if isinstance(node, NamedArray) else ask_each(node)

        return self._where(is_wanted, rule_for)

    def at_keypaths(self, keypaths: Collection[KeyPath]) -> Self:
        """Selects nodes by their key paths, which start at the nodes selected so far.

        Args:
            keypaths: Paths as JAX gives them. Of paths that extend each other the shortest counts.

        Raises:
            ValueError: If a path leads nowhere from any of the nodes selected so far.
        """
        wanted = [tuple(path) for path in keypaths]
        ways: dict[Any, Any] = {}
        for path in wanted:
            way = ways
            for key in path:
                way = way.setdefault(key, {})
            way[_IS_WANTED] = path
        seen: set[KeyPath] = set()

        def step(way: dict[Any, Any], key: Any, _: Any) -> tuple[Any, bool]:
            inner = way.get(key)
            is_wanted = inner is not None and _IS_WANTED in inner
            if inner is not None and is_wanted:
                seen.add(inner[_IS_WANTED])
            return inner, is_wanted

        result = self._follow(lambda *_: step({0: ways}, 0, None), step)
        lost = [path for path in wanted if not any(path[:n] in seen for n in range(len(path) + 1))]
        if lost:
            raise ValueError(
                f"Expected key paths that lead from the selected nodes to others, but "
                f"{paths_text(lost)} lead nowhere. Take them from `get_keypaths()` of a selection "
                "in the same tree."
            )
        return result

    def at_pytree_leaves(self) -> Self:
        """Selects all leaves."""

        def rule_for(node: Any) -> TypeRule:
            kind = kind_of(node)
            return kind is None, kind

        return self._where(lambda _: False, rule_for)

    def at_children(self) -> Self:
        """Selects the direct children of the selected nodes; leaves have none and drop out."""
        return self._follow(lambda *_: (True, False), lambda *_: (None, True))

    def at_childless(self) -> Self:
        """Selects all leaves and all nodes without children, such as None and `()`."""
        return self._where(is_childless)

    def where(self, filter_fn: Callable[..., Any], *, with_keypath: bool = False) -> Self:
        """Keeps the selected nodes for which a function returns something true.

        Args:
            filter_fn: Takes a node; or its path from the root, and the node.
            with_keypath: Whether it takes the path.
        """
        nodes = self._state.values
        arguments = zip(self.get_keypaths(), nodes, strict=True) if with_keypath else zip(nodes)
        return self._keep([bool(filter_fn(*each)) for each in arguments])

    def pick_nth_selected(self, n: SupportsIndex | Sequence[int]) -> Self:
        """Keeps some of the selected nodes by their numbers.

        Args:
            n: A number, from 0, or negative to count from the end; or several. Numbers out of
                range select nothing.
        """
        count = self.count()
        numbers = [operator.index(n)] if isinstance(n, SupportsIndex) else list(n)
        kept = {number % count for number in numbers if -count <= number < count}
        return self._keep([number in kept for number in range(count)])

    def invert(self) -> Self:
        """Selects all that is not selected, in the largest pieces that have no selected node."""
        trail, places = self._settled()
        return self._at(trail, trail.others(places))

    def refine(self, selector_fn: Callable[[Any], Any]) -> Self:
        """Selects parts of each selected node with a function, which may edit them, too.

        Args:
            selector_fn: Takes a selected node, and returns a selection in it.

        Raises:
            ValueError: If it returns something that is not a selection.
        """
        trail, places, values, _ = self._state
        chosen = list(map(selector_fn, values))
        return self._of(
            State(trail, places, chosen, is_settled=False)
        ).flatten_selected_selections()

    def flatten_selected_selections(self) -> Self:
        """Turns a selection of selections into a selection of what those have selected.

        Raises:
            ValueError: If a selected node is not a selection.
        """
        trail, places, values, _ = self._state
        for path, node in zip(trail.keys_to(places), values, strict=True):
            if not isinstance(node, Refining):
                raise ValueError(  # noqa: TRY004  # the node is a wrong value in the tree
                    f"Expected every selected node to be a selection, but {path_text(path)} is "
                    f"{_repr.brief(node)}. Return a selection from the function of `refine`, as in "
                    "`select(node).at(...)`."
                )
        inner = [selection._settled() for selection in values]  # noqa: SLF001  # of this class
        whole = trail.replaced(places, [each.root for each, _ in inner]).copy()
        found = [
            place
            for outer, each in zip(places, inner, strict=True)
            for place in whole.graft(outer, *each)
        ]
        return self._at(whole, found)

    # ---- Helpers ----

    def _start(self) -> tuple[Any, Any]:
        """Returns a trail to make longer, and the places from which to go on."""
        trail, places = self._settled()
        return trail.copy(), places

    def _where(
        self,
        is_wanted: Callable[[Any], bool],
        rule_for: Callable[[Any], TypeRule] = ask_each,
        *,
        innermost: bool = False,
    ) -> Self:
        trail, places = self._start()
        return self._at(trail, search(trail, places, is_wanted, rule_for, innermost=innermost))

    def _follow(
        self,
        begin: Callable[[KeyPath, Any], tuple[Any, bool]],
        step: Step,
        *,
        innermost: bool = False,
    ) -> Self:
        """Selects by keys, given what to make of the path and the node at which to start."""
        trail, places = self._start()
        starts = [
            (place, *begin(path, trail.node_at(place)))
            for path, place in zip(trail.keys_to(places), places, strict=True)
        ]
        return self._at(trail, follow(trail, starts, step, innermost=innermost))

    def _keep(self, kept: list[bool]) -> Self:
        trail, places = self._settled()
        chosen = [place for place, is_kept in zip(places, kept, strict=True) if is_kept]
        return self._at(trail, chosen)


def _verdict(verdict: Any, node: Any) -> bool:
    if not isinstance(verdict, (bool, np.bool_)):
        raise TypeError(
            f"Expected the filter to return True or False, but for {_repr.brief(node)} it returned "
            f"{_repr.brief(verdict)}. Wrap the result in `bool(...)` if that is what is meant."
        )
    return bool(verdict)


def _rule_for_classes(cls: Any) -> Callable[[Any], TypeRule]:
    """Returns a rule by which `isinstance` is asked once for a type, where that is the same."""
    by_type_alone = all(map(_is_plain, _classes(cls)))

    def rule_for(node: Any) -> TypeRule:
        is_decided = by_type_alone and (is_struct(node) or _says_its_class(type(node)))
        return isinstance(node, cls) if is_decided else None, kind_of(node)

    return rule_for


def _classes(cls: Any) -> Iterator[type]:
    if isinstance(cls, tuple):
        for each in cls:
            yield from _classes(each)
    elif isinstance(cls, types.UnionType) or typing.get_origin(cls) is typing.Union:
        yield from typing.get_args(cls)
    elif isinstance(cls, type):
        yield cls
    else:
        raise TypeError(
            f"Expected a class, or a tuple or union of classes, got {_repr.brief(cls)}. To select "
            "by something else, use `at_subtrees_where`."
        )


def _is_plain(cls: type) -> bool:
    check = type(cls).__instancecheck__
    return check in (type.__instancecheck__, abc.ABCMeta.__instancecheck__)


def _says_its_class(cls: type) -> bool:
    """Returns whether `isinstance` finds for instances of a class what it finds for the class."""
    return all("__class__" not in vars(base) for base in cls.__mro__[:-1])
