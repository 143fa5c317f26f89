"""The kernel's side of the live widget."""

import ast
import json
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treeview
from treeview._registry import default_registry
from treeview._widget.changes import find_changes
from treeview._widget.lazy import Part
from treeview._widget.messages import part_message
from treeview._widget.places import locate, read_steps
from treeview._widget.search import search_object
from treeview._widget.tree import LiveTree, Place
from treeview._widget.unfolding import UNFOLDED, unfold

pytest.importorskip("anywidget")
traitlets = pytest.importorskip("traitlets")


class Box:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def live(obj, page=200, **options):
    return LiveTree(obj, treeview.Options(**options), page, default_registry)


def talking(obj, **options):
    """A widget, and the messages it sends."""
    widget = treeview.widget(obj, **options)
    sent = []
    widget.send = lambda content, buffers=None: sent.append(json.loads(json.dumps(content)))
    return widget, sent


def header(message):
    return json.loads(message["payload"].partition("\n")[0])


def nodes(message):
    """The lines of a payload after its header."""
    return message["payload"].split("\n")[1:]


def part_at(tree, path):
    return next(part for part in tree.root.inside() if Place(part).path() == path)


def open_all(tree):
    """Opens parts until all have been opened."""
    done = set()
    while waiting := [part for part in tree.root.inside() if part.number not in done]:
        done.add(waiting[0].number)
        tree.open(waiting[0])


scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab]['", max_size=3)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(scalars, inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from("ab"), inner, max_size=2).map(lambda d: Box(**d))
    ),
    max_leaves=25,
)


@settings(max_examples=60)
@given(values)
def test_all_opened_it_is_the_document_of_the_whole(value):
    tree = live(value)
    open_all(tree)
    whole = treeview.render(value)
    assert treeview.Rendering(tree.document).text() == whole.text()


@settings(max_examples=60)
@given(values)
def test_paths_lead_to_what_they_name(value):
    tree = live(value)
    open_all(tree)
    for part in tree.root.inside():
        for place in [Place(part), *(Place(part, child) for child in range(len(part.raw)))]:
            path = place.path()
            assert eval(f"value{path}", {"value": value}) is place.value()
            positions = locate(path, value, tree.options, default_registry)
            found, changed = tree.reveal(positions)
            assert found.value() is place.value()
            assert changed is None


@settings(max_examples=60)
@given(values)
def test_messages_number_the_branches_of_their_payload(value):
    tree = live(value)
    open_all(tree)
    for part in list(tree.root.inside()):
        message = part_message(tree, part)
        lines, told = nodes(message), header(message)
        places = dict(zip(told["places"][::2], told["places"][1::2], strict=True))
        if isinstance(tree.document, treeview._document.Branch):
            assert sorted(places) == [at for at, line in enumerate(lines) if line[0] == "#"]
        assert set(places.values()) == {inner.number for inner in part.inside()}


@settings(max_examples=60)
@given(values, values)
def test_an_update_shows_the_new_value_and_marks_what_differs(before, after):
    tree = live([before])
    open_all(tree)
    changes = tree.update([after])
    open_all(tree)
    assert treeview.Rendering(tree.document).text() == treeview.render([after]).text()
    if treeview.render_text(before) == treeview.render_text(after):
        assert str(changes) == ""
    else:
        assert changes.marks


def test_an_object_of_any_size_costs_what_is_open():
    visited = []

    class Child:
        def __init__(self, index):
            self.index = index

        def __treeview__(self, view):
            visited.append(self.index)
            return view.record(self, {"index": self.index, "inner": [Child(-1)] * 50})

    children = [Child(index) for index in range(100_000)]
    tree = live(children, page=20, max_lines=10)
    assert set(visited) <= {-1, *range(20)}
    visited.clear()
    tree.open(part_at(tree, "[3]"))
    assert set(visited) == {3, -1}


def test_what_is_opened_is_what_is_there_then():
    value = {"a": {"b": list(range(1000))}}
    tree = live(value, depth=1)
    value["a"] = {"c": 1}  # not asked yet
    inner = part_at(tree, "['a']['b']")
    inner.value.insert(0, "new")
    tree.open(inner)
    assert nodes(part_message(tree, inner))[1] == "'new'"


def test_cycles_and_shared_parts_are_shown_once():
    shared = {"x": list(range(100))}
    value = {"one": {"deep": {"deeper": shared}}, "two": shared}
    value["self"] = value
    tree = live(value)
    open_all(tree)
    text = treeview.Rendering(tree.document).text()
    assert text.count("'x'") == 1
    assert "<same dict as ['one']['deep']['deeper']>" in text
    assert "<back to the dict at the root>" in text


def test_a_part_opened_later_refers_to_what_is_shown_elsewhere():
    shared = Box(name="shared")
    value = {"first": [[[[[[[shared]]]]]]], "second": shared}
    tree = live(value, depth=1)
    open_all(tree)
    text = treeview.Rendering(tree.document).text()
    assert text.count("name='shared'") == 1
    assert "<same Box as ['second']>" in text


def test_windows_move_to_what_is_asked_for():
    tree = live(list(range(1_000_000)), page=100)
    place, changed = tree.reveal([654_321])
    assert place.value() == 654_321
    assert place.path() == "[654321]"
    assert changed is tree.root
    told = header(part_message(tree, tree.root))
    assert told["before"] == [0, 654_313]
    tree.show_more(tree.root, before=True)
    assert header(part_message(tree, tree.root))["before"] == [0, 654_213]
    tree.show_more(tree.root, before=False)
    assert len(tree.root.raw) == 400


def test_generators_of_handlers_can_be_opened_twice():
    class Lazy:
        def __treeview__(self, view):
            inner = view.sequence(self, ([i] * 300 for i in range(300)), name="inner", count=300)
            return view.record(self, {"items": inner})

    tree = live(Lazy(), page=50)
    part = part_at(tree, ".items")
    for _ in range(2):
        tree.open(part)
        assert len(part.raw) == 50
    tree.show_more(part, before=False)
    assert len(part.raw) == 100
    assert Place(part).value() is None


def test_arrays_are_read_where_they_are_shown():
    value = {
        "shown": np.arange(50.0),
        "folded": {f"k{i}": np.arange(70.0) for i in range(30)},
    }
    tree = live(value, depth=1)
    text = treeview.Rendering(tree.document).text()
    assert "[0, 49]" in text
    assert "[0, 69]" not in text


def test_selecting_from_python():
    value = {"a": [Box(x=1), Box(x=[2])]}
    widget, sent = talking(value)
    seen = []
    widget.observe(lambda change: seen.append((change.new, widget.selected)), "selected_path")
    widget.selected_path = "['a'][1].x"
    assert seen == [("['a'][1].x", [2])]
    assert widget.selected is value["a"][1].x
    assert sent[-1]["kind"] == "reveal"
    widget.selected_path = ""
    assert widget.selected is value
    widget.selected_path = None
    assert widget.selected is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("['a'][2]", r"`\['a'\]` has 2 items, and none at \[2\]. Positions start at 0"),
        ("['b']", r"the root has no `\['b'\]`. Did you mean `\['a'\]`\?"),
        ("['a'][0].y", r"`\['a'\]\[0\]` has no `.y`. It has `.x`"),
        ("['a'][0].x.z", r"`\['a'\]\[0\].x` has no parts. Choose `\['a'\]\[0\].x` itself"),
        ("a", "cannot be read from 'a' on. Copy the path of a line"),
        ("[open('x')]", "cannot be read from"),
        ("['a", "cannot be read from"),
    ],
)
def test_wrong_paths_are_refused_and_nothing_changes(path, words):
    widget, sent = talking({"a": [Box(x=1), Box(x=[2])]})
    widget.selected_path = "['a'][1]"
    sent.clear()
    with pytest.raises(traitlets.TraitError, match=words):
        widget.selected_path = path
    assert (widget.selected_path, sent) == ("['a'][1]", [])
    assert widget.selected.x == [2]


def test_objects_that_break_are_named_where_paths_lead_through_them():
    class Broken(dict):
        def items(self):
            raise RuntimeError("not today")

        def __treeview__(self, view):
            return view.mapping(self, (pair for pair in self.items()), count=1)

    tree = live([1])
    with pytest.raises(ValueError, match=r"not today|has no parts|has no"):
        locate("[0]['a']", [Broken()], tree.options, default_registry)


def test_paths_are_read_step_by_step():
    assert read_steps(""".a[0]["x]'["][(1, 'b')]<item 3>""") == [
        ".a",
        "[0]",
        """["x]'["]""",
        "[(1, 'b')]",
        "<item 3>",
    ]


def test_messages_that_make_no_sense_change_nothing():
    widget, sent = talking([list(range(1000))])
    before = repr(widget)
    for content in [None, 3, "open", {}, {"kind": []}, {"kind": "close"}, {"kind": "__init__"}]:
        widget._receive(widget, content, [])
    assert sent == []
    for content in [
        {"kind": "open"},
        {"kind": "open", "part": "0"},
        {"kind": "open", "part": True},
        {"kind": "open", "part": 10**30},
        {"kind": "select", "part": 0, "child": 10**9},
        {"kind": "select", "part": 0, "child": -2},
        {"kind": "hit", "view": 1, "hit": 0},
        {"kind": "search", "text": None, "serial": 1.5},
    ]:
        widget._receive(widget, content, [])
    assert {answer["kind"] for answer in sent} == {"failed"}
    assert repr(widget) == before


def test_selection_survives_updates_as_long_as_its_path_does():
    value = {"a": [1, 2], "b": 3}
    widget, _ = talking(value)
    widget.selected_path = "['b']"
    assert widget.update({"b": 4, "a": [1, 2, 5]}) == "1 changed, 1 added"
    assert (widget.selected_path, widget.selected) == ("['b']", 4)
    assert widget.update({"a": []}) == "4 removed"
    assert (widget.selected_path, widget.selected) == (None, None)


def test_update_tells_what_was_there():
    value = {"rate": 0.1, "layers": [Box(size=3), Box(size=4)], "gone": 1}
    tree = live(value)
    changes = tree.update({"rate": 0.2, "layers": [Box(size=3), Box(size=5, new=1)]})
    by_path = {}
    for (number, child), mark in changes.marks.items():
        by_path[Place(tree.part(number), child).path()] = (mark.kind, mark.text)
    assert by_path == {
        "": ("removed", "removed: ['gone']"),
        "['rate']": ("changed", "was 0.1"),
        "['layers']": ("inside", "2 changes inside"),
        "['layers'][1]": ("inside", "2 changes inside"),
        "['layers'][1].size": ("changed", "was 4"),
        "['layers'][1].new": ("added", "added"),
    }
    assert str(changes) == "2 changed, 1 added, 1 removed"


def test_atoms_that_take_the_place_of_each_other_are_a_change():
    assert str(find_changes(1, True, {})) == "1 changed"
    assert str(find_changes(1, 1, {0: Part(0)})) == ""
    tree = live(3)
    assert str(tree.update([4])) == "1 changed"
    assert str(tree.update([5])) == "1 changed"


@settings(max_examples=30)
@given(values, st.none() | st.integers(1, 4))
def test_unfolding_opens_all_that_needs_lines_of_its_own(value, depth):
    tree = live(value, depth=0, max_lines=None)
    assert unfold(tree, depth).left == 0
    for part in tree.root.inside():
        level = len(list(part.above())) - 1
        is_wanted = (depth is None or level < depth) and not tree.fits(part)
        assert part.opened is (is_wanted or part is tree.root)


def test_unfolding_stops_where_there_are_many_lines():
    tree = live([{"a": [list(range(100))] * 2, "b": list(range(100))} for _ in range(10**4)])
    done = unfold(tree)
    opened = [part for part in tree.root.inside() if part.opened]
    lines = sum(min(len(part.raw), part.view) for part in opened)
    assert UNFOLDED <= lines < UNFOLDED + 200
    assert done.opened > 10
    assert done.left > 100


def test_views_are_told_what_was_unfolded_and_which_paths_match():
    widget, sent = talking({"a": [{"b": list(range(90))}] * 2, "c": {1, 2}}, depth=0)
    widget._receive(widget, {"kind": "unfold", "view": 7, "depth": None}, [])
    assert [message["kind"] for message in sent] == ["tree", "unfolded"]
    assert sent[1] == {"kind": "unfolded", "view": 7, "depth": None, "left": 0}
    widget._receive(widget, {"kind": "unfold", "view": 7, "depth": 3}, [])
    assert [message["kind"] for message in sent[2:]] == ["unfolded"]
    widget._receive(widget, {"kind": "search", "view": 7, "serial": 1, "text": "1"}, [])
    widget._receive(widget, {"kind": "paths", "view": 7}, [])
    told = sent[-1]
    paths = ast.literal_eval(told["text"])
    assert told["count"] == len(paths) == told["hits"] - 1  # members of sets have no path
    assert paths[0] == "['a'][0]['b'][1]"
    assert all("1" in str(eval(f"value{path}", {"value": widget.value})) for path in paths)


@settings(max_examples=30)
@given(values)
def test_values_are_copied_whole_where_python_can_write_them(value):
    widget, sent = talking({"here": value, "box": Box(a=1)}, depth=0)
    request = {"kind": "value", "view": 3, "serial": 9, "part": 0}
    widget._receive(widget, {**request, "child": -1}, [])
    told = sent.pop()
    assert (told["view"], told["serial"], told["exact"]) == (3, 9, False)
    if "Box" in treeview.render_text(value):
        return
    tree = live(value)
    part = treeview.widget(value)
    part.send = lambda content, buffers=None: sent.append(content)
    part._receive(part, {**request, "child": -1}, [])
    assert sent[-1]["exact"] is True
    assert ast.literal_eval(sent[-1]["text"]) == tree.root.value


def test_values_too_long_to_be_copied_come_as_text():
    widget, sent = talking([list(range(10**6)), np.arange(300)])
    request = {"kind": "value", "view": 3, "serial": 9, "part": 0}
    widget._receive(widget, {**request, "child": -1}, [])
    assert sent[-1]["exact"] is False
    assert len(sent[-1]["text"]) < 10**5
    widget._receive(widget, {**request, "child": 1}, [])
    assert sent[-1]["exact"] is True
    assert (eval(sent[-1]["text"], {"numpy": np}) == np.arange(300)).all()
    widget._receive(widget, {**request, "child": 2}, [])
    assert sent[-1]["kind"] == "failed"


def test_search_finds_what_is_not_shown():
    value = {"layers": [Box(kind="conv", sizes=[i]) for i in range(500)]}
    options = treeview.Options()

    def paths(query):
        tree = live(value)
        hits = search_object(value, query, options, default_registry).hits
        return [tree.reveal(hit)[0].path() for hit in hits]

    assert paths("path:[499].kind") == ["['layers'][499].kind"]
    assert paths("type:box -conv path:[7]") == ["['layers'][7]"]
    assert len(paths("conv")) == 500
    assert paths("path:layers*[499].k") == ["['layers'][499].kind"]
    assert paths('"no such words"') == []
    assert paths(" ") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("dtype:float32", ["['a']"]),
        ("dtype:int", ["['b']"]),
        ("shape:3", ["['a']", "['b']"]),
        ("shape:3,4", ["['a']"]),
        ("shape:3x*", ["['a']"]),
        ("shape:(3)", ["['b']"]),
        ("-dtype:float32 type:ndarray", ["['b']"]),
    ],
)
def test_search_asks_what_arrays_are(query, found):
    value = {"a": np.zeros((3, 4), np.float32), "b": np.arange(3), "c": "float32 3"}
    tree = live(value)
    hits = search_object(value, query, treeview.Options(), default_registry).hits
    assert [tree.reveal(hit)[0].path() for hit in hits] == found


def test_search_says_when_it_stopped():
    found = search_object(list(range(300_000)), "299999", treeview.Options(), default_registry)
    assert (found.hits, found.complete) == ([], False)
    assert found.searched == 50_001


def test_outputs_without_a_kernel_are_static():
    widget, _ = talking({"a": [1, 2]})
    data, _ = widget._repr_mimebundle_()
    assert data["text/plain"] == "{'a': [1, 2]}"
    assert '<div class="treeview">' in data["text/html"]
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id


def test_closing_lets_go_of_the_object():
    import gc
    import weakref

    box = Box(x=1)
    known = weakref.ref(box)
    widget, _ = talking([box])
    widget.selected_path = "[0]"
    del box
    widget.close()
    gc.collect()
    assert known() is None


def test_objects_that_meddle_with_the_tree_are_told():
    class Restless:
        widget = None

        def __treeview__(self, view):
            if self.widget is not None:
                with pytest.raises(
                    RuntimeError, match="Expected the tree to be left alone"
                ) as told:
                    self.widget.update()
                self.told = str(told.value)
            return view.record(self, {"size": 1})

    restless = Restless()
    Restless.widget, _ = talking([restless])
    assert Restless.widget.update() == ""
    assert restless.told.endswith("Update it from a cell or from a callback.")


def test_updates_of_one_thread_and_requests_of_another_take_turns():
    value = {f"k{at}": list(range(50)) for at in range(20)}
    widget, sent = talking(value)
    numbers = [part.number for part in widget._tree.root.inside()]

    def train():
        for step in range(20):
            value["k3"][0] = step + 1
            widget.update()

    thread = threading.Thread(target=train)
    thread.start()
    for number in numbers * 2:
        widget._receive(widget, {"kind": "open", "part": number}, [])
    thread.join()
    assert {answer["kind"] for answer in sent} == {"part", "tree"}
    assert widget.update() == ""


def test_options_are_checked():
    with pytest.raises(TypeError, match="got `roundtrip`, which writes all of a value"):
        treeview.widget(1, roundtrip=True)
    with pytest.raises(ValueError, match="Expected `max_items` to be at least 1, got 0"):
        treeview.widget(1, max_items=0)
    with pytest.raises(TypeError, match="Expected the name of an option, got `dept`"):
        treeview.widget(1, dept=1)


def test_without_anywidget_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "treeview._widget.live", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'treeview-nd\[widget\]'"):
        treeview.widget(1)


def test_parts_that_are_gone_are_told():
    tree = live([[1], [2]])
    number = part_at(tree, "[1]").number
    tree.update([[1]])
    with pytest.raises(LookupError, match="no longer in the tree"):
        tree.part(number)
    with pytest.raises(LookupError, match="no longer in the tree"):
        tree.reveal([5])
