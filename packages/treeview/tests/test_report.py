"""Report pages: headings, prose, tables and renderings in one file."""

import pytest
from bs4 import BeautifulSoup

import treeview
from treeview._figures import inline
from treeview._report import Page


def main_of(page):
    return BeautifulSoup(page.html(), "html.parser").main


def test_parts_stand_in_the_order_they_were_added():
    page = Page("T").heading("H").paragraph("p").table(["c"], [["x"]]).add([1]).heading("S", 3)
    assert [part.name for part in main_of(page).find_all(recursive=False)] == [
        *("h1", "h2", "p", "div", "div", "h3")
    ]


def test_text_stays_text():
    page = Page("<i>").heading("<b>").paragraph("<u>").table(["<q>"], [["<s>"]], caption="<a>")
    main = main_of(page)
    assert not main.find_all(["i", "b", "u", "q", "s", "a"])
    assert [main.h1.text, main.h2.text, main.p.text] == ["<i>", "<b>", "<u>"]
    assert [main.caption.text, main.th.text, main.td.text] == ["<a>", "<q>", "<s>"]


def test_paragraphs_keep_breaks_and_set_code():
    main = main_of(Page("T").paragraph("one\nline\n\nuse `f(<x>)` now"))
    assert [part.text for part in main.find_all("p")] == ["one\nline", "use f(<x>) now"]
    assert main.code.text == "f(<x>)"


def test_columns_of_numbers_stand_to_the_right():
    rows = [["a", 1234567, "12.5%", True], ["b", 2, "−3.1e-5", False]]
    main = main_of(Page("T").table(["name", "count", "share", "flag"], rows))
    assert [th.get("class") for th in main.find_all("th")] == [None, ["nu"], ["nu"], None]
    assert main.find_all("td")[1].text == "1,234,567"


def test_cells_can_hold_renderings_with_their_styles():
    page = Page("T").table(["tree"], [[treeview.render(list(range(100)), max_lines=5)]])
    assert main_of(page).select_one("td .treeview details")
    assert ".treeview.treeview summary" in page.html()


def test_a_row_of_another_length_is_refused():
    with pytest.raises(
        ValueError, match="Expected 2 cells in each row of the table, got 1 in row 1"
    ):
        Page("T").table(["a", "b"], [[1, 2], [3]])


@pytest.mark.parametrize("level", [0, 1, 7, 2.5])
def test_levels_of_headings_are_checked(level):
    with pytest.raises(ValueError, match="Expected `level` to be 2 to 6, got"):
        Page("T").heading("H", level)


def test_objects_are_rendered_with_options():
    assert (
        main_of(Page("T").add({"a": {"b": 1}}, depth=1)).text
        != main_of(Page("T").add({"a": {"b": 1}})).text
    )


def test_figures_and_strings_are_added_as_they_are():
    main = main_of(Page("T").add(inline("a", "b")).add("it's"))
    assert [card.text for card in main.select(".treeview")] == ["ab", "it's"]


def test_each_sheet_and_the_script_are_there_once():
    page = Page("T")
    for _ in range(3):
        page.add([list(range(100)) for _ in range(30)])
    soup = BeautifulSoup(page.html(), "html.parser")
    assert len(soup.find_all("style")) == len(soup.find_all("script", type=False)) == 1
    assert len(soup.find_all("script", class_="tv-data")) == 3


def test_a_page_without_trees_needs_no_script():
    assert "<script" not in Page("T").paragraph("x").add(5).html()


def test_save_writes_the_page(tmp_path):
    page = Page("T").paragraph("x")
    page.save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == page.html()


def test_save_wants_an_html_file(tmp_path):
    with pytest.raises(ValueError, match=r"Expected `path` to end in `\.html`, got .*report.txt"):
        Page("T").save(tmp_path / "report.txt")
    assert list(tmp_path.iterdir()) == []


def test_hostile_text_can_be_written(tmp_path):
    Page("\ud800").paragraph("\ud800\x00").table(["\ud800"], [["\udfff"]]).save(tmp_path / "a.html")
    assert "\\ud800" in (tmp_path / "a.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: Page(3), "title"),
        (lambda: Page("T").heading(None), "text"),
        (lambda: Page("T").paragraph([1]), "text"),
    ],
)
def test_headings_and_paragraphs_are_text(call, name):
    with pytest.raises(TypeError, match=f"Expected `{name}` to be a string, got .* go to `add`"):
        call()
