"""Children of a sketch: as many as there is room for."""

from math import inf
from time import perf_counter

import pytest

from treeview._document import EMPTY, text
from treeview._paths import Attribute, Index, Key, Opaque
from treeview._taking import resolved_steps, take
from treeview._view import Sketch

HEAD = text("[")


def numbers(stop):
    yield from range(stop)


def failing():
    yield 1
    raise KeyError("gone")


@pytest.mark.parametrize(
    ("children", "count", "limit", "taken"),
    [
        ([1, 2, 3], 3, 5, ([1, 2, 3], 0)),
        ([1, 2, 3], 3, 2, ([1, 2], 1)),
        ([1, 2, 3], 3, 0, ([], 3)),
        (numbers(3), None, 5, ([0, 1, 2], 0)),
        (numbers(3), None, 3, ([0, 1, 2], 0)),
        (numbers(9), None, 3, ([0, 1, 2], None)),
        (numbers(9), None, 0, ([], None)),
        ([1, 2, 3], 99, 5, ([1, 2, 3], 0)),  # whoever lies about the count is not believed
    ],
)
def test_no_more_is_taken_than_allowed_and_the_rest_counted(children, count, limit, taken):
    labels, values, omitted = take(Sketch(HEAD, children, count=count), limit, inf)
    assert labels is None
    assert (values, omitted) == taken


def test_pairs_are_split():
    sketch = Sketch(HEAD, [("a", 1), ("b", 2)], paired=True, count=2)
    assert take(sketch, 5, inf) == (["a", "b"], [1, 2], 0)


def test_labels_that_run_out_are_empty():
    sketch = Sketch(HEAD, [1, 2], labels=["a"], count=2)
    assert take(sketch, 5, inf) == (["a", EMPTY], [1, 2], 0)


def test_what_fails_on_the_way_keeps_what_came_before():
    labels, values, omitted = take(Sketch(HEAD, failing(), count=9), 20, inf)
    assert values == [1, text(("<iteration raised KeyError: 'gone'>", "error"))]
    assert (labels, omitted) == (None, 0)
    _, values, _ = take(Sketch(HEAD, [(1, 2), 3], paired=True, count=2), 5, inf)
    assert values[0] == 2
    assert values[1].plain.startswith("<iteration gave no pair: TypeError")


@pytest.mark.parametrize(("count", "omitted"), [(9, 8), (None, None)])
def test_where_time_is_up_the_rest_is_left_out(count, omitted):
    sketch = Sketch(HEAD, numbers(9), count=count)
    assert take(sketch, 20, perf_counter()) == (None, [0], omitted)


def test_steps_follow_from_labels():
    assert list(resolved_steps(None, [], 2)) == []
    assert list(resolved_steps("index", [], 2)) == [Index(0), Index(1)]
    assert list(resolved_steps("key", ["a"], 1)) == [Key("a")]
    assert list(resolved_steps("attribute", [text("a"), "b"], 2)) == [
        Attribute("a"),
        Attribute("b"),
    ]
    assert resolved_steps([Opaque("x")], ["a"], 1) == [Opaque("x")]
