"""Lists, mappings, sets and their relatives in the standard library."""

from collections import (
    ChainMap,
    Counter,
    OrderedDict,
    UserDict,
    UserList,
    UserString,
    defaultdict,
    deque,
)
from collections.abc import Collection
from types import MappingProxyType
from typing import Any

from treeview._document import EMPTY, Text, text
from treeview._guard import has_only
from treeview._names import class_of, type_attribute
from treeview._paths import Attribute, Opaque, Step
from treeview._registry import Registry
from treeview._view import Sketch, View, instance_fields

_SORTED = 10_000
"""Larger sets are shown in the order in which they are."""

_SHORT_TUPLE = 100
"""Tuples of so many plain values are shown again where they are met again."""

# The methods of the base classes are called, for a subclass may have broken ones.
_list: Any = list
_tuple: Any = tuple
_dict: Any = dict
_ordered: Any = OrderedDict
_deque: Any = deque

_STATE_DICT = ("_metadata",)
"""What PyTorch writes on the dictionaries that hold the state of modules."""

_FRESH = frozenset({int, str, float, bool, bytes, complex, type(None)})


def register(registry: Registry) -> None:
    """Registers the handlers of this module."""
    registry.register(list, draw_list)
    registry.register(tuple, draw_tuple)
    registry.register(set, draw_set)
    registry.register(frozenset, draw_set)
    registry.register(dict, draw_dict)
    registry.register(OrderedDict, draw_ordered)
    registry.register(defaultdict, draw_defaultdict)
    registry.register(Counter, draw_dict)
    registry.register(deque, draw_deque)
    registry.register(ChainMap, draw_chain)
    registry.register(MappingProxyType, draw_proxy)
    registry.register(UserDict, draw_user)
    registry.register(UserList, draw_user)
    registry.register(UserString, draw_user)
    nothing: dict[Any, Any] = {}
    for view_type in (type(nothing.keys()), type(nothing.values()), type(nothing.items())):
        registry.register(view_type, draw_dict_view)


def draw_list(obj: Any, view: View) -> Sketch:
    """A list: `[1, 2]`, or `Name([1, 2])` for a subclass."""
    items = Sketch(_OPEN_LIST, obj, _CLOSE_LIST, steps="index", count=_list.__len__(obj))
    if type(obj) is list:
        return items
    items.children = _list.__iter__(obj)
    return _wrapped(obj, items, view)


def draw_tuple(obj: Any, view: View) -> Sketch:
    """A tuple: `(1, 2)`, `Name(x=1, y=2)` if its fields have names, else `Name((1, 2))`."""
    count = _tuple.__len__(obj)
    kind = class_of(obj)
    if kind is tuple:
        fresh = count <= _SHORT_TUPLE and has_only(obj, _FRESH)
        return Sketch(_OPEN_TUPLE, obj, _CLOSE_TUPLE, steps="index", count=count, fresh=fresh)
    names = _field_names(kind, count)
    # Types written in C have names for their members, but do not take them in calls.
    named = not (view.options.roundtrip and type_attribute(kind, "n_sequence_fields"))
    if named and class_of(names) is tuple and len(names) == count and has_only(names, {str}):
        return view.record(obj, dict(zip(names, _tuple.__iter__(obj), strict=True)))
    items = Sketch(_OPEN_TUPLE, _tuple.__iter__(obj), _CLOSE_TUPLE, steps="index", count=count)
    return _wrapped(obj, items, view)


def _field_names(kind: type, count: int) -> Any:
    """What names the members of a tuple: `_fields`, or what types written in C have instead."""
    if type_attribute(kind, "n_sequence_fields") == count:
        return type_attribute(kind, "__match_args__")
    return type_attribute(kind, "_fields")


def draw_set(obj: Any, view: View) -> Sketch:
    """A set: `{1, 2}`, `set()`, `frozenset({1, 2})`, `Name({1, 2})`; sorted where that is safe."""
    base: Any = set if issubclass(class_of(obj), set) else frozenset
    count = base.__len__(obj)
    name = None if class_of(obj) is set else view.type_name(class_of(obj))
    if count == 0:
        return Sketch(text((name or "set", "type"), "("), (), _CLOSE, count=0)
    values: Any = base.__iter__(obj)
    if count <= _SORTED:
        items: list[Any] = list(values)
        if any(has_only(items, {kind}) for kind in (int, float, str, bytes)):
            items.sort()
        values = items
    steps: Step | None = Opaque("member")
    head = text((name, "type"), "({") if name else text("{")
    return Sketch(
        head, values, text("})" if name else "}"), steps=[steps] * min(count, 1000), count=count
    )


def draw_dict(obj: Any, view: View) -> Sketch:
    """A dictionary: `{'a': 1}`, or `Name({'a': 1})` for a subclass."""
    items = Sketch(
        head=_OPEN_DICT,
        children=_dict.values(obj),
        tail=_CLOSE_DICT,
        labels=_dict.keys(obj),
        joint=": ",
        steps="key",
        count=_dict.__len__(obj),
    )
    return items if type(obj) is dict else _wrapped(obj, items, view)


def draw_ordered(obj: Any, view: View) -> Sketch:
    """An ordered dictionary, in its own order."""
    items = view.mapping(obj, _ordered.items(obj), count=_dict.__len__(obj))
    return _wrapped(obj, items, view, hidden=_STATE_DICT)


def draw_defaultdict(obj: Any, view: View) -> Sketch:
    """A dictionary with its factory: `defaultdict(list, {'a': [1]})`."""
    items = view.mapping(obj, _dict.items(obj), count=_dict.__len__(obj))
    return _wrapped(obj, items, view, first={"default_factory": obj.default_factory})


def draw_deque(obj: Any, view: View) -> Sketch:
    """A deque: `deque([1, 2], maxlen=2)`."""
    items = view.sequence(obj, _deque.__iter__(obj), count=_deque.__len__(obj))
    limit = {} if obj.maxlen is None else {"maxlen": obj.maxlen}
    return _wrapped(obj, items, view, last=limit)


def draw_chain(obj: ChainMap[Any, Any], view: View) -> Sketch:
    """The dictionaries of a chain, first one first."""
    name, maps = view.type_name(class_of(obj)), obj.maps
    steps = [Opaque(f"map {index}") for index in range(len(maps))]
    return view.sequence(obj, maps, brackets=("(", ")"), name=name, steps=steps)


def draw_proxy(obj: MappingProxyType[Any, Any], view: View) -> Sketch:
    """A read-only view of a mapping."""
    return _wrapped(obj, view.mapping(obj, obj.items()), view)


def draw_user(obj: UserDict[Any, Any] | UserList[Any] | UserString, view: View) -> Sketch:
    """A `UserDict`, `UserList` or `UserString` as a call with its data."""
    name, steps = view.type_name(class_of(obj)), [Attribute("data")]
    return view.sequence(obj, [obj.data], brackets=("(", ")"), name=name, steps=steps)


def draw_dict_view(obj: Any, view: View) -> Sketch:
    """Keys, values or items of a dictionary."""
    return view.sequence(
        obj, obj, brackets=("([", "])"), name=view.type_name(class_of(obj)), steps=None
    )


def _wrapped(
    obj: object,
    items: Sketch,
    view: View,
    *,
    first: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
    hidden: Collection[str] = (),
) -> Sketch:
    """The items of a container of another name, with what else the instance holds."""
    name = view.type_name(class_of(obj))
    fields = {**(last or {}), **instance_fields(obj)}
    for key in hidden:
        fields.pop(key, None)
    if not first and not fields:
        items.head = text((name, "type"), "(", items.head)
        items.tail = text(items.tail, ")")
        return items
    labels: list[Text] = [EMPTY] * (len(first or ()) + 1)
    labels += [text((key, "field"), "=") for key in fields]
    steps: list[Step] = [Attribute(key) for key in first or ()]
    steps += [Opaque("items"), *(Attribute(key) for key in fields)]
    return Sketch(
        head=text((name, "type"), "("),
        children=[*(first or {}).values(), items, *fields.values()],
        tail=_CLOSE,
        labels=labels,
        steps=steps,
        count=len(labels),
        omitted_name="fields",
    )


_OPEN_LIST, _CLOSE_LIST = text("["), text("]")
_OPEN_TUPLE, _CLOSE_TUPLE = text("("), text(")")
_OPEN_DICT, _CLOSE_DICT = text("{"), text("}")
_CLOSE = text(")")
