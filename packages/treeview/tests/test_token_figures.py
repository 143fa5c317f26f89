"""Text whose tokens carry numbers."""

import base64
import json
import math

import numpy as np
import pytest
from bs4 import BeautifulSoup

import treeview

WORDS = ["The", "cat", "sat"]


def soup_of(figure):
    return BeautifulSoup(figure.html(), "html.parser")


def tokens_of(figure):
    return [span.text for span in soup_of(figure).select(".tv-text > span")]


def test_scores_stand_below_their_tokens_in_text():
    figure = treeview.token_scores(WORDS, [0.25, -0.5, 1])
    assert figure.text() == "The   cat   sat\n0.25  -0.5  1"


def test_long_texts_of_scores_take_several_lines():
    lines = treeview.token_scores(["word"] * 30, range(30)).text().split("\n")
    assert max(map(len, lines)) <= 80
    assert " ".join(lines[::3]).split() == ["word"] * 30
    assert " ".join(lines[1::3]).split() == [str(number) for number in range(30)]
    assert set(lines[2::3]) == {""}


def test_each_token_has_the_colour_and_tells_the_number_of_its_score():
    spans = soup_of(treeview.token_scores(WORDS, [0.25, -0.5, 1])).select(".tv-text > span")
    singles = [treeview.text_on_color(*pair).html() for pair in zip(WORDS, [0.25, -0.5, 1])]
    expected = [BeautifulSoup(one, "html.parser").select_one("span[title]") for one in singles]
    assert [span["style"] for span in spans] == [span["style"] for span in expected]
    assert [span["aria-label"] for span in spans] == ["The: 0.25", "cat: -0.5", "sat: 1.0"]


@pytest.mark.parametrize(
    ("scores", "limits", "ends"),
    [
        ([0, 1, 4], {}, ["0", "4"]),
        ([0, -1, 4], {}, ["-4", "4"]),
        ([1, 2, 3], {"vmax": 8}, ["0", "8"]),
        ([1, 2, 3], {"vmin": 1}, ["1", "3"]),
        ([0, 0, 0], {}, ["0", "1"]),
        ([math.nan, math.inf, 2], {}, ["0", "2"]),
    ],
)
def test_the_range_is_that_of_the_scores_unless_it_is_given(scores, limits, ends):
    figure = treeview.token_scores(WORDS, scores, **limits)
    legend = [span.text for span in soup_of(figure).select(".le > span")]
    assert [legend[0], legend[-1]] == ends


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["a", "b"], "a b"),
        (["a", " b", "c"], "a bc"),
        (["\u2581a", "b"], "\u2581ab"),
        (["a\n", "b"], "a\\n\nb"),
        (["<b>", "\u202e"], "<b> \\u202e"),
    ],
)
def test_tokens_that_carry_their_spaces_get_no_others(tokens, text):
    figure = treeview.token_scores(tokens, [1] * len(tokens))
    assert soup_of(figure).select_one(".tv-text").text.rstrip() == text


@pytest.mark.parametrize("scores", [[1, 2], [[1, 2, 3]], 1])
def test_each_token_needs_a_score(scores):
    with pytest.raises(
        ValueError, match="Expected a score for each of the 3 `tokens`, got scores of"
    ):
        treeview.token_scores(WORDS, scores)


def test_the_range_of_scores_must_not_be_empty():
    with pytest.raises(ValueError, match="to be less than `vmax`, both finite, got 2.0 and 1.0"):
        treeview.token_scores(WORDS, [1, 2, 3], vmin=2, vmax=1)


@pytest.mark.parametrize("show", [treeview.token_scores, treeview.token_attention])
@pytest.mark.parametrize("tokens", [[1, 2, 3], [b"a"] * 3, None, 3])
def test_tokens_are_strings(show, tokens):
    with pytest.raises(TypeError, match="Expected `tokens` to be strings, got .* at position 0"):
        show(tokens, np.ones((3, 3)))


@pytest.mark.parametrize("numbers", ["abc", [1j] * 3, None, [[1], [1, 2]]])
def test_scores_and_weights_are_real_numbers(numbers):
    with pytest.raises(ValueError, match="Expected `scores` to"):
        treeview.token_scores(WORDS, numbers)
    with pytest.raises(ValueError, match="Expected `weights` to"):
        treeview.token_attention(WORDS, numbers)


def test_scores_of_any_size_and_type_have_colors():
    figure = treeview.token_scores(WORDS, [1e308, -1e308, 0])
    assert figure.text().splitlines()[1].split() == ["1e+308", "-1e+308", "0"]
    masked = treeview.token_scores(WORDS, np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False]))
    assert masked.text().splitlines()[1].split() == ["1", "nan", "3"]
    half = np.array([1, 2, 3], np.float16)
    wide = treeview.token_scores(iter(WORDS), [1.0, 2.0, 3.0])
    assert treeview.token_scores(WORDS, half).html() == wide.html()


WEIGHTS = [[1, 0, 0], [0.25, 0.75, 0], [0.5, 0.2, 0.3]]


def test_attention_names_what_each_token_looks_at_in_text():
    text = treeview.token_attention(WORDS, WEIGHTS).text()
    assert text == "The -> The 1\ncat -> cat 0.75, The 0.25\nsat -> The 0.5, sat 0.3, cat 0.2"


def test_attention_shows_the_last_token_without_scripts():
    soup = soup_of(treeview.token_attention(WORDS, WEIGHTS))
    spans = soup.select("[data-k]")
    assert [span["style"] for span in spans] == ["--w:100%", "--w:40%", "--w:60%"]
    assert [span["aria-pressed"] for span in spans] == ["false", "false", "true"]
    assert soup.select_one("[role=status]").text == "sat looks at The 0.5, sat 0.3, cat 0.2"


def test_the_weights_on_the_page_are_those_given():
    heads = np.random.default_rng(0).random((2, 3, 3))
    soup = soup_of(treeview.token_attention(WORDS, heads))
    data = json.loads(soup.select_one(".tv-attention script").string)
    shares = np.frombuffer(base64.b64decode(data["values"]), "<u2").reshape(3, 3, 3)
    found = shares / 65_535 * data["top"]
    np.testing.assert_allclose(found, [heads.mean(0), *heads], atol=1e-5)
    assert [one.text for one in soup.select("option")] == ["mean of heads", "head 0", "head 1"]


def test_tokens_may_look_at_a_text_of_others():
    figure = treeview.token_attention(WORDS, WEIGHTS[:2], queries=["le", "chat"])
    soup = soup_of(figure)
    assert [span.text for span in soup.select("[data-q]")] == ["le", "chat"]
    assert [span.text for span in soup.select("[data-k]")] == WORDS
    assert figure.text().startswith("le -> The 1\nchat -> cat 0.75")


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        (
            np.zeros((2, 3)),
            r"Expected `weights` of shape \(3, 3\) or \(heads, 3, 3\) .* got \(2, 3\)",
        ),
        (np.zeros((1, 2, 3, 3)), r"got \(1, 2, 3, 3\); choose one layer"),
        (np.zeros((0, 3, 3)), r"got \(0, 3, 3\)"),
        (-np.ones((3, 3)), "to be finite and not negative"),
        (np.full((3, 3), np.nan), "to be finite and not negative"),
        (np.broadcast_to(1.0, (300_000, 3, 3)), "Expected at most 2,000,000 weights"),
    ],
)
def test_wrong_weights_are_refused(weights, problem):
    with pytest.raises(ValueError, match=problem):
        treeview.token_attention(WORDS, weights)


def test_a_weight_of_the_full_colour_must_be_positive():
    with pytest.raises(ValueError, match="Expected `vmax` to be positive, got 0"):
        treeview.token_attention(WORDS, WEIGHTS, vmax=0)


def test_figures_of_no_tokens_are_empty():
    assert treeview.token_scores([], []).text() == "\n"
    assert treeview.token_attention([], np.zeros((0, 0))).text() == ""
    assert "<script>" in treeview.token_attention([], np.zeros((0, 0))).html()


@pytest.mark.browser
def test_the_token_under_the_pointer_looks_at_the_others(open_page):
    figure = treeview.token_attention(WORDS, [WEIGHTS, np.eye(3)])
    page = open_page(treeview.Page("T").add(treeview.inline(figure)).html())
    shares = lambda: page.eval_on_selector_all(
        "[data-k]", "all => all.map((one) => one.style.getPropertyValue('--w'))"
    )
    tokens = page.locator("[data-q]")
    tokens.nth(1).hover()
    mean = (np.array(WEIGHTS[1]) + np.eye(3)[1]) / 2
    assert shares() == [f"{round(100 * weight / mean.max())}%" for weight in mean]
    assert page.locator("[role=status]").inner_text() == "cat looks at cat 0.875, The 0.125"
    page.get_by_role("combobox").select_option("head 0")
    assert page.locator("[role=status]").inner_text() == "cat looks at cat 0.75, The 0.25"
    tokens.nth(1).focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("[role=status]").inner_text() == "sat looks at The 0.5, sat 0.3, cat 0.2"
    assert tokens.nth(2).get_attribute("tabindex") == "0"
    assert shares() == ["100%", "40%", "60%"]
