"""What `render` returns: text, HTML, files, notebook bundles."""

import errno
import os
import re
import stat

import pytest
from bs4 import BeautifulSoup

import treeview
from treeview._rendering import Rendering, show, wants_color


@pytest.fixture
def rendering():
    return treeview.render({"a": [1, 2]})


def test_repr_is_the_text(rendering):
    assert repr(rendering) == rendering.text() == "{'a': [1, 2]}"


def test_text_takes_a_width_of_its_own():
    rendering = treeview.render({"a": [1, 2], "b": 3})
    assert rendering.text(width=16) == "{\n  'a': [1, 2],\n  'b': 3,\n}"


def test_text_is_coloured_on_demand(rendering):
    colored = rendering.text(color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == rendering.text()


def test_colours_follow_the_options_but_never_into_files(tmp_path):
    colored = treeview.render([1], color=True)
    assert "\x1b[" in colored.text()
    assert treeview.render_text([1], color=True) == colored.text()
    assert colored.text(color=False) == "[1]"
    colored.save(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "[1]\n"


def test_render_text_and_html_agree_with_render(rendering):
    assert treeview.render_text({"a": [1, 2]}) == rendering.text()
    assert treeview.render_html({"a": [1, 2]}) == rendering.html()


def test_options_hold_for_this_rendering_only():
    wide = treeview.render(list(range(30)), width=200)
    assert wide.options.width == 200
    assert treeview.current_options().width is None
    assert "\n" not in wide.text()


def test_an_unknown_option_is_named():
    with pytest.raises(TypeError, match="did you mean `width`"):
        treeview.render(1, widht=3)


def test_the_bundle_holds_text_and_html(rendering):
    bundle = rendering._repr_mimebundle_()
    assert bundle == {"text/plain": rendering.text(), "text/html": rendering.html()}


@pytest.mark.parametrize(
    ("include", "exclude", "kinds"),
    [
        (["text/plain"], None, {"text/plain"}),
        (None, ["text/plain"], {"text/html"}),
        (["text/html", "image/png"], [], {"text/html"}),
        (["text/html"], ["text/html"], set()),
    ],
)
def test_the_bundle_heeds_what_is_asked_for(rendering, include, exclude, kinds):
    assert set(rendering._repr_mimebundle_(include, exclude)) == kinds


def test_a_saved_page_is_complete(rendering, tmp_path):
    rendering.save(tmp_path / "tree.html")
    soup = BeautifulSoup((tmp_path / "tree.html").read_text("utf-8"), "html.parser")
    assert soup.title.string == "tree"
    assert soup.select_one("main > .treeview").text == "{'a': [1, 2]}"


def test_saved_text_ends_with_a_newline(rendering, tmp_path):
    rendering.save(str(tmp_path / "tree.txt"))
    assert (tmp_path / "tree.txt").read_bytes() == b"{'a': [1, 2]}\n"


def test_a_saved_file_has_ordinary_permissions(rendering, tmp_path):
    (tmp_path / "plain").touch()
    rendering.save(tmp_path / "tree.txt")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "tree.txt")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("name", ["tree", "tree.pdf", "tree.html.gz"])
def test_an_unknown_suffix_is_refused_before_anything_is_written(rendering, tmp_path, name):
    with pytest.raises(ValueError, match=r"Expected `path` to end in `\.html` or `\.txt`, got"):
        rendering.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(rendering, tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected the folder of .* to exist; create"):
        rendering.save(tmp_path / "nowhere" / "tree.html")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file_and_nothing_else(rendering, tmp_path, monkeypatch):
    target = tmp_path / "tree.txt"
    target.write_text("old")

    def full(self, *args, **kwargs):
        with open(self, "w") as file:
            file.write("ha")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match=r"Could not write .*tree.txt' \(No space left on device\)"):
        rendering.save(target)
    assert [path.name for path in tmp_path.iterdir()] == ["tree.txt"]
    assert target.read_text() == "old"


def test_an_interrupted_write_leaves_nothing(rendering, tmp_path, monkeypatch):
    def interrupted(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rendering.save(tmp_path / "tree.html")
    assert list(tmp_path.iterdir()) == []


def test_the_document_is_made_once(rendering):
    values = [1]
    before = treeview.render(values)
    values.append(2)
    assert before.text() == "[1]"


def test_a_rendering_can_be_made_from_a_document():
    assert Rendering([1]) is not None
    assert Rendering(5).text() == "5"


def test_show_prints_text_and_takes_strings_as_they_are(capsys):
    show([1, 2], "as it is", treeview.render(3))
    assert capsys.readouterr().out == "[1, 2]\nas it is\n3\n"


def test_show_colours_when_asked(capsys):
    show([1], color=True)
    assert "\x1b[" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environment", "terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colours_go_where_they_are_wanted(monkeypatch, environment, terminal, wanted):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    class Stream:
        def isatty(self):
            return terminal

    assert wants_color(Stream()) is wanted
