"""Charts of plotly and altair, which need a script from elsewhere, and say so."""

import altair
import plotly.graph_objects as plotly
import treeview
from bs4 import BeautifulSoup


def frames(html):
    return BeautifulSoup(html, "html.parser").find_all("iframe")


def plot():
    return plotly.Figure(plotly.Bar(y=[2, 3, 1]))


def chart():
    data = altair.Data(values=[{"a": 1, "b": 3}, {"a": 2, "b": 4}])
    return altair.Chart(data).mark_bar().encode(x="a:O", y="b:Q")


def test_text_says_where_the_rest_of_the_output_comes_from(shown):
    assert "<HTML that loads cdn.plot.ly>" in shown(plot(), max_lines=None)
    assert shown(chart()) == "alt.Chart(...) <HTML that loads cdn.jsdelivr.net>"


def test_pages_show_the_charts_in_sandboxes():
    html = treeview.render_html([plot(), chart()])
    assert [frame["sandbox"] for frame in frames(html)] == [["allow-scripts"]] * 2


def test_charts_stand_beside_others():
    figure = treeview.inline("before ", plot(), chart(), {"a": 1})
    assert len(frames(figure.html())) == 2
    assert figure.text().split("\n")[0].startswith("before <Figure")
