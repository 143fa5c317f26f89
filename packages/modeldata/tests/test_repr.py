"""Promises of the plain text of structs."""

import functools
from collections import OrderedDict, deque
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis.vendor.pretty import pretty

from modeldata import Struct, _repr, nx, pytree_dataclass, static_field


@pytree_dataclass
class Leaf(Struct):
    weight: Any
    name: str = static_field(default="w")


@pytree_dataclass
class Stack(Struct):
    layers: Any


def test_arrays_are_shown_by_dtype_and_shape():
    node = Stack([jnp.ones((3, 4), jnp.bfloat16), np.zeros(2, np.int8), jax.random.key(0), True])
    assert repr(node) == "Stack(layers=[bf16[3,4], i8[2](numpy), key<fry>[], True])"


def test_named_arrays_are_shown_by_their_axes():
    x = nx.wrap(jnp.ones((2, 3, 4)), "a", "b", "c")
    assert repr(x) == "NamedArray(f32[a:2, b:3, c:4])"
    assert repr(x.untag("b")) == "NamedArray(f32[3 | a:2, c:4])"
    assert repr(x.untag("c", "b", "a")) == "NamedArray(f32[4, 3, 2])"
    assert repr(Leaf(x)) == "Leaf(weight=NamedArray(f32[a:2, b:3, c:4]), name='w')"


def test_named_arrays_without_an_array_are_shown_honestly():
    assert repr(nx.NamedArray("hole", ("a",))) == "NamedArray(data_array='hole', dims=('a',))"


def test_long_text_is_broken_into_lines():
    assert repr(Stack((Leaf("x" * 40), Leaf("y" * 40)))) == "\n".join(
        [
            "Stack(",
            "  layers=(",
            f"    Leaf(weight='{'x' * 40}', name='w'),",
            f"    Leaf(weight='{'y' * 40}', name='w')",
            "  )",
            ")",
        ]
    )


def test_the_width_can_be_chosen():
    assert _repr.struct_repr(Leaf(1), width=15) == "Leaf(\n  weight=1,\n  name='w'\n)"


def test_long_lists_of_layers_are_shortened():
    assert repr(Stack([Leaf(i) for i in range(24)])) == "\n".join(
        [
            "Stack(",
            "  layers=[",
            "    Leaf(weight=0, name='w'),",
            "    Leaf(weight=1, name='w'),",
            "    Leaf(weight=2, name='w'),",
            "    ... 20 more ...,",
            "    Leaf(weight=23, name='w')",
            "  ]",
            ")",
        ]
    )


def test_long_lists_and_dicts_of_numbers_are_shortened():
    assert repr(Stack(list(range(101)))) == "Stack(layers=[0, 1, 2, ... 97 more ..., 100])"
    assert repr(Stack({i: i for i in range(101)})) == (
        "Stack(layers={0: 0, 1: 1, 2: 2, ... 97 more ..., 100: 100})"
    )


def test_deep_trees_are_cut_instead_of_failing():
    node = Leaf(0)
    for _ in range(5000):
        node = Stack([node])
    text = repr(node)
    assert "..." in text
    assert len(text) < 2000


def test_large_trees_are_cut_to_a_few_hundred_nodes():
    tree = Leaf(1)
    for _ in range(5):
        tree = Stack([tree] * 6)
    assert len(repr(tree).splitlines()) < 700
    assert repr(Stack([tree] * 24)).count("... 20 more ...") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x" * 2000, "'" + 60 * "x" + "'... 1940 more"),
        (b"x" * 2000, "b'" + 60 * "x" + "'... 1940 more"),
        (set(range(200)), "<set of 200 items>"),
        (deque(range(200)), "<deque of 200 items>"),
        (OrderedDict.fromkeys(range(200)), "<OrderedDict of 200 items>"),
    ],
)
def test_long_texts_and_other_large_containers_are_shortened(value, text):
    assert _repr.struct_repr(Stack(value), width=100) == f"Stack(layers={text})"


def test_an_object_that_cannot_be_printed_spoils_only_its_place():
    class Broken:
        def __repr__(self):
            raise RuntimeError("no")

    class Endless:
        def __repr__(self):
            return 5000 * "y"

    assert repr(Stack([Broken(), 1])) == "Stack(layers=[<Broken: RuntimeError>, 1])"
    assert repr(Stack([Endless(), 1])) == f"Stack(layers=[{60 * 'y'}..., 1])"


def test_functions_and_tuples_are_shown():
    node = Stack((functools.partial(len, 3),))
    assert repr(node) == "Stack(layers=(partial(<built-in function len>, 3),))"


def test_deleted_arrays_and_tracers_can_be_shown():
    array = jnp.ones(3)
    array.delete()
    assert repr(Leaf(array)) == "Leaf(weight=f32[3], name='w')"
    seen = []
    jax.jit(lambda node: seen.append(repr(node)))(Leaf(jnp.ones(2)))
    assert seen == ["Leaf(weight=f32[2], name='w')"]


def test_ipython_gets_the_width_of_its_printer():
    class Printer:
        max_width = 15

        def text(self, text):
            self.got = text

    printer = Printer()
    Leaf(1)._repr_pretty_(printer, cycle=False)
    assert printer.got == "Leaf(\n  weight=1,\n  name='w'\n)"
    Leaf(1)._repr_pretty_(printer, cycle=True)
    assert printer.got == "..."


def test_printers_that_ask_classes_too_find_nothing_there():
    with pytest.raises(AttributeError, match="`Leaf._repr_pretty_` is a method of instances"):
        Leaf._repr_pretty_
    assert pretty([Leaf]).endswith("Leaf]")


def test_brief_is_one_short_line():
    assert (
        _repr.brief(Stack(["x" * 30] * 3), limit=40) == "Stack( layers=[ 'xxxxxxxxxxxxxxxxxxxx..."
    )
