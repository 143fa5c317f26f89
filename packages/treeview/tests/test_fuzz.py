"""Objects made at random, with methods that raise, lie and recurse, in graphs with cycles.

A quick round runs with all tests. `nox -s fuzz -- SECONDS` goes on with new ones for that time.
"""

import collections
import collections.abc
import itertools
import os
import types
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import treeview

EXAMPLES = int(os.environ.get("TREEVIEW_FUZZ_EXAMPLES", "60"))

fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


class Odd(BaseException):
    """No `Exception`, and with a message that cannot be had."""

    def __str__(self):
        raise RuntimeError("no message")


def again(self, *args):
    """Renders itself while it is rendered."""
    return treeview.render_text([self], max_nodes=50)


def endless(self, *args):
    return itertools.count()


def raising(error):
    def method(self, *args, **kwargs):
        raise type(error)(*error.args)

    return method


def returning(value):
    return lambda self, *args, **kwargs: value


TEXTS = ["</script><b>", "\x1b[31m\x00\u202e\ud800", "word " * 500, "a\nb\r\u2028c", "", "é" * 90]
BEHAVIOURS = {
    **{
        f"raises {error!r}": raising(error)
        for error in (ValueError("no"), KeyError(), MemoryError())
    },
    "raises recursion": raising(RecursionError("deep")),
    "raises odd": raising(Odd()),
    "raises attribute": raising(AttributeError("gone")),
    "raises stop": raising(StopIteration(3)),
    **{
        f"returns {value!r:.20}": returning(value)
        for value in (None, 3, -1, 2**70, 1.5, b"x", (), [])
    },
    **{f"says {value!r:.20}": returning(value) for value in TEXTS},
    "is endless": endless,
    "renders": again,
    "returns itself": lambda self, *args: self,
    "returns a class": lambda self, *args: dict,
    "returns a node": lambda self, view=None: treeview.View,
    "is no function": 3,
    "is nothing": None,
}
METHODS = (
    "__repr__ __str__ __eq__ __hash__ __len__ __iter__ __getattr__ __getattribute__ __bool__ __dir__"
    " __getitem__ __contains__ __format__ __reduce__ __treeview__ _repr_html_ _repr_mimebundle_"
    " _repr_pretty_ keys values items __array__ __jax_array__ __index__ __float__ __fspath__"
    " __instancecheck__ __set_name__ __sizeof__ __length_hint__ __next__ __call__ __treescope_repr__"
).split()
PROPERTIES = (
    "__class__ __dict__ __dataclass_fields__ __attrs_attrs__ _fields __wrapped__ shape dtype name"
    " __name__ __qualname__ __module__ __doc__ args __traceback__ _name_ _value_ model_fields"
    " default_factory maxlen data maps"
).split()
META = "__getattribute__ __hash__ __eq__ __instancecheck__ __subclasscheck__ __repr__".split()
META_PROPERTIES = "__name__ __qualname__ __module__ __mro__ __dict__ __doc__ __bases__".split()
BASES = {
    "object": (object,),
    **{
        kind.__name__: (kind,) for kind in (dict, list, tuple, set, int, str, float, bytes, complex)
    },
    **{kind.__name__: (kind,) for kind in (frozenset, bytearray, Exception, types.SimpleNamespace)},
    **{kind.__name__: (kind,) for kind in (collections.OrderedDict, collections.UserDict)},
    **{kind.__name__: (kind,) for kind in (collections.deque, collections.defaultdict, np.ndarray)},
}
CONTENTS = {"tuple": ((1, 2),), "list": ([1, "two"],), "dict": ({"a": [1]},), "set": ({1},)}
CONTENTS |= {"str": ("text",), "int": (5,), "ndarray": ((2, 3),), "Exception": ("bad", [1])}

behaviours = st.dictionaries(st.sampled_from(METHODS), st.sampled_from([*BEHAVIOURS]), max_size=4)
properties = st.dictionaries(
    st.sampled_from(PROPERTIES), st.sampled_from([*BEHAVIOURS]), max_size=2
)
metas = st.dictionaries(st.sampled_from(META), st.sampled_from([*BEHAVIOURS]), max_size=2)
meta_properties = st.dictionaries(
    st.sampled_from(META_PROPERTIES), st.sampled_from([*BEHAVIOURS]), max_size=1
)
shapes = st.tuples(st.sampled_from([*BASES]), behaviours, properties, metas, meta_properties)


def make(shape):
    """An object of a description; None where Python itself refuses to make such a class."""
    base, methods, fields, meta, meta_fields = shape

    def space(methods, fields):
        found = {name: BEHAVIOURS[what] for name, what in methods.items()}
        for name, what in fields.items():
            found[name] = (
                property(BEHAVIOURS[what]) if callable(BEHAVIOURS[what]) else BEHAVIOURS[what]
            )
        return found

    try:
        bases = BASES[base]
        kind = type
        # Python's own checks ask all subclasses of an abstract class, which then would all fail.
        if type(bases[0]) is type and (meta or meta_fields):
            kind = type("Meta", (type(bases[0]),), space(meta, meta_fields))
        cls = type.__call__(kind, "Hostile", bases, space(methods, fields))
        obj = bases[0].__new__(cls, *CONTENTS.get(base, ()))
        if base in {"dict", "list", "set", "SimpleNamespace", "deque", "Exception"}:
            bases[0].__init__(obj, *CONTENTS.get(base, ()))
        if base == "ndarray":
            np.ndarray.__setitem__(obj, ..., 0)
        object.__setattr__(obj, "inside", [1, obj])
    except BaseException:
        return None
    return obj


def build_graph(members, links):
    """Objects in containers, some of them shared, some of them around themselves."""
    pool = list(members)
    for container, chosen in links:
        parts = [pool[index % len(pool)] for index in chosen if pool]
        if container == "list":
            pool.append(parts)
        elif container == "tuple":
            pool.append(tuple(parts))
        elif container == "dict":
            pool.append(dict(enumerate(parts)))
        elif container == "namespace":
            pool.append(types.SimpleNamespace(parts=parts))
        else:
            loop = [*parts]
            loop.append({"loop": loop})
            pool.append(loop)
    return pool


graphs = st.lists(
    st.tuples(
        st.sampled_from(["list", "tuple", "dict", "namespace", "loop"]),
        st.lists(st.integers(0, 99), max_size=5),
    ),
    max_size=6,
)
OPTIONS = st.fixed_dictionaries(
    {
        "width": st.sampled_from([1, 7, 40, 80, 200]),
        "max_lines": st.sampled_from([1, 10, None]),
        "depth": st.sampled_from([None, 0, 1, 3]),
        "totals": st.booleans(),
        "roundtrip": st.booleans(),
        "autovisualize": st.booleans(),
    }
)


def is_clean(text):
    return all(character.isprintable() or character == "\n" for character in text)


@fuzzed
@given(st.lists(shapes, min_size=1, max_size=4), graphs, OPTIONS)
def test_whatever_objects_do_they_are_shown_and_their_neighbours_too(members, links, options):
    made = [obj for obj in map(make, members) if obj is not None]
    pool = build_graph(made, links)
    tree = {"before": "the first", "all": pool, "after": "the last"}
    # An endless iterator has no end in a roundtrip, which knows no budget; nobody asks for that.
    if "is endless" in str(members):
        options["roundtrip"] = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = treeview.render_text(tree, seconds=20, **options)
        page = treeview.render_html(tree, seconds=20, **options)
    assert is_clean(written)
    assert "<b></b>" not in page
    if options["max_lines"] is None and options["depth"] != 0:
        assert "'before': 'the first'" in written
        assert "'after': 'the last'" in written


words = st.text(max_size=60) | st.sampled_from(TEXTS)


@fuzzed
@given(
    st.recursive(
        words | st.binary(max_size=60) | words.map(ValueError),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
        max_leaves=15,
    ),
    OPTIONS,
)
def test_whatever_strings_hold_is_text(value, options):
    written = treeview.render_text(value, **options)
    page = treeview.render_html(value, **options)
    assert is_clean(written)
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "</script><b>" not in page
    page.encode()


def test_the_objects_are_hostile_indeed():
    obj = make(("object", {"__repr__": "raises odd", "__len__": "returns -1"}, {}, {}, {}))
    with pytest.raises(Odd):
        repr(obj)
    with pytest.raises(ValueError, match="should return >= 0"):
        len(obj)
