"""The walk: budget, sharing, cycles, depth, damage."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treeview
from treeview import Options
from treeview._document import Branch, Reference, Text, text
from treeview._registry import Registry
from treeview._walk import build_document


def shown(obj, **options):
    return treeview.render_text(obj, width=80, **options)


def branches(root):
    todo = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, Branch):
            yield node
            todo.extend(node.values)


def count_nodes(root):
    return 1 + sum(len(branch.values) for branch in branches(root))


class Counted(list):
    """A list that counts how many of its items are looked at."""

    looked = 0

    def __iter__(self):
        for item in list.__iter__(self):
            Counted.looked += 1
            yield item


def test_atoms_stand_for_themselves():
    values = [None, True, 3, 0.5, 2j, "text", b"bytes", ...]
    root = build_document(values)
    assert list(root.values) == values
    assert [type(value) for value in root.values] == [type(value) for value in values]


def test_the_original_is_not_touched():
    inner = [1, 2]
    outer = [inner, {"a": inner}]
    build_document(outer)
    assert outer == [[1, 2], {"a": [1, 2]}]
    assert outer[0] is inner


def test_no_more_items_are_visited_than_allowed():
    root = build_document(list(range(1000)), options=Options(max_items=10))
    assert list(root.values) == list(range(10))
    assert root.omitted == 990


def test_what_is_left_out_is_counted_and_said():
    assert shown(list(range(1000)), max_items=3) == "[0, 1, 2, … 997 more items]"
    assert shown({"a": {1: 2}}, max_items=0) == "{… 1 item}"


def test_what_is_left_out_is_never_looked_at():
    def items():
        yield from range(5)
        raise AssertionError("looked too far")

    class Endless:
        def __treeview__(self, view):
            return view.sequence(self, items())

    assert shown(Endless(), max_items=4) == "[0, 1, 2, 3, … more items]"


def test_depth_counts_levels_below_the_root():
    nested = [[[[1]]], 2]
    assert shown(nested, depth=0) == "[… 2 items]"
    assert shown(nested, depth=1) == "[[… 1 item], 2]"
    assert shown(nested, depth=2) == "[[[… 1 item]], 2]"
    assert shown(nested, depth=9) == "[[[[1]]], 2]"


@settings(max_examples=50)
@given(
    st.recursive(st.integers(), lambda inner: st.lists(inner, max_size=9), max_leaves=100),
    st.integers(1, 60),
)
def test_no_more_nodes_are_made_than_allowed(tree, limit):
    root = build_document(tree, options=Options(max_nodes=limit))
    assert count_nodes(root) <= limit + 1


def test_siblings_share_the_budget_fairly():
    tree = {"huge": [[i] for i in range(10_000)], "small": [[1], [2]], "late": [[3]]}
    root = build_document(tree, options=Options(max_nodes=300))
    huge, small, late = root.values
    assert 50 < len(huge.values) < 120
    assert (small.omitted, late.omitted) == (0, 0)


def test_unused_shares_go_to_later_siblings():
    tree = [[1], [2], list(range(500))]
    root = build_document(tree, options=Options(max_nodes=400))
    assert len(root.values[2].values) > 380


def test_time_that_is_up_is_said():
    class Slow:
        def __treeview__(self, view):
            time.sleep(0.02)
            return view.record(self, {"a": [1]})

    started = time.perf_counter()
    lines = shown([Slow() for _ in range(1000)], seconds=0.05, max_lines=None)
    # Visiting all of them would take 20 seconds.
    assert time.perf_counter() - started < 10
    assert "<Slow: time is up>" in lines


def test_a_second_sighting_refers_to_the_first():
    shared = {"q": [1]}
    root = build_document({"a": shared, "b": [shared, shared]})
    first, others = root.values
    assert [type(other) for other in others.values] == [Reference, Reference]
    assert {other.number for other in others.values} == {first.number} == {1}
    assert others.values[0].text.plain == "<same dict as ['a']>"


def test_references_name_the_root():
    loop = []
    loop.append(loop)
    assert shown(loop) == "[<back to the list at the root>]"
    document = build_document({"x": loop}, root="model")
    assert document.values[0].values[0].text.plain == "<back to the list at model['x']>"


def test_equal_objects_are_not_the_same():
    assert shown([[1], [1]]) == "[[1], [1]]"


def test_values_that_cannot_change_are_not_shared():
    pair, word, nothing = (1, 2), "word" * 50, ()
    assert shown([pair, pair, nothing, nothing, int, int]) == ("[(1, 2), (1, 2), (), (), int, int]")
    assert "same" not in shown([word, word], max_lines=None)


def test_objects_stay_themselves_while_they_are_visited():
    # Each value is made on the fly; were it freed, the next could get its `id`.
    class Fresh:
        def __treeview__(self, view):
            return view.record(self, {"a": [1], "b": [2], "c": [[3], [4]]})

    lines = shown([Fresh() for _ in range(200)], max_lines=None)
    assert "same" not in lines


def test_nothing_is_kept_alive_after_the_visit():
    class Thing:
        pass

    thing = Thing()
    alive = weakref.ref(thing)
    gc.collect()
    gc.disable()
    try:
        document = build_document([thing, thing])
        del thing
        assert alive() is None
    finally:
        gc.enable()
    assert isinstance(document, Branch)


def test_a_handler_can_ask_how_another_object_looks():
    class Stand:
        def __treeview__(self, view):
            sketch = view.draw({"a": 1})
            sketch.note = view.text("# stands for it")
            return sketch

    class Plain:
        def __treeview__(self, view):
            return view.draw(5)

    assert shown([Stand(), Plain()], max_lines=None) == "[{'a': 1}, 5]"
    assert shown(Stand()) == "{'a': 1}  # stands for it"


def test_a_revealed_branch_opens_those_around_it():
    class Marked:
        def __treeview__(self, view):
            sketch = view.record(self, {"a": 1})
            sketch.revealed = True
            return sketch

    assert shown([[1], [Marked()]]).splitlines() == [
        "[",
        "  [1],",
        "  [",
        "    Marked(a=1),",
        "  ],",
        "]",
    ]


def test_a_graph_with_many_paths_costs_its_objects_only():
    node = [0]
    for _ in range(200):
        node = [node, node]
    root = build_document(node)
    assert count_nodes(root) < 600


def test_very_deep_objects_are_fine():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    options = Options(max_nodes=10**6, seconds=1000)
    root = build_document(deep, options=options)
    depth = 0
    while root.values:
        root, depth = root.values[0], depth + 1
    assert depth == 100_000


def test_interrupts_pass_and_other_damage_stays():
    class Interrupting:
        def __repr__(self):
            raise KeyboardInterrupt

    class Exiting:
        def __repr__(self):
            raise SystemExit

    class Panic(BaseException):
        pass

    class Panicking:
        def __repr__(self):
            raise Panic("boom")

    with pytest.raises(KeyboardInterrupt):
        build_document([Interrupting()])
    with pytest.raises(SystemExit):
        build_document([Exiting()])
    assert shown([Panicking()]) == "[\n  Panicking(),  # __repr__ raised Panic: boom\n]"


def test_a_handler_that_fails_leaves_the_object_to_the_next_and_says_so():
    class Broken:
        def __init__(self):
            self.a = 1

        def __treeview__(self, view):
            raise ValueError("first line\nsecond line")

    assert shown(Broken()) == "Broken(a=1)  # __treeview__ raised ValueError: first line"


def test_a_handler_that_returns_nonsense_is_told_so():
    class Nonsense:
        def __treeview__(self, view):
            return object()

    assert shown(Nonsense()) == "Nonsense()  # returned an object of type `object`, not a node"


def test_children_that_fail_on_the_way_are_shown_as_far_as_they_came():
    def items():
        yield 1
        yield 2
        raise OSError("disk gone")

    class Half:
        def __treeview__(self, view):
            return view.sequence(self, items())

    assert shown(Half()) == "[1, 2, <iteration raised OSError: disk gone>]"


def test_pairs_that_are_no_pairs_are_said():
    class Odd:
        def __treeview__(self, view):
            return view.mapping(self, [(1, 2), 3])

    assert shown(Odd()).splitlines()[1:3] == [
        "  1: 2,",
        "  <iteration gave no pair: TypeError: cannot unpack non-iterable int object>,",
    ]


def test_keys_of_any_type_are_labels_of_one_line():
    class Name:
        def __repr__(self):
            return "a\nb"

    key = tuple(range(100))
    lines = shown({key: 1, Name(): 2, frozenset({1}): 3, int: 4}, max_lines=None).splitlines()
    assert lines[1].startswith("  (0, 1, 2,")
    assert len(lines[1]) < 120
    assert lines[3:] == ["  frozenset({1}): 3,", "  int: 4,", "}"]


def test_nodes_and_sketches_are_taken_as_they_are():
    node = text("a", ("b", "number"))
    assert build_document(node) is node
    assert shown([node, 1]) == "[ab, 1]"


def test_treeview_can_be_called_while_it_works():
    class Nested:
        def __init__(self):
            self.inner = [1, 2]

        def __repr__(self):
            return treeview.render_text(self, width=80)

    assert shown([Nested(), Nested()]) == "[Nested(inner=[1, 2]), Nested(inner=[1, 2])]"
    assert repr(Nested()) == "Nested(inner=[1, 2])"


def test_threads_can_walk_the_same_object():
    tree = {i: [[j] * 3 for j in range(20)] for i in range(20)}
    expected = shown(tree)
    results = []
    threads = [threading.Thread(target=lambda: results.append(shown(tree))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_no_more_text_is_taken_than_allowed():
    lines = [["some words " * 200, {"key " * 9: [index]}] for index in range(1000)]
    shown = treeview.render_text(lines, max_bytes=20_000, max_lines=None)
    assert 20_000 < len(shown) < 120_000
    assert "<list: too much text>" in shown or "# too much text" in shown
    assert treeview.render_text("x" * 10**6, max_bytes=200).count("x") > 100
    tagged = treeview.render_text([Wordy() for _ in range(50)], max_bytes=3000, max_lines=None)
    assert tagged.count("<Wordy: too much text>") == 50 - tagged.count("Wordy said")


class Wordy:
    def __repr__(self):
        return "Wordy said " + "so " * 100


def test_arrays_are_counted_once_in_totals():
    weights = np.zeros((10, 100), "float32")
    tree = {"a": {"w": weights}, "b": {"w": weights, "v": np.zeros(5, "int8")}}
    root = build_document(tree)
    first, second = root.values
    assert first.totals.units == {"values": (1000, 4000)}
    assert second.totals.units == {"values": (1005, 4005)}
    assert root.totals.units == {"values": (1005, 4005)}


def test_units_name_what_arrays_below_count_as():
    class Model:
        def __treeview__(self, view):
            fields = {"w": np.zeros((1000, 1000), "float32"), "rest": [np.zeros(3, "int8")]}
            return view.record(self, fields, unit="parameters", note="a model")

    root = build_document(Model(), options=Options(totals=True))
    assert root.note.plain == "# a model, 1.0M parameters, 4.0 MB, >99% float32, <1% int8"


def test_totals_of_what_is_left_out_are_lower_bounds():
    arrays = [np.zeros(10, "int8") for _ in range(5)]
    root = build_document(arrays, options=Options(totals=True, max_items=2))
    assert root.note.plain == "# ≥20 values, ≥20 B"


def test_arrays_of_a_branch_met_again_count_in_both_places_and_once_above():
    block = {"w": np.zeros(10, "int8"), "v": np.zeros(3, "int8")}
    tree = {"a": {"block": block}, "b": [block, np.ones(1, "int8")], "c": [[block["w"]], block]}
    root = build_document(tree)
    sizes = [branch.totals.count for branch in (root, *root.values)]
    assert sizes == [14, 13, 14, 13]
    assert root.values[2].values[0].totals.count == 10


class Holder:
    """Wraps an array, as a new object each time it is asked for."""

    def __init__(self, array):
        self.array = array


def test_wrappers_of_one_array_count_once():
    registry = Registry()
    registry.register_array(Holder, treeview.delegating_adapter(lambda holder: holder.array))
    array = np.zeros(7, "int8")
    root = build_document([Holder(array), Holder(array), array], registry=registry)
    assert root.totals.count == 7


def test_many_paths_to_the_same_arrays_cost_little():
    node = [np.zeros(3, "int8") for _ in range(20)]
    for _ in range(200):
        node = [node, node]
    root = build_document(node, options=Options(max_nodes=2**300))
    assert root.totals.units == {"values": (60, 60)}


def test_cycles_count_their_arrays_once():
    loop = [np.zeros(3, "int8")]
    loop.append({"back": loop, "again": loop[0]})
    root = build_document(loop)
    assert root.totals.count == 3
    assert root.values[1].totals.count == 3


def test_totals_say_where_values_are_not_numbers():
    tree = {"good": np.ones(20), "bad": {"x": np.array([np.nan, 1.0]), "y": np.full(20, np.inf)}}
    root = build_document(tree, options=Options(totals=True))
    assert root.note.spans[-1] == (", nan:1 inf:20", "error")
    assert root.values[1].note.plain == "# 22 values, 176 B, nan:1 inf:20"
    blind = build_document(tree, options=Options(totals=True, statistics=False))
    assert (blind.totals.unread, blind.totals.flaws()) == (3, "")


arrays = st.builds(np.full, st.integers(0, 5), st.sampled_from([0.0, 1.0, np.nan, -np.inf]))
forests = st.recursive(
    st.integers(0, 7), lambda inner: st.lists(inner, max_size=4), max_leaves=25
).filter(lambda forest: isinstance(forest, list))


@settings(max_examples=60)
@given(st.lists(arrays, min_size=8, max_size=8), forests, st.data())
def test_totals_of_any_tree_are_those_of_its_distinct_arrays(pool, forest, data):
    lists = []

    def build(shape):
        if isinstance(shape, int):
            return pool[shape]
        if lists and data.draw(st.integers(0, 3)) == 0:
            return data.draw(st.sampled_from(lists))
        made = [build(part) for part in shape]
        lists.append(made)
        return made

    def distinct(obj):
        if isinstance(obj, list):
            return {key: value for part in obj for key, value in distinct(part).items()}
        return {id(obj): obj}

    tree = build(forest)
    # The root is new: what is built first may stand for all of it.
    root = build_document([tree])
    pending = [([tree], root)]
    while pending:
        obj, node = pending.pop()
        if not isinstance(obj, list) or isinstance(node, Reference):
            continue
        held = distinct(obj).values()
        found = node.totals or treeview.Totals()
        assert found.count == sum(array.size for array in held)
        assert found.arrays == len(held)
        assert found.nans == sum(int(np.isnan(array).sum()) for array in held)
        assert found.infinities == sum(int(np.isinf(array).sum()) for array in held)
        pending += zip(obj, node.values, strict=True)


class Watched:
    """An array that knows when its values are read."""

    def __init__(self, log):
        self.log = log


class WatchedAdapter:
    def describe(self, array):
        return treeview.ArrayInfo("Watched", "float32", (treeview.Axis(100),), 400)

    def statistics(self, arrays):
        for array in arrays:
            array.log.append(array)
        return [treeview.Statistics(finite=100, mean=0.0, std=1.0, low=-1, high=1)] * len(arrays)

    def fetch(self, requests):
        raise AssertionError("no values are asked for")


@pytest.fixture
def watched():
    treeview.register_array(Watched, WatchedAdapter())
    log = []
    return log, [{"w": Watched(log), "rest": ["words " * 9, Watched(log)]} for _ in range(30)]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("max_lines", [1, 8, 20, 50, None])
def test_text_reads_the_arrays_that_it_shows(watched, width, max_lines):
    log, blocks = watched
    tree = {"a": blocks[:1], "b": blocks[1:], "c": [[[Watched(log)]]]}
    written = treeview.render_text(tree, width=width, max_lines=max_lines)
    assert written.count("float32[100] ≈0 ±1") == written.count("float32[100]")
    assert len(log) == (61 if max_lines is None else pytest.approx(written.count("≈0 ±1"), abs=4))
    assert written == treeview.render(tree, width=width, max_lines=max_lines).text()


def test_text_with_totals_and_pages_read_all_arrays_together(watched):
    log, blocks = watched
    treeview.render_text(blocks, totals=True, max_lines=5)
    assert len(log) == 60
    treeview.render_html(blocks, max_lines=5)
    assert len(log) == 120


def test_text_of_what_is_all_shown_is_that_of_the_rendering(watched):
    _, blocks = watched
    assert (
        treeview.render_text(blocks, max_lines=None)
        == treeview.render(blocks, max_lines=None).text()
    )


def test_totals_of_an_object_need_no_tree():
    model = {"w": np.ones((1000, 2000), "float16"), "b": [np.array([np.nan, 2.0])]}
    found = treeview.totals(model)
    assert str(found) == "2.0M values, 4.0 MB, >99% float16, <1% float64, nan:1"
    assert (found.count, found.bytes, found.arrays, found.unread) == (2_000_002, 4_000_016, 2, 0)
    assert treeview.totals(np.ones(3)).count == 3
    assert str(treeview.totals([1, 2])) == "no arrays"
    assert treeview.totals([[np.ones(2)] * 3], statistics=False).unread == 1
    assert treeview.totals([[np.ones(2)]], depth=1).partial
    with pytest.raises(TypeError, match="did you mean `depth`"):
        treeview.totals(1, depht=3)
    with pytest.raises(ValueError, match="Expected `depth` to be at least 0"):
        treeview.totals(1, depth=-1)


def test_a_shared_array_in_a_roundtrip_is_written_twice():
    array = np.ones(2)
    written = treeview.render_text([array, array], roundtrip=True)
    first, second = eval(written, {"numpy": np})
    assert np.array_equal(first, second)


def test_an_array_met_again_says_where_it_was():
    weights = np.arange(20.0)
    lines = shown({"a": weights, "b": [weights]}, max_lines=None).splitlines()
    assert lines[2].endswith("<same as ['a']>],")


def test_an_adapter_that_fails_stays_in_its_place():
    class Odd:
        pass

    class Adapter:
        def describe(self, array):
            raise RuntimeError("no idea")

        statistics = fetch = describe

    registry = Registry()
    registry.register_array(Odd, Adapter())
    root = build_document([Odd(), 1], registry=registry)
    assert root.values[0].plain == "<Odd: adapter raised RuntimeError: no idea>"
    assert isinstance(root.values[0], Text)


def test_a_huge_dictionary_costs_its_shown_part_only():
    huge = dict.fromkeys(range(1_000_000))
    started = time.process_time()
    root = build_document(huge)
    assert time.process_time() - started < 0.5
    assert root.omitted == 999_000


def chain(links, *, last=("more",)):
    """Dictionaries within one another, each with something else before or behind the next."""
    node = {"end": []}
    for number in range(links):
        more = {name: [[number]] for name in last}
        node = {"next": node, **more}
    return node


def links(root):
    count = 0
    while isinstance(root, Branch) and list(root.labels or ())[:1] == ["next"]:
        root = root.values[0]
        count += 1
    return count


def test_the_rest_of_each_link_does_not_use_up_a_chain():
    assert links(build_document(chain(100))) == 100
    assert links(build_document(chain(1000))) > 200
    assert links(build_document(chain(100, last=("a", "b", "c", "d")))) > 20


def test_each_of_several_large_siblings_gets_its_part():
    large = [[[number] * 9 for number in range(10_000)] for _ in range(3)]
    root = build_document(large, options=Options(max_items=10_000, max_nodes=3_000))
    sizes = [sum(1 + len(child.values) for child in branch.values) for branch in root.values]
    assert min(sizes) > 900
    assert sum(sizes) < 3_000


def test_a_roundtrip_of_a_chain_is_complete():
    root = build_document(chain(200), options=Options(roundtrip=True))
    assert links(root) == 200
    assert all(branch.omitted == 0 for branch in branches(root))


class Slow:
    """Hands out a number after a while; whoever asks is told how many there are, or not."""

    def __init__(self, count):
        self.count = count

    def __treeview__(self, view):
        return view.sequence(self, self.numbers(), count=self.count)

    def numbers(self):
        for number in range(100):
            time.sleep(0.02)
            yield number


@pytest.mark.parametrize("count", [100, None])
def test_children_for_which_there_is_no_time_are_said_to_be_left_out(count):
    root = build_document(Slow(count), options=Options(seconds=0.1))
    seen = len(root.values)
    assert 0 < seen < 50
    assert root.omitted == (None if count is None else 100 - seen)
