"""Paths: Python where Python has an expression, words where it has none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treeview._paths import Attribute, Index, Key, Opaque, key_path, python_path


@pytest.mark.parametrize(
    ("path", "python"),
    [
        ((), ""),
        ((Attribute("a"), Index(3), Key("k")), ".a[3]['k']"),
        ((Key((1, "x")),), "[(1, 'x')]"),
        ((Key(None), Key(True), Key(b"z"), Key(1.5)), "[None][True][b'z'][1.5]"),
        ((Attribute("not a name"),), None),
        ((Key(float("nan")),), None),
        ((Key(float("inf")),), None),
        ((Key(object()),), None),
        ((Key((1, object())),), None),
        ((Opaque("member"),), None),
    ],
)
def test_a_path_is_python_or_nothing(path, python):
    assert python_path(path) == python


def test_steps_without_python_are_described():
    path = (Opaque("member"), Attribute("no name"), Key(object()), Index(1))
    assert key_path(path) == "<member><attribute 'no name'><key of type object>[1]"


keys = st.text() | st.integers() | st.booleans() | st.binary()
data = st.recursive(
    st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(keys)
def test_a_key_path_evaluates_to_the_value_under_the_key(key):
    root = {key: "here"}
    assert eval(f"root{python_path([Key(key)])}", {"root": root}) == "here"


@given(data)
def test_paths_print_like_jax_key_paths(tree):
    jax = pytest.importorskip("jax")
    for path, _ in jax.tree_util.tree_leaves_with_path(tree):
        steps = [
            Index(step.idx) if isinstance(step, jax.tree_util.SequenceKey) else Key(step.key)
            for step in path
        ]
        assert key_path(steps) == jax.tree_util.keystr(path)


def test_steps_are_equal_if_they_are_of_one_kind_and_say_the_same():
    assert Key("a") == Key("a") != Key("b")
    assert Key("a") != Attribute("a")
    assert Index(1) != 1
    assert len({Index(1), Index(1), Key(1), Opaque("1")}) == 3
    assert repr((Attribute("a"), Index(1))) == "(Attribute('a'), Index(1))"
