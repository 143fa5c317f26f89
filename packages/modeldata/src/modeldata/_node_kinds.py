"""How nodes of pytrees come apart and go together, one level at a time, by the rules of JAX.

JAX flattens whole trees, fast, but does not say which node holds which. To find a few nodes in a
tree, and to rebuild only what is above them, takes single levels. The usual containers and structs
are taken apart here, in a fraction of the time that it takes to ask JAX for one level; all other
types are left to JAX.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
from jax.tree_util import DictKey, GetAttrKey, SequenceKey

from modeldata._tree import rebuild

_KIND = "__pytree_node_kind__"


class NodeKind(NamedTuple):
    """What to do with the nodes of one type.

    Attributes:
        children_of: Returns the children of a node, in the order of JAX.
        keys_of: Returns the keys of the children, which make up key paths.
        statics_of: Returns all that belongs to a node besides its children, to be compared.
        with_children: Takes a node and a list of children, and returns another node which has
            these instead. It runs no code of the user's for structs.
    """

    children_of: Callable[[Any], Sequence[Any]]
    keys_of: Callable[[Any], Sequence[Any]]
    statics_of: Callable[[Any], Any]
    with_children: Callable[[Any, list[Any]], Any]


def kind_of(node: Any) -> NodeKind | None:
    """Returns the kind of a node, which is the same for all nodes of its type; None for leaves.

    Args:
        node: Any object.
    """
    cls = type(node)
    kind = _BUILTINS.get(cls) or cls.__dict__.get(_KIND)
    if kind is None and jax.tree_util.is_tree_node(cls):
        return _REGISTERED
    return kind


def is_struct(node: Any) -> bool:
    """Returns whether a node is an instance of a struct class, and so no shared object."""
    return _KIND in type(node).__dict__


def tuple_getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Returns a function from an object to its attributes of some names."""
    if not names:
        return lambda _: ()
    if len(names) == 1:
        get = operator.attrgetter(*names)
        return lambda node: (get(node),)
    return operator.attrgetter(*names)


def struct_kind(
    cls: type,
    data_names: tuple[str, ...],
    static_names: tuple[str, ...],
    *,
    chooses_keys: bool,
) -> NodeKind:
    """Returns the kind of a struct class, and remembers it for `kind_of`.

    A class with `__slots__` is left to JAX, which rebuilds its instances by calling it.

    Args:
        cls: A class.
        data_names: The fields that are children.
        static_names: The other fields.
        chooses_keys: Whether the class has a `key_for_field` of its own.
    """
    new = object.__new__
    keys = tuple(map(GetAttrKey, data_names))
    statics_of = tuple_getter(static_names)

    def own_keys_of(node: Any) -> Sequence[Any]:
        return [node.key_for_field(name) for name in data_names]

    def with_children(node: Any, children: list[Any]) -> Any:
        result: Any = new(cls)
        attributes = result.__dict__  # not by assignment, because it is frozen
        for name, child in zip(data_names, children):  # noqa: B905  # the keyword takes long
            attributes[name] = child
        for name in static_names:
            attributes[name] = getattr(node, name)
        return result

    def with_child(_: Any, children: list[Any]) -> Any:
        result: Any = new(cls)
        result.__dict__[only_name] = children[0]
        return result

    only_name = data_names[0] if len(data_names) == 1 and not static_names else None
    kind = NodeKind(
        children_of=tuple_getter(data_names),
        keys_of=own_keys_of if chooses_keys else lambda _: keys,
        statics_of=statics_of,
        with_children=with_children if only_name is None else with_child,
    )
    if has_dict(cls):
        setattr(cls, _KIND, kind)
    return kind


def has_dict(cls: type) -> bool:
    """Returns whether instances of a class keep their attributes in `__dict__`."""
    return cls.__dictoffset__ != 0


def _sequence_keys(node: Sequence[Any]) -> list[Any]:
    return list(map(SequenceKey, range(len(node))))


def _sorted_keys(node: dict[Any, Any]) -> list[Any]:
    try:
        return sorted(node)
    except TypeError as error:
        raise ValueError(
            f"Expected the keys of a dictionary in a pytree to be comparable, because JAX sorts "
            f"them, but: {error}. Use keys of one type, or an `OrderedDict`."
        ) from error


def _dict_children(node: dict[Any, Any]) -> list[Any]:
    return [node[key] for key in _sorted_keys(node)]


def _dict_with_children(node: dict[Any, Any], children: list[Any]) -> dict[Any, Any]:
    # Starting from a copy keeps the order in which the user wrote the entries.
    return {**node, **dict(zip(_sorted_keys(node), children, strict=True))}


def _children_of_registered(node: Any) -> list[Any]:
    return list(jax.tree_util.flatten_one_level(node)[0])


def _keys_of_registered(node: Any) -> list[Any]:
    # Not `flatten_one_level_with_keys`, which (in JAX 0.10) repeats the first key of namedtuples.
    level = jax.tree_util.tree_leaves_with_path(node, is_leaf=lambda other: other is not node)
    return [path[0] for path, _ in level]


def _one_level(node: Any) -> Any:
    return jax.tree_util.tree_structure(node, is_leaf=lambda other: other is not node)


def _registered_with_children(node: Any, children: list[Any]) -> Any:
    return rebuild(_one_level(node), children)


_BUILTINS: dict[type, NodeKind] = {
    list: NodeKind(tuple, _sequence_keys, len, lambda _, children: children),
    tuple: NodeKind(tuple, _sequence_keys, len, lambda _, children: tuple(children)),
    dict: NodeKind(
        _dict_children,
        lambda node: list(map(DictKey, _sorted_keys(node))),
        _sorted_keys,
        _dict_with_children,
    ),
    type(None): NodeKind(lambda _: (), lambda _: (), lambda _: (), lambda node, _: node),
}
_REGISTERED = NodeKind(
    _children_of_registered, _keys_of_registered, _one_level, _registered_with_children
)
