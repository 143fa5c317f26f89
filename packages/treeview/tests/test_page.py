"""A document as HTML: it reads like the text output, folds without scripts, trusts nobody."""

import re

import numpy as np
import pytest
from bs4 import BeautifulSoup, NavigableString
from hypothesis import given, settings
from hypothesis import strategies as st

import treeview
from treeview._document import (
    EMPTY,
    Branch,
    EdgeLabel,
    Foreign,
    IndexSteps,
    Picture,
    Reference,
    text,
)
from treeview._markup import fragment_html
from treeview._page import FIRST_LINES, MORE_LINES, MOST_LINES, document_markup, page_html
from treeview._paths import Opaque
from treeview._rendering import Rendering
from treeview._writer import DEEPEST


def page_lines(soup, lines=None):
    """The lines that a reader sees, found from the markup alone."""
    lines = [""] if lines is None else lines
    for child in soup.children:
        if isinstance(child, NavigableString):
            lines[-1] += str(child)
        elif child.name in ("style", "script", "template", "p"):
            continue
        elif child.name == "li" and shares_line(child):
            *full, rest = child.get_text().split("\n")
            for line in full:
                lines[-1] += line
                lines.append("")
            lines[-1] += rest
        elif child.name in ("summary", "li", "ul", "details", "figure", "div", "iframe"):
            if lines[-1]:
                lines.append("")
            if child.name == "details" and not child.has_attr("open"):
                page_lines(child.find("summary", recursive=False), lines)
            else:
                page_lines(child, lines)
            if lines[-1]:
                lines.append("")
        else:
            details = child.find_parent("details")
            folded = details is not None and not details.has_attr("open")
            hidden = {"op"} if folded else {"fo"}
            if not hidden & set(child.get("class", [])):
                page_lines(child, lines)
    return lines


def shares_line(item):
    return "fl" in item.parent.get("class", []) and not {"re", "om"} & set(item.get("class", []))


def read(html):
    # In a `pre` the parser keeps white space as it is, like the style sheet does.
    lines = page_lines(BeautifulSoup(f"<pre>{html}</pre>", "html.parser").pre)
    return "\n".join(line for line in lines if line)


def markup(root, *, opened=(), **changes):
    most = changes.get("stretch") or MOST_LINES
    counts = {
        id(branch): len(branch.values) if len(branch.values) <= most + 1 else most
        for branch in opened
    }
    return document_markup(root, opened=counts, **changes)


def listing(values, **changes):
    return Branch(
        text("["), values, text("]"), steps=IndexSteps(len(values)), separator=",", **changes
    )


# Short words, so that lines have room for them: where they have none, a terminal abbreviates.
words = st.text("ab'\"<&>é世\n\x00\u202e\ud800", max_size=5)
plain_data = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | words,
    lambda children: (
        st.lists(children, max_size=6)
        | st.dictionaries(words | st.integers(0, 999), children, max_size=6)
        | st.tuples(children, children)
    ),
    max_leaves=40,
)


@settings(max_examples=40)
@given(plain_data, st.sampled_from([80, 100]))
def test_the_page_reads_like_the_text(value, width):
    rendering = treeview.render(value, width=width, max_lines=None)
    assert read(rendering.html()) == rendering.text()


def test_folded_branches_read_like_the_text_too():
    value = {f"key {i}": list(range(100)) for i in range(30)}
    rendering = treeview.render(value, width=80, max_lines=35)
    assert read(rendering.html()) == rendering.text()


def test_a_plain_value_costs_little():
    assert len(treeview.render_html(5)) < 2_200


def test_a_fragment_is_one_element_that_brings_its_styles():
    soup = BeautifulSoup(treeview.render_html([1, 2, 3]), "html.parser")
    (wrapper,) = soup.contents
    assert wrapper.name == "div"
    assert wrapper["class"] == ["treeview"]
    assert ".treeview" in wrapper.style.string


def test_what_is_not_used_is_not_shipped():
    assert "<script" not in treeview.render_html([1, 2, 3])
    assert "figcaption" not in treeview.render_html([1, 2, 3])


def test_an_open_branch_is_a_details_element_with_its_lines():
    root = listing([1, "a"])
    soup = BeautifulSoup(markup(root, opened=[root]).html, "html.parser")
    assert soup.details.has_attr("open")
    assert [item.text.strip() for item in soup.select("details > ul > li")] == ["1,", "'a',"]


def test_what_fits_stands_on_one_line():
    assert "<details" not in markup(listing([1, 2, 3])).html


def test_left_out_children_are_said():
    root = listing([1], omitted=1234)
    assert read(markup(root, opened=[root]).html) == "[\n  1,\n  … 1,234 more items\n]"


def test_an_unknown_number_of_left_out_children_is_said():
    root = listing([1], omitted=None)
    assert "… more items" in read(markup(root, opened=[root]).html)


def test_a_long_list_folds_its_rest():
    root = listing(list(range(100)))
    soup = BeautifulSoup(markup(root, opened=[root], stretch=10).html, "html.parser")
    assert "… 90 more items" in soup.select_one("li.re > details > summary").text
    assert len(soup.select("li.re li")) == 90


def test_one_more_than_the_stretch_is_not_worth_a_fold():
    root = listing(list(range(11)))
    assert "class=re" not in markup(root, opened=[root], stretch=10).html


def test_a_reference_links_to_the_first_sighting():
    shared = listing([1, 2], number=3)
    root = listing([shared, Reference(3, text("<same list as [0]>"))])
    soup = BeautifulSoup(markup(root, opened=[root, shared]).html, "html.parser")
    target = soup.a["href"].removeprefix("#")
    assert soup.find(id=target).name == "details"
    assert soup.a.text == "<same list as [0]>"


def test_a_first_sighting_on_one_line_can_be_linked_to():
    shared = listing([1, 2], number=3)
    root = listing([shared, Reference(3, text("<same list as [0]>"))])
    soup = BeautifulSoup(markup(root, opened=[root]).html, "html.parser")
    assert soup.find(id=soup.select_one("a[href]")["href"].removeprefix("#")).find_parent("li")


def test_the_same_rendering_twice_on_a_page_has_no_doubled_anchors():
    shared = listing([1, 2], number=3)
    root = listing([shared, Reference(3, text("<same list>"))])
    rendering = Rendering(root)
    soup = BeautifulSoup(rendering.html() + rendering.html(), "html.parser")
    anchors = [element["id"] for element in soup.select("[id]")]
    assert len(anchors) == len(set(anchors)) == 2


def test_deep_nesting_stops_before_browsers_do_and_says_so():
    root = listing([0])
    opened = [root]
    for _ in range(1_500):
        root = Branch(text("["), [root], text("]"), separator=",")
        opened.append(root)
    html = markup(root, opened=opened, width=2).html
    assert html.count("<details") == DEEPEST
    assert f"… {1_501 - DEEPEST:,} more levels, which a script opens" in read(html)


def test_rests_of_lists_count_as_nesting():
    root = listing([0])
    opened = [root]
    for _ in range(400):
        root = Branch(text("["), [0, 0, root], text("]"), separator=",")
        opened.append(root)
    html = markup(root, opened=opened, width=2, stretch=1).html
    depth = deepest = 0
    for tag in re.findall(r"<(/?)(?:details|ul)\b", html):
        depth += -1 if tag else 1
        deepest = max(deepest, depth)
    assert deepest * 1.5 < 500  # every two of these have a list item between them


def test_of_a_long_document_only_the_first_levels_become_markup():
    root = listing([listing(list(range(100))) for _ in range(100)])
    piece = markup(root, opened=[root])
    assert piece.html.count("<li") < 1.1 * (FIRST_LINES + MORE_LINES)
    assert "These are the first levels of 10,101 values." in piece.html
    assert read(piece.html).splitlines()[-2] == f"  {read(markup(listing(list(range(100)))).html)},"
    assert "tv-data" in piece.data


def test_children_beyond_the_first_lines_are_counted():
    root = listing(list(range(MOST_LINES + 10)))
    html = markup(root, opened=[root]).html
    most = FIRST_LINES + MORE_LINES
    assert html.count("<li") == most + 1
    assert f"… {MOST_LINES + 10 - most:,} more items" in html


def test_the_first_part_of_a_long_document_can_be_unfolded_in_full():
    def part(levels):
        return listing([part(levels - 1), *[99] * 20] if levels else [0] * 20)

    parts = [part(4) for _ in range(40)]
    html = markup(listing(parts), opened=[], width=30).html
    whole = BeautifulSoup(markup(parts[0], opened=[], width=30).html, "html.parser")
    soup = BeautifulSoup(html, "html.parser")
    items = soup.select("details")[0].find("ul").find_all("li", recursive=False)
    assert len(items) == 40
    assert len(items[0].select("li")) == len(whole.select("li"))
    assert 0 < len(items[2].select("li")) < len(whole.select("li"))


def test_notes_stand_beside_the_head_open_and_folded():
    root = listing(list(range(50)), note=text(("# 50 numbers", "comment")))
    assert read(markup(root, opened=[root]).html).startswith("[  # 50 numbers\n")
    assert read(markup(root, width=30).html).endswith("]  # 50 numbers")


def test_the_line_of_a_folded_branch_can_be_given():
    root = listing(list(range(50)), folded=text("fifty numbers"))
    assert read(markup(root, width=40).html) == "fifty numbers"
    assert read(markup(root, width=40, opened=[root]).html).startswith("[\n  0,")


def test_a_branch_without_tail_needs_no_last_line():
    inner = Branch(text("array"), [text("picture")], inline=False)
    root = listing([inner])
    assert read(markup(root, opened=[root, inner]).html) == "[\n  array,\n    picture\n]"


@pytest.mark.parametrize(
    "color", ["#fff", "#a1b2c3d4", "teal", "rgb(1, 2, 3)", "oklch(70% 0.1 200 / 50%)"]
)
def test_colours_of_branches_are_used(color):
    root = listing(list(range(50)), color=color)
    soup = BeautifulSoup(markup(root, opened=[root]).html, "html.parser")
    assert soup.details["style"] == f"--tv-c:{color}"


@pytest.mark.parametrize(
    "color",
    [
        'red"><script>',
        "red;background:url(//x)",
        "url(//x)",
        "expression(1)",
        "",
        "var(--x)",
        "a\n",
    ],
)
def test_what_is_no_colour_is_ignored(color):
    root = listing(list(range(50)), color=color)
    soup = BeautifulSoup(markup(root, opened=[root]).html, "html.parser")
    assert not soup.details.has_attr("style")


HOSTILE = [
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "<!--",
    "\u202eevil\u2066",
    "\ud800 lone",
    "\x00\x1b[31m",
    "]]>",
    "&lt;",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text_everywhere(hostile):
    class Odd:
        def __repr__(self):
            return hostile

    picture = Picture(
        np.zeros((2, 2, 4), np.uint8),
        4,
        hostile,
        (EdgeLabel("left", 0, 1, hostile), EdgeLabel("top", 0, 2, hostile, 1)),
        caption=text(hostile),
    )
    record = Branch(
        text((hostile, "type")),
        [hostile, text((hostile, "error")), Foreign(hostile, text(hostile)), picture],
        text(hostile),
        labels=[hostile, text(hostile), hostile, hostile],
        joint=hostile,
        steps=[Opaque(hostile)] * 4,
        separator=hostile,
        note=text(hostile),
        color=hostile,
        omitted=2,
        omitted_name=hostile,
        opened=True,
    )
    root = listing([record, Reference(1, text(hostile))])
    rendered = markup(root, opened=[root, record])
    page = page_html([rendered], hostile)
    page.encode("utf-8")
    soup = BeautifulSoup(page, "html.parser")
    body = soup.main
    assert {tag.name for tag in body.find_all()} <= {
        *("main", "details", "summary", "ul", "li", "b", "i", "a", "span"),
        *("figure", "figcaption", "img", "div", "iframe"),
    }
    assert not any(name.startswith("on") for tag in body.find_all() for name in tag.attrs)
    assert not re.search("[\u202e\u2066\x00\x1b]", body.text)
    html = treeview.render_html({"a": Odd(), hostile: hostile, 1: [hostile]})
    html.encode("utf-8")
    assert not BeautifulSoup(html, "html.parser").find_all(["svg", "img"])


def test_foreign_output_lives_in_a_sandbox_of_its_own():
    foreign = Foreign('<b id="x">"quoted" & more</b>', text("DataFrame (2 × 2)"))
    soup = BeautifulSoup(markup(listing([foreign]), opened=[]).html, "html.parser")
    frame = soup.iframe
    assert frame["srcdoc"].startswith(f"{foreign.html}<script>")
    assert frame["sandbox"] == ["allow-scripts"]
    assert frame["loading"] == "lazy"
    assert "DataFrame (2 × 2)" in soup.text


def test_a_page_is_complete_and_names_no_other_file():
    page = page_html([markup(listing(list(range(100))))], "A <title>")
    soup = BeautifulSoup(page, "html.parser")
    assert page.startswith("<!doctype html>")
    assert soup.title.string == "A <title>"
    assert soup.find("meta", charset="utf-8")
    assert not soup.select("link, [src], [href]")
    assert "http" not in page


def test_a_fragment_with_many_branches_is_searchable():
    root = listing([listing(list(range(99))) for _ in range(20)])
    assert "<script>" in fragment_html(markup(root, opened=[root]))


def test_an_empty_branch_is_one_line():
    assert read(markup(Branch(text("set()"), [], EMPTY)).html) == "set()"
