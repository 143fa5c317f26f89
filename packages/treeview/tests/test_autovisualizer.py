"""Which arrays of a tree are drawn, how, and what rules of users may say and do wrong."""

from dataclasses import dataclass

import numpy as np
import pytest
import treeview
from bs4 import BeautifulSoup
from treeview import ArrayAutovisualizer
from treeview._document import Branch, Foreign, Picture, Text
from treeview.adapters.numpy import NumpyAdapter
from treeview.arrays.delegate import delegating_adapter

TREE = {"weight": np.eye(12), "layers": [np.arange(20), {"bias": np.ones(9)}], "name": "x" * 200}


def nodes(node):
    """All nodes of a document."""
    yield node
    if isinstance(node, Branch):
        for value in node.values:
            yield from nodes(value)


def found(kind, obj, rule):
    document = treeview.render(obj, autovisualize=rule).document
    return [node for node in nodes(document) if isinstance(node, kind)]


def test_a_rule_sees_every_object_that_is_no_plain_value_with_its_path():
    asked = []
    text = treeview.render_text(TREE, autovisualize=lambda value, path: asked.append(path))
    assert sorted(asked) == [
        "",
        "['layers']",
        "['layers'][0]",
        "['layers'][1]",
        "['layers'][1]['bias']",
        "['name']",
        "['weight']",
    ]
    assert text == treeview.render_text(TREE)


def test_a_rule_chooses_arrays_by_value_and_by_path():
    by_path = found(Picture, TREE, lambda value, path: "layers" in path)
    assert [picture.description[:9] for picture in by_path] == ["int64[20]", "float64[9"]
    by_value = found(Picture, TREE, lambda value, path: getattr(value, "ndim", 0) == 2 or None)
    assert [picture.description[:9] for picture in by_value] == ["float64[1"]


def test_a_rule_chooses_settings_for_each_array():
    def rule(value, path):
        return ArrayAutovisualizer(maximum_size=9, edge_items=1) if "weight" in path else True

    described = [picture.pixels.shape[:2] for picture in found(Picture, TREE, rule)]
    # Two edges of one index each way, and the strips where the middle is left out.
    assert described[0] == (3, 3)
    assert len(described) == 3


def test_the_same_path_as_in_the_document_is_given_for_records():
    @dataclass
    class Layer:
        weight: object

    asked = []
    treeview.render(
        [Layer(np.eye(3))], autovisualize=lambda value, path: asked.append((path, type(value)))
    )
    assert asked[-1] == ("[0].weight", np.ndarray)


def test_all_arrays_are_read_in_one_go_whatever_their_settings():
    calls = []

    class Counted(NumpyAdapter):
        def statistics(self, arrays):
            calls.append(("statistics", len(arrays)))
            return super().statistics(arrays)

        def fetch(self, requests):
            calls.append(("fetch", len(requests)))
            return super().fetch(requests)

    class Local(np.ndarray):
        pass

    treeview.register_array(Local, Counted())
    try:
        arrays = [np.ones((k, 5)).view(Local) for k in range(3, 9)]
        sizes = iter(range(10, 100))
        pictures = found(
            Picture,
            arrays,
            lambda value, path: (
                ArrayAutovisualizer(maximum_size=next(sizes)) if isinstance(value, Local) else None
            ),
        )
    finally:
        treeview.unregister(Local)
    assert len(pictures) == 6
    assert sorted(calls) == [("fetch", 6), ("statistics", 6)]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda value, path: 1 / 0, "<autovisualize raised ZeroDivisionError: division by zero>"),
        (lambda value: True, "<autovisualize raised TypeError: "),
        (
            lambda value, path: 3,
            "<autovisualize returned `int`, not a truth value, an `ArrayAutovisualizer`, something"
            " with rich output, or None>",
        ),
        (ArrayAutovisualizer, "<autovisualize raised TypeError: "),
    ],
)
@pytest.mark.parametrize("value", [np.eye(3), "x" * 200, {"a": [1]}])
def test_what_a_rule_does_wrong_is_said_in_its_place(rule, words, value):
    assert words in treeview.render_text(value, autovisualize=rule, width=10_000)
    page = BeautifulSoup(treeview.render_html(value, autovisualize=rule), "html.parser")
    assert words in page.get_text()


def test_an_interrupt_in_a_rule_passes():
    def rule(value, path):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        treeview.render([1, [2]], autovisualize=rule)


def test_figures_of_arrays_are_pictures_in_the_tree():
    figure = treeview.render_array(np.eye(3))
    (picture,) = found(Picture, [np.zeros((2, 2))], lambda v, p: figure if p == "[0]" else None)
    assert picture is figure.picture


class Chart:
    """Something with rich output."""

    def __init__(self, html):
        self.html = html

    def _repr_html_(self):
        return self.html


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros((2, 2)), "float64[2, 2] all 0"),
        ("x" * 200, "x" * 60),
        ((1, 2), "1,"),
        ({"a": 1}, "'a': 1"),
        (Chart("no"), "html='no'"),
    ],
)
def test_rich_output_of_any_object_stands_beside_the_value(value, words):
    def rule(obj, path):
        return Chart("<b>chart</b>") if path == "[0]" else None

    extras = [node.html for node in found(Foreign, [value], rule)]
    assert "<b>chart</b>" in extras
    text = treeview.render_text([value], autovisualize=rule, width=300)
    page = BeautifulSoup(treeview.render_html([value], autovisualize=rule), "html.parser")
    frames = [frame for frame in page.find_all("iframe") if "<b>chart</b>" in frame["srcdoc"]]
    assert all(frame.find_parent("details").has_attr("open") for frame in frames)
    assert len(frames) == 1
    assert words in text
    assert "<Chart>" in text


def test_renderings_and_figures_are_rich_output():
    def rule(obj, path):
        return treeview.inline("left", treeview.render([np.eye(2)])) if path == "" else None

    (extra,) = found(Foreign, np.eye(3), rule)
    assert "left" in extra.html


def test_rich_output_that_offers_nothing_is_said():
    text = treeview.render_text([np.eye(3)], autovisualize=lambda v, p: Chart(None))
    assert "<autovisualize returned `Chart` without rich output>" in text


def test_what_a_rule_renders_does_not_ask_the_rule_again():
    def rule(value, path):
        return treeview.render(value)

    with treeview.options(autovisualize=rule):
        assert (
            len([n for n in nodes(treeview.render((1,)).document) if isinstance(n, Foreign)]) == 1
        )


def test_a_roundtrip_asks_no_rule():
    def rule(value, path):
        raise AssertionError

    assert treeview.render_text([np.arange(2)], roundtrip=True, autovisualize=rule).count("(") == 1


@dataclass
class Named:
    """An array with names for its axes."""

    data: np.ndarray
    names: tuple


@pytest.fixture
def named_arrays():
    def axes(named):
        pairs = zip(named.data.shape, named.names, strict=True)
        return [treeview.Axis(size, name) for size, name in pairs]

    adapter = delegating_adapter(lambda named: named.data, axes=axes)
    treeview.register_array(Named, adapter)
    yield
    treeview.unregister(Named)


@pytest.mark.usefixtures("named_arrays")
@pytest.mark.parametrize(
    ("settings", "sides"),
    [
        ({"prefers_column": "b"}, "rows: a; columns: b"),
        ({"prefers_row": ["b", "zz"]}, "rows: b; columns: a"),
        ({"prefers_column": ("a",), "prefers_row": ("b",)}, "rows: b; columns: a"),
        ({"prefers_column": ("a", "b")}, "columns: a within b"),
    ],
)
def test_axes_are_preferred_where_an_array_has_them(settings, sides):
    array = Named(np.eye(4), ("a", "b"))
    (picture,) = found(Picture, [array], ArrayAutovisualizer(**settings))
    assert picture.description.endswith(sides)


def test_settings_reach_the_picture():
    integers = np.arange(30).reshape(5, 6)
    (digits,) = found(Picture, integers, ArrayAutovisualizer())
    (colors,) = found(Picture, integers, ArrayAutovisualizer(force_continuous=True))
    assert digits.pixels.shape == (35, 42, 4)
    assert colors.pixels.shape == (5, 6, 4)
    (large,) = found(Picture, integers * 1.0, ArrayAutovisualizer(pixels_per_cell=20))
    assert large.scale == 20
    (centred,) = found(Picture, integers * 1.0, ArrayAutovisualizer(around_zero=True))
    assert centred.scale_legend.low.startswith("-")


@pytest.mark.parametrize(
    "array",
    [np.zeros((0, 3)), np.array([None, 1] * 9), np.float64(3), np.timedelta64(3, "s"), np.ones(1)],
)
def test_what_has_no_picture_keeps_its_summary(array):
    assert found(Picture, [array], ArrayAutovisualizer()) == []
    assert treeview.render_text([array], autovisualize=ArrayAutovisualizer()) == (
        treeview.render_text([array])
    )


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"maximum_size": 2.5}, TypeError, "Expected `maximum_size` to be a whole number, got 2.5"),
        ({"edge_items": 0}, ValueError, "Expected `edge_items` to be at least 1, got 0"),
        (
            {"cutoff_size_per_axis": True},
            TypeError,
            "Expected `cutoff_size_per_axis` to be a whole",
        ),
        ({"around_zero": "yes"}, ValueError, "Expected `around_zero` to be True, False or 'auto'"),
        ({"around_zero": np.arange(2)}, ValueError, "Expected `around_zero` to be True"),
        ({"pixels_per_cell": 0}, ValueError, "Expected `pixels_per_cell` between 1 and 64, got 0"),
        (
            {"pixels_per_cell": "a"},
            ValueError,
            "Expected `pixels_per_cell` between 1 and 64, got 'a'",
        ),
        ({"force_continuous": "x"}, TypeError, "Expected `force_continuous` to be True or False"),
        ({"token_lookup_fn": 3}, TypeError, "Expected `token_lookup_fn` to be a function"),
        (
            {"prefers_row": "a", "prefers_column": ("b", "a")},
            ValueError,
            "Expected each axis in one of `prefers_column` and `prefers_row`, got 'a' in both",
        ),
    ],
)
def test_settings_are_checked_when_they_are_made(settings, error, words):
    with pytest.raises(error, match=words):
        ArrayAutovisualizer(**settings)


WORDS = ["<s>", "the", " cat", "sat\n"]


class Decoder:
    def decode(self, numbers):
        (number,) = numbers
        return WORDS[number]


class Vocabulary:
    """As `tokenizers` answers: None where there is no token, an error for negative numbers."""

    def id_to_token(self, number):
        if number < 0:
            raise OverflowError(number)
        return WORDS[number] if number < len(WORDS) else None


class Pieces(Decoder):
    """Writes a token as its vocabulary does, where its text would be another one."""

    def decode(self, numbers):
        raise AssertionError

    def piece(self, number):
        return WORDS[number]


def token_lines(array, tokenizer):
    rule = ArrayAutovisualizer.for_tokenizer(tokenizer)
    return [
        node.plain for node in found(Text, array, rule) if node.plain.startswith(("tokens", "… "))
    ]


@pytest.mark.parametrize("tokenizer", [Decoder(), Vocabulary(), Pieces(), WORDS.__getitem__])
def test_integers_show_their_tokens(tokenizer):
    array = np.array([[1, 2, 3], [0, 7, -1]])
    assert token_lines(array, tokenizer) == [
        "tokens[0]: 'the' ' cat' 'sat\\n'",
        "tokens[1]: '<s>' <out of bounds: 7> <out of bounds: -1>",
    ]
    assert token_lines(array[0], tokenizer) == ["tokens: 'the' ' cat' 'sat\\n'"]
    assert token_lines(array * 1.0, tokenizer) == []
    assert token_lines(array == 1, tokenizer) == []


def test_tokens_of_long_arrays_are_cut_where_the_picture_is():
    (line,) = token_lines(np.arange(10_000) % 4, WORDS.__getitem__)
    assert "…" in line
    assert line.count("'") / 2 < 300
    lines = token_lines(np.ones((20, 3), int), WORDS.__getitem__)
    assert len(lines) == 9
    assert lines[-1] == "… 12 more rows of tokens"


def test_the_picture_tells_the_token_of_each_cell():
    array = np.array([[1, 2, 3], [0, 7, -1]])
    (picture,) = found(Picture, array, ArrayAutovisualizer.for_tokenizer(WORDS.__getitem__))
    (grid,) = picture.grids
    assert grid.value_labels == {
        0: "'<s>'",
        1: "'the'",
        2: "' cat'",
        3: "'sat\\n'",
        7: "<out of bounds: 7>",
        -1: "<out of bounds: -1>",
    }
    assert "=" not in picture.caption.plain


def test_masked_tokens_have_no_text():
    array = np.ma.masked_array([1, 2, 3], [False, True, False])
    assert token_lines(array, WORDS.__getitem__) == ["tokens: 'the' -- 'sat\\n'"]


def test_a_tokenizer_that_fails_is_said_in_its_place():
    def lookup(number):
        raise RuntimeError("no vocabulary")

    text = treeview.render_text(
        [np.arange(9)], width=200, autovisualize=ArrayAutovisualizer.for_tokenizer(lookup)
    )
    assert "<no tokens: RuntimeError: no vocabulary>" in text
    assert "<picture: int64[9]: all values; columns: axis 0>" in text


def test_a_tokenizer_that_is_none_is_refused():
    with pytest.raises(TypeError, match="Expected a tokenizer of SentencePiece.*got `list`"):
        ArrayAutovisualizer.for_tokenizer(WORDS)
    with pytest.raises(TypeError, match="Expected a setting of `ArrayAutovisualizer`, got `edge`"):
        ArrayAutovisualizer.for_tokenizer(WORDS.__getitem__, edge=3)


def test_texts_are_drawn_where_few_are_different_and_records_field_by_field():
    records = np.zeros((3, 4), [("rate", "f4"), ("name", "U3")])
    animals = np.array(["cat", "dog"] * 20)
    for array in (
        animals,
        animals.astype("S"),
        records,
        np.ma.array(animals, mask=animals == "cat"),
    ):
        assert len(found(Picture, [array], rule=True)) == 1
    others = {
        "all different": np.array([f"word {n}" for n in range(40)]),
        "in the summary": np.array(["cat", "cat"]),
        "objects": np.array([None, 1] * 20),
        "records of objects": np.zeros(4, [("any", "O")]),
        "no values": np.zeros(0, "U3"),
    }
    assert found(Picture, others, rule=True) == []
    shown = {"animals": animals, **others}
    text = treeview.render_text(shown, autovisualize=True, max_lines=None)
    assert text.count("<picture") == 1
