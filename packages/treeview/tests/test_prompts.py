"""Prompts outside of IPython: results shown with treeview, undone completely, never broken."""

import builtins
import io
import pdb
import subprocess
import sys
from types import SimpleNamespace

import pytest

import treeview
from treeview.notebook import install, uninstall


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setattr(sys, "displayhook", sys.__displayhook__)
    # Whether IPython runs is not what is tested here.
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(builtins, "_", None, raising=False)
    yield
    uninstall()


VALUE = {"a": SimpleNamespace(x=[1, 2])}


def test_results_at_the_prompt_are_shown_and_kept(capsys):
    install(displayhook=True)
    sys.displayhook(VALUE)
    sys.displayhook(None)
    assert capsys.readouterr().out == "{'a': SimpleNamespace(x=[1, 2])}\n"
    assert builtins._ is VALUE


def test_a_rendering_is_shown_as_it_is(capsys):
    install(displayhook=True)
    sys.displayhook(treeview.render([1, 2], width=20))
    assert capsys.readouterr().out == "[1, 2]\n"


def test_only_chosen_types_are_shown(capsys):
    install(SimpleNamespace, displayhook=True)
    sys.displayhook("x" * 200)
    sys.displayhook(SimpleNamespace(long="x" * 90))
    assert capsys.readouterr().out.splitlines()[0] == repr("x" * 200)


def test_options_hold_at_the_prompt(capsys):
    install(displayhook=True)
    with treeview.options(width=10):
        sys.displayhook({"a": "b", "c": "d"})
    assert capsys.readouterr().out == "{\n  'a': 'b',\n  'c': 'd',\n}\n"


def test_uninstall_gives_the_prompt_back():
    install(displayhook=True, debugger=True)
    install(displayhook=True, debugger=True)
    uninstall()
    uninstall()
    assert sys.displayhook is sys.__displayhook__
    assert pdb.Pdb.displayhook.__module__ == "pdb"


def test_uninstall_leaves_what_others_installed_since():
    before = pdb.Pdb.displayhook
    install(displayhook=True, debugger=True)
    try:
        sys.displayhook = pdb.Pdb.displayhook = print
        uninstall()
        assert sys.displayhook is pdb.Pdb.displayhook is print
    finally:
        pdb.Pdb.displayhook = before


@pytest.mark.parametrize("problem", [RuntimeError, RecursionError, MemoryError])
def test_the_prompt_survives_whatever_happens(capsys, monkeypatch, problem):
    def broken(*_):
        raise problem("broken")

    install(displayhook=True, debugger=True)
    monkeypatch.setattr("treeview.notebook.prompts.object_text", broken)
    sys.displayhook([1])
    assert capsys.readouterr().out == "[1]\n"
    assert builtins._ == [1]
    assert debug("[1]").endswith("[1]\n(Pdb) ")


def test_an_interrupt_passes(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    install(displayhook=True)
    monkeypatch.setattr("treeview.notebook.prompts.object_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sys.displayhook([1])


def debug(*commands):
    """What the debugger prints for commands."""
    output = io.StringIO()
    stdin = io.StringIO("\n".join([*commands, "continue", ""]))
    debugger = pdb.Pdb(stdin=stdin, stdout=output, nosigint=True, readrc=False)
    debugger.use_rawinput = False
    value = VALUE  # noqa: F841 - looked at by the debugger
    debugger.set_trace(sys._getframe())
    sys.settrace(None)
    return output.getvalue()


def test_results_in_the_debugger_are_shown():
    install(debugger=True)
    assert "(Pdb) {'a': SimpleNamespace(x=[1, 2])}\n" in debug("value")
    uninstall()
    assert "(Pdb) {'a': namespace(x=[1, 2])}\n" in debug("value")


def test_wrong_types_change_nothing():
    with pytest.raises(TypeError, match="Expected `types` to be types, got 3"):
        install([3], displayhook=True)
    assert sys.displayhook is sys.__displayhook__


def test_without_a_prompt_it_says_what_to_do():
    with pytest.raises(RuntimeError, match="pass `displayhook=True` at the prompt of plain Python"):
        install()


def test_a_real_prompt_shows_trees():
    session = "import treeview; treeview.install(displayhook=True)\n{'a': ['word' * 9] * 5}\n_\n"
    done = subprocess.run(
        [sys.executable, "-i", "-q"], input=session, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.count("{\n  'a': [\n    '" + "word" * 9 + "',\n") == 2
