"""Terminals and pipes: colours where they are wanted, text whatever the encoding."""

import io
import os
import subprocess
import sys

import pytest

import treeview
from treeview._terminal import wants_color, write_line


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "3"}, False, True),
    ],
)
def test_the_environment_decides_before_the_stream(environment, terminal, wanted, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_color(Terminal() if terminal else io.StringIO()) is wanted


def test_streams_that_cannot_tell_have_no_colours():
    closed = io.StringIO()
    closed.close()
    assert wants_color(closed) is False
    assert wants_color(object()) is False


def test_show_colours_what_goes_to_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    treeview.show([1], "text")
    treeview.show([1], color=False)
    with treeview.options(color=False):
        treeview.show([1])
    assert terminal.getvalue() == "[\x1b[36m1\x1b[0m]\ntext\n[1]\n[1]\n"


def test_characters_without_a_code_are_escaped():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="")
    write_line(stream, "a…é")
    write_line(stream, "plain")
    stream.flush()
    assert raw.getvalue() == b"a\\u2026\\xe9\nplain\n"


def test_a_stream_that_does_not_say_its_encoding_gets_ascii():
    class Narrow:
        def __init__(self):
            self.lines = []

        def write(self, text):
            text.encode("ascii")
            self.lines.append(text)

    stream = Narrow()
    write_line(stream, "é")
    assert stream.lines == ["\\xe9\n"]


def test_output_into_a_pipe_is_plain_and_80_columns_wide():
    code = (
        "import treeview; treeview.show(['word' * 5] * 9, {'é…': list(range(90))}, max_lines=None)"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "TERM": "xterm"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=environment, timeout=60
    )
    lines = done.stdout.decode("ascii").splitlines()
    assert lines[0] == "["
    assert "  '\\xe9\\u2026': [" in lines
    assert max(map(len, lines)) <= 80
    assert b"\x1b" not in done.stdout
