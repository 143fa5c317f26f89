"""Layout: what opens, what folds, and how much of it is written."""

import ast
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treeview import Options
from treeview._document import EMPTY, Branch, Foreign, Text, text
from treeview._inline import flat_spans, short_spans, spans_width, text_width
from treeview._layout import INDENT, lay_out, open_branches
from treeview._walk import build_document


def lines(obj, width=80, max_lines=None, **changes):
    root = build_document(obj, options=Options(max_items=10**6, max_nodes=10**7))
    return [line.plain for line in lay_out(root, width=width, max_lines=max_lines, **changes)]


def branch(values, **changes):
    settings = {"separator": ",", **changes}
    return Branch(text("["), values, text("]"), **settings)


def test_what_fits_stays_on_one_line():
    assert lines([1, [2, 3], {"a": None}], width=24) == ["[1, [2, 3], {'a': None}]"]


def test_what_is_one_column_too_wide_opens():
    assert lines([1, [2, 3], {"a": None}], width=23) == [
        "[",
        "  1,",
        "  [2, 3],",
        "  {'a': None},",
        "]",
    ]


def test_the_comma_after_a_line_counts():
    assert lines([[1111, 2222, 3333]], width=20) == ["[[1111, 2222, 3333]]"]
    assert lines([[1111, 2222, 3333]], width=19) == [
        "[",
        "  [",
        "    1111, 2222,",
        "    3333,",
        "  ],",
        "]",
    ]


def test_the_deepest_folds_first():
    tree = {f"block {i}": {f"layer {j}": list(range(1000)) for j in range(8)} for i in range(6)}
    assert lines(tree, width=60, max_lines=10) == [
        "{",
        "  'block 0': {'layer 0': […], 'layer 1': […], … 6 more},",
        "  'block 1': {'layer 0': […], 'layer 1': […], … 6 more},",
        "  'block 2': {'layer 0': […], 'layer 1': […], … 6 more},",
        "  'block 3': {'layer 0': […], 'layer 1': […], … 6 more},",
        "  'block 4': {'layer 0': […], 'layer 1': […], … 6 more},",
        "  'block 5': {'layer 0': […], 'layer 1': […], … 6 more},",
        "}",
    ]


def test_numbers_and_words_fill_the_lines():
    shown = lines({"a": list(range(30)), "b": ["one", "two", None, b"three"]}, width=40)
    assert shown == [
        "{",
        "  'a': [",
        "    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,",
        "    11, 12, 13, 14, 15, 16, 17, 18, 19,",
        "    20, 21, 22, 23, 24, 25, 26, 27, 28,",
        "    29,",
        "  ],",
        "  'b': ['one', 'two', None, b'three'],",
        "}",
    ]


def test_longer_strings_have_lines_of_their_own():
    words = ["word", "w" * 20, 3]
    assert lines(words, width=30) == ["[", "  'word',", f"  '{'w' * 20}', 3,", "]"]
    sentence = ["word", "w" * 21, 3]
    assert lines(sentence, width=30) == ["[", "  'word',", f"  '{'w' * 21}',", "  3,", "]"]


@given(st.lists(st.integers() | st.floats() | st.text(max_size=20), min_size=3), st.integers(9, 90))
def test_filled_lines_hold_all_items_in_order(values, width):
    written = lines(values, width=width)
    if len(written) > 1:
        items = [f"{value!r}," for value in values]
        assert " ".join(line.strip() for line in written[1:-1]) == " ".join(items)


def test_rows_of_more_than_three_lines_fold_where_lines_are_scarce():
    shown = lines({"a": list(range(24)), "b": list(range(100))}, width=40, max_lines=40)
    assert shown == [
        "{",
        "  'a': [",
        "    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,",
        "    11, 12, 13, 14, 15, 16, 17, 18, 19,",
        "    20, 21, 22, 23,",
        "  ],",
        "  'b': [0, 1, 2, 3, 4, 5, 6, … 93 more],",
        "}",
    ]


def test_a_long_row_alone_fills_the_lines_there_are():
    shown = lines(list(range(1000)), width=40, max_lines=5)
    assert shown == [
        "[",
        "  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,",
        "  12, 13, 14, 15, 16, 17, 18, 19, 20,",
        "  … 979 more items",
        "]",
    ]


def test_a_folded_row_shows_how_much_is_missing():
    assert lines({"a": list(range(1000))}, width=40, max_lines=5) == [
        "{",
        "  'a': [0, 1, 2, 3, 4, 5, … 994 more],",
        "}",
    ]


def test_a_long_root_opens_in_part():
    assert lines([[i] * 50 for i in range(1000)], width=30, max_lines=6) == [
        "[",
        "  [0, 0, 0, 0, 0, … 45 more],",
        "  [1, 1, 1, 1, 1, … 45 more],",
        "  [2, 2, 2, 2, 2, … 45 more],",
        "  … 997 more items",
        "]",
    ]


def test_siblings_share_the_lines():
    tree = {"a": [[i] * 50 for i in range(1000)], "b": [[i] * 50 for i in range(1000)]}
    shown = lines(tree, width=40, max_lines=40)
    assert len(shown) <= 40
    assert shown[1] == "  'a': ["
    assert "  'b': [" in shown
    assert 18 <= shown.index("  'b': [") <= 22


def test_small_siblings_open_in_full_before_large_ones_share():
    tree = {"a": [[i] * 50 for i in range(1000)], "b": [["x" * 30] * 3 for _ in range(3)]}
    shown = lines(tree, width=60, max_lines=30)
    assert len(shown) <= 40
    assert "  'b': [" in shown


@settings(max_examples=100)
@given(
    st.recursive(
        st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=60,
    ),
    st.integers(1, 60),
)
def test_no_more_lines_than_allowed(tree, max_lines):
    assert len(lines(tree, width=30, max_lines=max_lines)) <= max(max_lines, 4)


words = st.text(st.characters(codec="utf-8"), max_size=12)
trees = st.recursive(
    st.integers() | st.floats() | words | st.none(),
    lambda inner: (
        st.lists(inner, max_size=6) | st.tuples(inner) | st.dictionaries(words, inner, max_size=6)
    ),
    max_leaves=40,
)


@settings(max_examples=100)
@given(trees, st.integers(10, 90), st.none() | st.integers(1, 30))
def test_without_styles_the_text_is_the_same(tree, width, max_lines):
    assert lines(tree, width, max_lines, styled=False) == lines(tree, width, max_lines)


def columns(line):
    """Columns of a line in a terminal, reckoned apart from the code under test."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in line
    )


FOLDS = set("[ ( { [] () {} [ […] (…) {…} … [… (… {…".split())


def is_word(written):
    """Whether a text is one atom, or a container with nothing of it shown."""
    if written in FOLDS:
        return True
    try:
        tree = ast.parse(written, mode="eval").body
    except SyntaxError:
        return False
    tree = tree.operand if isinstance(tree, ast.UnaryOp) else tree
    return isinstance(tree, ast.Constant | ast.Name)


def is_string(written):
    try:
        return isinstance(ast.literal_eval(written), str)
    except SyntaxError:
        return False


def is_labelled_word(written):
    return is_word(written) or any(
        is_string(written[:colon]) and is_word(written[colon + 2 :])
        for colon in range(1, len(written))
        if written.startswith(": ", colon) and written[0] in "'\""
    )


@settings(max_examples=200)
@given(trees, st.integers(24, 100), st.none() | st.integers(1, 50))
def test_a_line_is_longer_than_the_width_only_where_one_word_of_it_is(tree, width, max_lines):
    for line in lines(tree, width=width, max_lines=max_lines):
        if columns(line) > width:
            assert is_labelled_word(line.strip().removesuffix(","))


def test_wide_characters_take_two_columns():
    assert text_width("漢字") == 4
    assert text_width("a\u0301") == 1
    assert lines(["漢字", "漢字"], width=16) == ["['漢字', '漢字']"]
    assert len(lines(["漢字", "漢字"], width=15)) == 4


def test_labels_stand_before_open_branches():
    assert lines({"k": ["a" * 10, "b" * 10]}, width=22) == [
        "{",
        "  'k': [",
        "    'aaaaaaaaaa',",
        "    'bbbbbbbbbb',",
        "  ],",
        "}",
    ]


def test_a_tuple_of_one_item_keeps_its_comma():
    assert lines((1,)) == ["(1,)"]
    assert lines(([1],)) == ["([1],)"]
    assert lines(("a" * 20,), width=10) == ["(", f"  {'a' * 20!r},", ")"]


def test_opened_and_folded_branches_are_heeded():
    folded = branch([1, 2, 3], opened=False)
    opened = branch([1], opened=True)
    root = branch([folded, opened], labels=["a", "b"], joint=": ")
    assert [line.plain for line in lay_out(root, width=80, max_lines=None)] == [
        "[",
        "  'a': [1, 2, 3],",
        "  'b': [",
        "    1,",
        "  ],",
        "]",
    ]
    assert open_branches(root, width=80, max_lines=None) == {id(root), id(opened)}


def test_a_branch_that_starts_folded_is_shortened_even_with_room():
    root = branch([branch(list(range(100)), opened=False)], opened=True)
    assert [line.plain for line in lay_out(root, width=30, max_lines=None)] == [
        "[",
        "  [0, 1, 2, 3, 4, … 95 more],",
        "]",
    ]


def test_a_folded_text_of_its_own_stands_for_a_branch():
    long = branch(["x" * 50] * 3, folded=text("three long words"), opened=False)
    root = branch([long, 1], opened=True)
    assert [line.plain for line in lay_out(root, width=40, max_lines=None)] == [
        "[",
        "  three long words,",
        "  1,",
        "]",
    ]


def test_comments_end_lines_and_are_cut_to_them():
    noted = branch([1], note=text("# a rather long comment on it"))
    assert [line.plain for line in lay_out(noted, width=60, max_lines=None)] == [
        "[1]  # a rather long comment on it"
    ]
    assert [line.plain for line in lay_out(noted, width=20, max_lines=None)] == [
        "[1]  # a rather lon…"
    ]
    assert [line.plain for line in lay_out(noted, width=12, max_lines=None)] == ["[1]"]
    inside = branch([noted, noted])
    assert [line.plain for line in lay_out(inside, width=60, max_lines=None)] == ["[[1], [1]]"]


def test_comments_that_tell_of_damage_never_vanish_in_a_line():
    noted = branch([1], note=text(("# broken", "error")))
    assert [line.plain for line in lay_out(branch([noted]), width=60, max_lines=None)] == [
        "[",
        "  [1],  # broken",
        "]",
    ]


def test_text_is_cut_to_the_width_and_words_are_not():
    assert spans_width(short_spans(text("many words " * 20), 30)) == 30
    assert short_spans("x" * 50, 30) == [(repr("x" * 50), "string")]


def test_other_nodes_stand_on_one_line():
    root = branch([Foreign("<b>", text("a foreigner")), Text(), EMPTY])
    assert [line.plain for line in lay_out(root, width=60, max_lines=None)] == ["[a foreigner, , ]"]


def test_unknown_rests_have_no_number():
    root = branch([1, 2], omitted=None)
    assert [line.plain for line in lay_out(root, width=60, max_lines=None)] == [
        "[1, 2, … more items]"
    ]
    assert [line.plain for line in lay_out(root, width=3, max_lines=None)] == [
        "[", "  1,", "  2,", "  … more items", "]",
    ]  # fmt: skip


def test_indentation_stops_where_no_room_would_be_left():
    deep = ["x" * 30, 1]
    for _ in range(300):
        deep = [deep, "y" * 30]
    shown = lines(deep, width=80)
    assert max(map(len, shown)) <= 80
    assert max(len(line) - len(line.lstrip()) for line in shown) == 40


def test_deep_trees_take_linear_room():
    deep = [1]
    for _ in range(3000):
        deep = [deep]
    shown = lines(deep, width=80)
    assert len(shown) < 6100
    assert sum(map(len, shown)) < 6100 * 50


def test_only_what_can_fit_is_looked_at():
    class Watched(list):
        def __getitem__(self, index):
            assert index < 100
            return super().__getitem__(index)

    assert flat_spans(branch(Watched(range(10_000))), 80) is None


def test_complete_lines_fold_nothing():
    root = branch([branch(list(range(40)), opened=False), "z" * 50])
    (line,) = lay_out(branch([1, 2], opened=False), width=3, max_lines=1, complete=True)[:1]
    assert line.plain == "["
    plain = [line.plain for line in lay_out(root, width=20, max_lines=2, complete=True)]
    assert plain[2:5] == ["    0, 1, 2, 3, 4,", "    5, 6, 7, 8, 9,", "    10, 11, 12, 13,"]
    assert plain[-4:] == ["    38, 39,", "  ],", f"  {'z' * 50!r},", "]"]


def test_opened_branches_are_those_with_lines_of_their_own():
    tree = {"a": list(range(15)), "b": [1, 2]}
    root = build_document(tree)
    assert open_branches(root, width=200, max_lines=None) == set()
    assert open_branches(root, width=50, max_lines=None) == {id(root), id(root.values[0])}
    assert open_branches(root, width=50, max_lines=5) == {id(root)}
    assert open_branches(5, width=50, max_lines=5) == set()
    assert INDENT == 2


@pytest.mark.parametrize("width", [1, 2, 5])
def test_absurd_widths_do_no_harm(width):
    assert lines({"a": [1, (2,), "three"]}, width=width)[0] == "{"
