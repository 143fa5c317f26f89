"""The roundtrip law: the text evaluates to an equal object, or it is no Python."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import math
import pathlib
import re
import sys
import types
import typing
import uuid

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import treeview


class Color(enum.Enum):
    RED = "red"
    GREEN = (1, 2)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mode(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2


class Word(enum.StrEnum):
    YES = "yes"


class Point(typing.NamedTuple):
    x: object
    y: object = None


Pair = collections.namedtuple("Pair", "first second")  # noqa: PYI024 - both kinds are meant


@dataclasses.dataclass
class Layer:
    name: str
    weights: object
    hidden: object = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    value: object
    more: tuple = ()


class Count(int):
    pass


class Label(str):
    pass


class Ratio(float):
    pass


class Items(list):
    pass


class Table(dict):
    pass


class Outer:
    class Inner(enum.Enum):
        ONE = 1

    @dataclasses.dataclass
    class Part:
        size: int


LOCAL = [Color, Level, Mode, Access, Word, Point, Pair, Layer, Frozen, Count, Label, Ratio]
LOCAL += [Items, Table, Outer]


@pytest.fixture(scope="module", autouse=True)
def module_by_name():
    """This module can be found under its name, as any imported module can."""
    module = types.ModuleType("shapes")
    kept = {cls: cls.__module__ for cls in (*LOCAL, Outer.Inner, Outer.Part)}
    for cls in kept:
        cls.__module__ = "shapes"
    vars(module).update({cls.__name__: cls for cls in LOCAL})
    sys.modules["shapes"] = module
    yield
    del sys.modules["shapes"]
    for cls, name in kept.items():
        cls.__module__ = name


MODULES = (collections, datetime, decimal, fractions, functools, ipaddress, math, pathlib, re)
MODULES += (types, uuid)


def evaluated(written):
    names = {module.__name__: module for module in MODULES}
    return eval(written, names | {"numpy": np, "shapes": sys.modules["shapes"]})


def same(one, two):
    """Whether two objects are equal and of one type, all the way down; NaN equals NaN."""
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray):
        if one.dtype != two.dtype or one.shape != two.shape:
            return False
        return all(same(*pair) for pair in zip(one.ravel().tolist(), two.ravel().tolist()))
    if isinstance(one, float):
        equal = one == two and math.copysign(1, one) == math.copysign(1, two)
        return equal or (math.isnan(one) and math.isnan(two))
    if isinstance(one, complex):
        return same(one.real, two.real) and same(one.imag, two.imag)
    if isinstance(one, decimal.Decimal) and one.is_nan():
        return two.is_nan()
    if isinstance(one, dict | types.MappingProxyType):
        if getattr(one, "default_factory", None) is not getattr(two, "default_factory", None):
            return False
        return same([*one.items()], [*two.items()])
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(two, name)) for name in names)
    if isinstance(one, types.SimpleNamespace):
        return same(vars(one), vars(two))
    if isinstance(one, collections.deque) and one.maxlen != two.maxlen:
        return False
    if isinstance(one, list | tuple | collections.deque | collections.UserList):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, collections.UserDict):
        return same(one.data, two.data)
    if isinstance(one, functools.partial):
        return same([one.func, one.args, one.keywords], [two.func, two.args, two.keywords])
    return one == two


hashable = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(max_size=30)
    | st.binary(max_size=30)
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.times()
    | st.uuids()
    | st.ip_addresses()
    | st.sampled_from([*Color, *Level, *Word, Mode(0), Mode(3), Access(3), Access(0), Mode.RUN])
    | st.sampled_from(
        [Outer.Inner.ONE, Color, Outer.Part, int, math.sin, len, np.sin, ..., Ellipsis]
    )
    | st.builds(pathlib.PurePosixPath, st.sampled_from(["a/b", ".", "/x y/'z'"]))
    | st.builds(range, st.integers(-9, 9), st.integers(-9, 99), st.integers(1, 9))
    | st.builds(Count, st.integers())
    | st.builds(Label, st.text(max_size=5))
    | st.builds(Ratio, st.floats(allow_nan=False))
)
dtypes = ["bool", "int8", "uint64", "float16", "float32", "float64", "complex64", "<U3", "S2"]
dtypes += ["datetime64[s]", "timedelta64[D]", ">f4", "int64"]
numpy_arrays = st.sampled_from(dtypes).flatmap(
    lambda dtype: st.sampled_from([(), (0,), (3,), (2, 0), (2, 3), (1, 2, 2)]).map(
        lambda shape: (
            np.arange(max(math.prod(shape), 1)).astype(dtype)[: math.prod(shape)].reshape(shape)
        )
    )
)
special_arrays = st.sampled_from(
    [np.array([np.nan, np.inf, -np.inf, -0.0]), np.array([0.1, 1 / 3], "float32"), np.eye(3)]
)
numpy_scalars = st.sampled_from(
    [
        *(np.float32(0.1), np.float64("nan"), np.float16("-inf"), np.longdouble("0.1")),
        *(np.complex64(1j), np.complex128("nan"), np.int8(-3), np.bool_(True), np.str_("a'b")),
        *(np.datetime64("2026-01-02"), np.timedelta64(3, "D")),
    ]
)
leaves = (
    hashable
    | st.floats()
    | st.complex_numbers()
    | numpy_arrays
    | special_arrays
    | numpy_scalars
    | st.sampled_from([np.dtype("float32"), np.dtype([("a", "i4"), ("b", "f8", 2)])])
    | st.builds(slice, st.integers(), st.none() | st.integers())
    | st.builds(bytearray, st.binary(max_size=120))
    | st.builds(memoryview, st.binary(max_size=120))
    | st.text(min_size=90, max_size=400)
    | st.integers(2**400, 2**420)
)


def containers(inner):
    many = st.lists(inner, max_size=4)
    names = st.sampled_from(["a", "b", "longer_name"])
    table = st.dictionaries(hashable, inner, max_size=4)
    return (
        many
        | many.map(tuple)
        | many.map(Items)
        | many.map(collections.UserList)
        | st.builds(collections.deque, many, st.none() | st.integers(4, 9))
        | table
        | table.map(Table)
        | table.map(collections.OrderedDict)
        | table.map(lambda items: collections.defaultdict(list, items))
        | table.map(types.MappingProxyType)
        | table.map(collections.UserDict)
        | st.text(max_size=9).map(collections.UserString)
        | st.dictionaries(names, inner, max_size=3).map(lambda d: types.SimpleNamespace(**d))
        | st.sets(hashable, max_size=4)
        | st.frozensets(hashable, max_size=4)
        | st.lists(st.text(max_size=3), max_size=9).map(collections.Counter)
        | st.builds(Layer, st.text(max_size=9), inner, inner)
        | st.builds(Frozen, value=inner, more=many.map(tuple))
        | st.builds(Point, inner, inner)
        | st.builds(Pair, inner, inner)
        | st.builds(Outer.Part, st.integers())
        | inner.map(lambda value: [value, value])  # shared
        | many.map(lambda values: functools.partial(print, *values, sep=values))
    )


anything = st.recursive(leaves, containers, max_leaves=20)


# Shrinking values of so many kinds would take minutes.
@settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(anything, st.sampled_from([10, 40, 80, 500]))
def test_roundtrip_text_evaluates_to_an_equal_object(value, width):
    written = treeview.render_text(value, roundtrip=True, width=width)
    assert same(evaluated(written), value)


def local_class():
    @dataclasses.dataclass
    class Local:
        size: int

    return Local


class Plain:
    def __init__(self):
        self.a = [1]


class Boastful:
    """Says it is something else, which even is Python."""

    def __repr__(self):
        return "[1, 2]"


CYCLE = [1]
CYCLE.append(CYCLE)
NOT_PYTHON = {
    "a local class": local_class()(1),
    "a plain object": Plain(),
    "a repr that is no Python": Boastful(),
    "a cycle": CYCLE,
    "a function without a name": lambda: 0,
    "an array of objects": np.array([None, 1], object),
    "a masked array": np.ma.array([1, 2], mask=[0, 1]),
    "keys of a dictionary": {"a": 1}.keys(),
    "a generator": (index for index in "ab"),
    "a bound builtin": "".join,
    "an object": object(),
}


@pytest.mark.parametrize("width", [20, 200])
@pytest.mark.parametrize("name", NOT_PYTHON)
def test_what_cannot_be_rebuilt_is_no_python_and_still_readable(name, width):
    written = treeview.render_text(
        {"before": 1, "it": NOT_PYTHON[name]}, roundtrip=True, width=width
    )
    with pytest.raises(SyntaxError):
        compile(written, "", "eval")
    assert "'before': 1" in written
    assert "<" in written


def test_what_cannot_be_rebuilt_says_what_it_is():
    written = treeview.render_text([Plain(), local_class()(1), "".join], roundtrip=True, width=200)
    assert written == (
        "[<packages.treeview.tests.test_roundtrip.Plain(a=[1])>, <unreachable>.Local(size=1), "
        "<built-in function str.join>]"
    ).replace("packages.treeview.tests.test_roundtrip", Plain.__module__)
