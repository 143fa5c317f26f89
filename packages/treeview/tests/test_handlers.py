"""How Python's own types look."""

import ast
import collections
import datetime
import decimal
import enum
import functools
import math
import pathlib
import re
import time
import types
import typing
import uuid
import weakref
from dataclasses import dataclass, field
from fractions import Fraction

import pytest

import treeview
from treeview._inline import text_width


def shown(obj, width=80, **options):
    return treeview.render_text(obj, width=width, **options)


class Color(enum.Enum):
    RED = "r"


class Level(enum.IntEnum):
    LOW = 1


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2


class Word(enum.StrEnum):
    YES = "yes"


class Count(int):
    pass


class Name(str):
    pass


class Ratio(float):
    pass


class Loud(int):
    def __repr__(self):
        return "LOUD"


class Items(list):
    pass


class Tagged(dict):
    pass


class Pair(typing.NamedTuple):
    left: int
    right: object


class Plain:
    def __init__(self):
        self.a = 1
        self.b = [2]


class Slotted:
    __slots__ = ("a", "unset")

    def __init__(self):
        self.a = 1


class SlottedChild(Slotted):
    def __init__(self):
        super().__init__()
        self.c = 3


class Described:
    def __repr__(self):
        return "Described(deep inside)"


class Table:
    def __repr__(self):
        return "   a  b\n0  1  2\n1  3  4"


@dataclass
class Layer:
    size: int
    parts: list = field(default_factory=list)
    cache: object = field(default=None, repr=False)


@dataclass
class Record(dict):
    size: int = 3


STRUCT_TIME = """\
struct_time(
  tm_year=0,
  tm_mon=1,
  tm_mday=2,
  tm_hour=3,
  tm_min=4,
  tm_sec=5,
  tm_wday=6,
  tm_yday=7,
  tm_isdst=8,
)"""


def function(x):
    return x


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (..., "Ellipsis"),
        (NotImplemented, "NotImplemented"),
        (True, "True"),
        (-3, "-3"),
        (1e300, "1e+300"),
        (math.nan, "nan"),
        (1 - 2j, "(1-2j)"),
        ("it's", '"it\'s"'),
        ("a\nb", "'a\\nb'"),
        (b"a\x00", "b'a\\x00'"),
        (Count(3), "Count(3)"),
        (Name("x"), "Name('x')"),
        (Ratio(0.5), "Ratio(0.5)"),
        (Loud(3), "LOUD"),
        (bytearray(b"ab"), "bytearray(b'ab')"),
        ([], "[]"),
        ((), "()"),
        ((1,), "(1,)"),
        ({}, "{}"),
        (set(), "set()"),
        ({3, 1, 2}, "{1, 2, 3}"),
        (frozenset(), "frozenset()"),
        (frozenset({"b", "a"}), "frozenset({'a', 'b'})"),
        (Items([1, 2]), "Items([1, 2])"),
        (Tagged(a=1), "Tagged({'a': 1})"),
        (Pair(1, [2]), "Pair(left=1, right=[2])"),
        (types.SimpleNamespace(a=1, b=[2]), "SimpleNamespace(a=1, b=[2])"),
        (collections.OrderedDict(b=1, a=2), "OrderedDict({'b': 1, 'a': 2})"),
        (collections.defaultdict(list, {1: [2]}), "defaultdict(list, {1: [2]})"),
        (collections.Counter("aab"), "Counter({'a': 2, 'b': 1})"),
        (collections.deque([1, 2]), "deque([1, 2])"),
        (collections.deque([1, 2], maxlen=5), "deque([1, 2], maxlen=5)"),
        (collections.ChainMap({1: 2}, {3: 4}), "ChainMap({1: 2}, {3: 4})"),
        (collections.UserDict({1: 2}), "UserDict({1: 2})"),
        (collections.UserList([1]), "UserList([1])"),
        (types.MappingProxyType({1: 2}), "mappingproxy({1: 2})"),
        ({1: 2}.keys(), "dict_keys([1])"),
        ({1: 2}.items(), "dict_items([(1, 2)])"),
        (Color.RED, "Color.RED"),
        (Level.LOW, "Level.LOW"),
        (Word.YES, "Word.YES"),
        (Mode.READ | Mode.WRITE, "Mode.READ | Mode.WRITE"),
        (Mode(0), "Mode(0)"),
        (Access.READ | Access.WRITE, "Access.READ | Access.WRITE"),
        (range(1, 9, 2), "range(1, 9, 2)"),
        (slice(1, None), "slice(1, None, None)"),
        (datetime.date(2026, 1, 2), "datetime.date(2026, 1, 2)"),
        (datetime.timedelta(3), "datetime.timedelta(days=3)"),
        (decimal.Decimal("1.50"), "Decimal('1.50')"),
        (Fraction(1, 3), "Fraction(1, 3)"),
        (pathlib.PurePosixPath("a/b"), "PurePosixPath('a/b')"),
        (uuid.UUID(int=5), "UUID('00000000-0000-0000-0000-000000000005')"),
        (re.compile("a+"), "re.compile('a+')"),
        (Plain(), "Plain(a=1, b=[2])"),
        (object(), "object()"),
        (Slotted(), "Slotted(a=1)"),
        (SlottedChild(), "SlottedChild(c=3, a=1)"),
        (Described(), "Described(deep inside)"),
        (Layer(1, [2], cache=3), "Layer(size=1, parts=[2])"),
        (len, "len"),
        (math.sin, "math.sin"),
        (str.join, "str.join"),
        ([].append, "<built-in function list.append>"),
        (math, "<module math>"),
        (int, "int"),
        (functools.partial(print, 1, end=""), "partial(print, 1, end='')"),
        (list[int], "list[int]"),
        (property(), "property()"),
        (staticmethod(len), "staticmethod(len)"),
        (classmethod(math.sin), "classmethod(math.sin)"),
        (functools.cached_property(len), "cached_property(len)"),
        (functools.lru_cache(3)(len), "lru_cache(len)  # 0 of 3 results kept, 0 hits"),
        (memoryview(b"ab"), "memoryview(b'ab')"),
        (memoryview(b"abcd").cast("H"), "<memoryview of format 'H', shape (2)>"),
        (weakref.ref(Plain), "<ReferenceType to a type>"),
        (iter([1, 2]), "<list_iterator with 2 items left>"),
        (map(len, []), "<map>"),
        (Access(5), "Access(5)"),
        (Access.READ | 8, "Access(9)"),
        (time.struct_time(range(9)), STRUCT_TIME),
        (ValueError("no", 3), "ValueError('no', 3)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_looks_like_this(value, text):
    assert shown(value) == text


def test_huge_integers_are_shortened_and_counted():
    assert shown(10**200) == f"{'1' + '0' * 39}…{'0' * 10} (201 digits)"
    assert shown(-(10**200)).startswith("-1000")
    start, rest = shown(-(7**20_000)).split("…")
    assert start.startswith("-0x")
    assert int(start[3:], 16) == 7**20_000 >> (
        (7**20_000).bit_length() - len(start[3:]) * 4 + (-(7**20_000).bit_length() % 4)
    )
    assert rest in (" (about 16,902 digits)", " (about 16,903 digits)")


def test_long_strings_open_to_lines():
    value = "first line\n" + "x" * 100
    assert shown(value) == "\n".join(
        [
            "(",
            "  'first line\\n'",
            f"  {'x' * 72!r}",
            f"  {'x' * 28!r}",
            ")",
        ]
    )


def test_long_strings_fold_to_their_start_and_length():
    assert shown([["word " * 50] * 3] * 2, max_lines=4).splitlines()[1] == (
        "  ['word word word word word word word word …' (250 characters), … 2 more],"
    )


def test_very_long_strings_are_cut_and_counted():
    lines = shown("x" * 1_000_000, max_lines=None, width=100).splitlines()
    assert len(lines) < 150
    assert lines[-2:] == ["  … 990,000 more characters", ")"]


def test_an_unsortable_set_keeps_its_order():
    value = {1, "a", None}
    assert sorted(shown(value)[1:-1].split(", ")) == ["'a'", "1", "None"]


def test_a_container_with_attributes_shows_both():
    items = Items([1, 2])
    items.label = "mine"
    assert shown(items) == "Items([1, 2], label='mine')"
    assert shown(Record(4)) == "Record({}, size=4)"


def test_a_missing_field_is_said():
    layer = Layer(1)
    del layer.size
    assert shown(layer) == "Layer(size=<is missing>, parts=[])"


def test_a_field_that_raises_is_said():
    class Lazy:
        __attrs_attrs__ = ()

    @dataclass
    class Sour:
        sweet: int = 1

        def __getattribute__(self, name):
            if name == "sweet":
                raise RuntimeError("sour")
            return object.__getattribute__(self, name)

    assert shown(Sour()) == "Sour(sweet=<.sweet raised RuntimeError: sour>)"


def test_a_repr_of_several_lines_keeps_its_columns():
    assert shown(Table()) == "<Table\n     a  b\n  0  1  2\n  1  3  4\n>"
    assert shown([[Table()]] * 1, max_lines=2).splitlines()[1] == "  [a  b 0  1  2 1  3  4],"


def test_a_huge_repr_is_cut_and_counted():
    class Huge:
        def __repr__(self):
            return "line\n" * 100_000

    lines = shown(Huge(), max_lines=None, max_items=10_000).splitlines()
    assert lines[-2:] == ["  … 490,000 more characters", ">"]
    assert len(lines) == 2003


def test_an_empty_repr_is_not_nothing():
    class Empty:
        def __repr__(self):
            return ""

    assert shown(Empty()) == "<Empty>"


def test_functions_and_classes_say_where_they_are_defined():
    line = function.__code__.co_firstlineno
    name = shown(function, width=200)
    assert name.endswith(f"test_handlers.py:{line}")
    assert "function" in name.split("  # ")[0]
    assert "test_handlers.py" in shown(Plain, width=200)


def test_local_functions_are_marked():
    assert "<function test_local_functions_are_marked.<locals>.<lambda>>" in shown(
        lambda: 0, width=200
    )


def test_methods_show_what_they_are_bound_to():
    class Bound:
        def method(self):
            pass

    assert shown(Bound().method) == "<method of Bound().method>"


def test_generators_are_not_run():
    def count():
        yield 1

    generator = count()
    assert "count" in shown(generator)
    assert list(generator) == [1]


def test_iterators_and_files_are_not_read(tmp_path):
    iterator = iter([1, 2])
    shown(iterator)
    assert list(iterator) == [1, 2]
    path = tmp_path / "file"
    path.write_text("text")
    with path.open() as file:
        shown(file)
        assert file.read() == "text"


def test_exceptions_show_notes_causes_and_places():
    try:
        try:
            {}["key"]
        except KeyError as cause:
            error = ValueError("bad value, and this is a rather long story")
            error.add_note("look here")
            raise error from cause
    except ValueError as caught:
        value = caught
    lines = shown(value, width=90).splitlines()
    assert lines[0].startswith("ValueError(  # at ")
    assert "test_handlers.py:" in lines[0]
    assert lines[1:3] == [
        "  'bad value, and this is a rather long story',",
        "  __notes__=['look here'],",
    ]
    assert lines[3].startswith("  __cause__=KeyError('key'),  # at ")


def test_exceptions_show_what_else_they_hold():
    class Failed(Exception):
        def __init__(self, code, reason):
            super().__init__(reason)
            self.code, self.reason = code, reason

    assert shown(Failed(3, "no")) == "Failed('no', code=3)"


def test_looking_at_wrappers_calls_nothing():
    def boom(*_):
        raise RuntimeError("called")

    iterator = iter([1, 2])
    for wrapper in (property(boom), map(boom, [1]), functools.lru_cache(boom), iterator):
        assert "called" not in shown(wrapper)
    assert list(iterator) == [1, 2]
    gone = weakref.ref(Plain())
    assert shown(gone) == "<ReferenceType to nothing any more>"


def test_a_cache_is_no_python_in_a_roundtrip():
    assert shown(functools.lru_cache(3)(len), roundtrip=True).startswith("<lru_cache(len)>")


def test_a_released_memory_is_no_more_than_its_name():
    view = memoryview(b"ab")
    view.release()
    assert "memory" in shown(view)


def test_exception_groups_show_their_members():
    group = ExceptionGroup("several", [ValueError(1), TypeError(2)])
    assert shown(group) == "ExceptionGroup('several', [ValueError(1), TypeError(2)])"


def raise_at_depth(depth):
    if depth:
        raise_at_depth(depth - 1)
    raise ValueError("deep")


def test_an_exception_that_went_through_frames_shows_all_of_them():
    for depth, frames in [(1, 3), (2, 4)]:
        try:
            raise_at_depth(depth)
        except ValueError as error:
            lines = shown(error).splitlines()
            start = lines.index("  __traceback__=traceback[")
            assert lines[0].startswith("ValueError(  # at ")
            assert len(lines[start + 1 : lines.index("  ],")]) == frames
            assert lines[-3].endswith(" in raise_at_depth,")
            assert "__traceback__" not in treeview.render_text(error, roundtrip=True)


def test_tracebacks_show_their_places():
    try:
        1 / 0
    except ZeroDivisionError as error:
        trace = error.__traceback__
    assert re.fullmatch(
        r"traceback\[.*test_handlers.py:\d+ in test_tracebacks_show_their_places\]",
        shown(trace, width=200),
    )


def test_syntax_trees_show_their_fields_and_no_places():
    tree = ast.parse("x + 1", mode="eval").body
    left = "Name(id='x', ctx=Load())"
    assert shown(tree, 120) == f"BinOp(left={left}, op=Add(), right=Constant(value=1, kind=None))"


def test_a_roundtrip_of_a_syntax_tree_makes_an_equal_one():
    tree = ast.parse("def f(a, *b): return [a for a in b if a] or 'text'")
    again = eval(shown(tree, roundtrip=True), {"ast": ast})
    assert ast.dump(again) == ast.dump(tree)


def test_a_roundtrip_of_a_structure_of_the_operating_system_evaluates():
    moment = time.gmtime(0)
    assert eval(shown(moment, roundtrip=True), {"time": time}) == moment


def test_a_type_variable_is_no_python():
    assert shown(typing.TypeVar("T"), roundtrip=True) == "<~T>"


@pytest.mark.parametrize("width", [30, 40, 80, 200])
@pytest.mark.parametrize("value", ["漢字" * 90, "ab\x00\"'" * 90, b"\xff" * 200, "a b " * 90])
def test_pieces_of_long_strings_fit_the_width(value, width):
    lines = shown(value, width, max_lines=None).splitlines()
    assert max(map(text_width, lines)) <= min(width, 80)
    assert eval("\n".join(lines)) == value


def test_released_memory_is_said():
    view = memoryview(b"abc")
    view.release()
    assert shown(view) == "<released memoryview>"
