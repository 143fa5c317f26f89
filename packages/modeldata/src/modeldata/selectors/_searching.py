"""The two loops that look for nodes: one that asks each node, one that goes by keys.

Both go from the root down in the order of JAX, call a test at most once for each node, and take the
outermost of nested matches unless told otherwise. They keep a stack of their own, so that depth is
no limit, and look for cycles only in trees that are deeper than trees should be.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from modeldata._node_kinds import NodeKind, kind_of
from modeldata.selectors._trail import Place, Trail

TypeRule = tuple[bool | None, NodeKind | None]
"""Whether nodes of a type are wanted (None: ask each), and how to get into them (None: do not)."""

_NOTHING: TypeRule = (False, None)
_SUSPICIOUS_DEPTH = 500

Step = Callable[[Any, Any, Any], tuple[Any, bool]]
"""From the state of a container, the key of a child and the child to the child's state (None to
stay out of it) and whether it is wanted."""


def ask_each(node: Any) -> TypeRule:
    """The rule for types that says to ask each node, and to look into it."""
    return None, kind_of(node)


def is_childless(node: Any) -> bool:
    """Returns whether a node is a leaf, or a container with nothing in it."""
    kind = kind_of(node)
    return kind is None or not kind.children_of(node)


def search(
    trail: Trail,
    starts: Iterable[Place],
    is_wanted: Callable[[Any], bool],
    rule_for: Callable[[Any], TypeRule] = ask_each,
    *,
    innermost: bool = False,
) -> list[Place]:
    """Looks for nodes by asking each of them.

    Args:
        trail: The containers known so far, to which this adds.
        starts: The places of the nodes to look into; these may be wanted themselves.
        is_wanted: Takes a node.
        rule_for: Takes the first node of each type, and says what to do with nodes of this type.
        innermost: Whether to take the innermost of nested matches.

    Returns:
        The places of the wanted nodes, in order.
    """
    rules: dict[type, TypeRule] = {}

    def rule_of(node: Any) -> TypeRule:
        rule = rule_for(node)
        rules[type(node)] = _NOTHING if rule == _NOTHING else rule
        return rules[type(node)]

    found: list[Place] = []
    for start in starts:
        found += _search_from(trail, start, is_wanted, rules, rule_of, innermost=innermost)
    return _innermost(trail, found) if innermost else found


def _search_from(
    trail: Trail,
    start: Place,
    is_wanted: Callable[[Any], bool],
    rules: dict[type, TypeRule],
    rule_of: Callable[[Any], TypeRule],
    *,
    innermost: bool,
) -> list[Place]:
    """Searches one node, given the rules so far, and a function that adds one."""
    levels = trail.levels
    found: list[Place] = []
    number = start[0]
    items: Iterator[tuple[int, Any]] = iter(((start[1], trail.node_at(start)),))
    stack: list[tuple[Iterator[tuple[int, Any]], int]] = []
    while True:
        for position, node in items:
            verdict, kind = rules.get(type(node)) or rule_of(node)
            if verdict or (verdict is None and is_wanted(node)):
                found.append((number, position))
                if not innermost:
                    continue
            if kind is None or not (children := kind.children_of(node)):
                continue
            if len(children) == 1 and rules.get(type(children[0])) is _NOTHING:
                continue  # the most frequent case, a layer with one parameter
            stack.append((items, number))
            levels.append((node, children, number, position, kind))
            number = len(levels) - 1
            items = enumerate(children)
            if len(stack) % _SUSPICIOUS_DEPTH == 0:
                trail.refuse_cycle(number)
            break
        else:
            if not stack:
                return found
            items, number = stack.pop()


def follow(
    trail: Trail,
    starts: Iterable[tuple[Place, Any, bool]],
    step: Step,
    *,
    innermost: bool = False,
) -> list[Place]:
    """Looks for nodes by their keys.

    Args:
        trail: The containers known so far, to which this adds.
        starts: The places of the nodes to look into, each with a state, and whether it is wanted.
        step: What a key leads to.
        innermost: Whether to take the innermost of nested matches.

    Returns:
        The places of the wanted nodes, in order.
    """
    found: list[Place] = []
    for place, state, wanted in starts:
        if wanted:
            found.append(place)
            if not innermost:
                continue
        stack = [_level(trail, trail.node_at(place), place, state)]
        while stack:
            number, state, items = stack[-1]  # noqa: PLW2901  # goes down, and up again
            for position, key, node in items:
                inner, wanted = step(state, key, node)  # noqa: PLW2901  # as above
                if wanted:
                    found.append((number, position))
                if inner is not None and (innermost or not wanted):
                    stack.append(_level(trail, node, (number, position), inner))
                    if len(stack) % _SUSPICIOUS_DEPTH == 0:
                        trail.refuse_cycle(len(trail.levels) - 1)
                    break
            else:
                stack.pop()
    return _innermost(trail, found) if innermost else found


def _level(
    trail: Trail, node: Any, place: Place, state: Any
) -> tuple[int, Any, Iterator[tuple[int, Any, Any]]]:
    """Enters a node; returns its number, the state and its numbered children with their keys."""
    kind = kind_of(node)
    children = () if kind is None else kind.children_of(node)
    if kind is None or not children:
        return -1, state, iter(())
    trail.levels.append((node, children, *place, kind))
    return (
        len(trail.levels) - 1,
        state,
        zip(range(len(children)), kind.keys_of(node), children, strict=True),
    )


def _innermost(trail: Trail, found: list[Place]) -> list[Place]:
    """Leaves out the places that hold others."""
    holders = {trail.place_of(number) for number in trail.above(found)}
    return [place for place in found if place not in holders]
