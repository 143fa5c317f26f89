"""Magics: options for one cell, which otherwise runs as any other."""

import re

import numpy as np
import pytest

from treeview.notebook import install, load_ipython_extension, unload_ipython_extension
from treeview.notebook.magics import register_magics
from treeview.notebook.settings import read_settings

pytestmark = pytest.mark.notebook


@pytest.fixture
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.user_ns["get_ipython"] = lambda: shell
    shell.user_ns.update(nested=[[[1, 2]]], eye=np.eye(4))
    load_ipython_extension(shell)
    yield shell
    unload_ipython_extension(shell)


@pytest.fixture
def run(shell, capsys):
    """Runs a cell as a kernel does and returns its result and what is printed."""

    def runner(cell):
        result = shell.run_cell(cell, store_history=True)
        return result, capsys.readouterr()

    return runner


def shown(shell, obj):
    return shell.display_formatter.format(obj)[0]


def text_of(run, cell):
    result, printed = run(cell)
    result.raise_error()
    return printed.out.partition(": ")[2].strip()


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        ("", {}),
        ("depth=2", {"depth": 2}),
        ("depth = 2, width=90", {"depth": 2, "width": 90}),
        ("autovisualize=max(3, key=4) width=5", {"autovisualize": "max(3, key=4)", "width": 5}),
        ("a='b=1 c=2' d=x==2", {"a": "b=1 c=2", "d": "x==2"}),
        ("rule=lambda a, b=3: b  depth=None", {"rule": "lambda a, b=3: b", "depth": None}),
    ],
)
def test_settings_are_names_with_expressions(line, settings):
    def evaluate(source):
        try:
            return eval(source, {"__builtins__": {}})
        except NameError:
            return source

    found = read_settings(
        line, lambda source: source if "(" in source or "lambda" in source else evaluate(source)
    )
    assert found == settings


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2", "Expected options such as `depth=2 width=100`, got '2'"),
        ("wide depth=2", "Expected options such as `depth=2 width=100`, got 'wide depth=2'"),
        ("depth=", "Expected an expression after `depth=`, got ''"),
        ("depth=(2 width=3", r"Expected an expression after `depth=`, got '\(2 width=3'"),
        (
            "depth=two",
            "Expected the value of `depth` to be an expression, got 'two', which raises NameError",
        ),
    ],
)
def test_wrong_settings_are_refused(line, message):
    with pytest.raises(ValueError, match=message):
        read_settings(line, lambda source: eval(source, {}))


def test_a_cell_gets_its_options_and_the_next_one_does_not(run):
    assert text_of(run, "%%treeview depth=1\nnested") == "[[… 1 item]]"
    assert text_of(run, "nested") == "[[[1, 2]]]"
    assert text_of(run, "limit = 1\nnested") == "[[[1, 2]]]"
    assert text_of(run, "%%treeview depth=limit\nnested") == "[[… 1 item]]"


def test_options_reach_everything_that_is_called_in_the_cell(run, shell):
    run("import treeview")
    run("%%treeview depth=1\nwritten = treeview.render_text(nested)")
    assert shell.user_ns["written"] == "[[… 1 item]]"


def test_the_line_holds_from_then_on(run):
    run("%treeview depth=1")
    assert text_of(run, "nested") == "[[… 1 item]]"
    assert text_of(run, "%%treeview depth=2\nnested") == "[[[… 2 items]]]"
    run("%treeview")
    assert text_of(run, "nested") == "[[[1, 2]]]"


@pytest.mark.parametrize("line", ["", "True", "lambda value, path: path == '[0]'", "rule"])
def test_autovisualize_takes_any_expression(run, shell, line):
    shell.user_ns["rule"] = lambda value, path: path == "[0]"
    run("import treeview")
    cell = f"%%autovisualize {line}\nhtml = treeview.render_html([eye, eye + 1])"
    run(cell)[0].raise_error()
    assert shell.user_ns["html"].count("data:image/png") == (2 if line in ("", "True") else 1)


def test_autovisualize_false_goes_before_the_installation(run, shell):
    install(shell=shell, autovisualize=True)
    shell.user_ns["format"] = lambda obj: shown(shell, obj)["text/html"]
    run("drawn = format([eye])")
    run("%%autovisualize False\nplain = format([eye])")
    assert "data:image/png" in shell.user_ns["drawn"]
    assert "data:image/png" not in shell.user_ns["plain"]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            "%%treeview dept=2\nnested",
            "Expected the name of an option, got `dept`; did you mean `depth`?",
        ),
        ("%%treeview depth=-1\nnested", "Expected `depth` to be at least 0, got -1."),
        (
            "%%autovisualize rul\nnested",
            "Expected `True`, `False` or a rule for `%%autovisualize` to be",
        ),
        ("%treeview dept=2", "Expected the name of an option, got `dept`; did you mean `depth`?"),
    ],
)
def test_wrong_options_are_told_in_one_line_and_the_rest_does_not_run(run, cell, message):
    result, printed = run(cell)
    assert not result.success
    assert printed.out == ""
    assert printed.err.startswith(f"UsageError: {message}")
    assert text_of(run, "nested") == "[[[1, 2]]]"


def test_a_failure_is_shown_once_with_the_line_of_the_cell_and_fails_the_cell(run):
    result, printed = run("%%treeview depth=1\nx = 1\n1 / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", printed.out)
    assert shown.count("ZeroDivisionError: division by zero") == 1
    assert "----> 3" in shown
    assert text_of(run, "nested") == "[[[1, 2]]]"


def test_history_holds_the_cell_once_as_it_was_written(run, shell):
    cell = "%%treeview depth=1\nnested"
    before = len(shell.user_ns["In"])
    run(cell)
    assert shell.user_ns["In"][before:] == [shell.transform_cell(cell).rstrip()]
    assert shell.history_manager.input_hist_raw[-1] == cell
    assert shell.user_ns["_"] == [[[1, 2]]]


def test_other_magics_may_stand_before_and_after(run, shell):
    run("import treeview")
    run("%%capture caught\n%%treeview depth=1\nprint(treeview.render_text(nested))")
    assert shell.user_ns["caught"].stdout == "[[… 1 item]]\n"
    run("%%treeview depth=1\n%%capture caught\nprint(treeview.render_text(nested))")
    assert shell.user_ns["caught"].stdout == "[[… 1 item]]\n"
    run("%%treeview depth=2\n%%treeview width=9\nseen = treeview.current_options()")
    seen = shell.user_ns["seen"]
    assert (seen.depth, seen.width) == (2, 9)
    run("after = treeview.current_options()")
    assert shell.user_ns["after"].depth is None


def test_a_cell_may_await(run, shell):
    cell = "%%treeview depth=1\nimport asyncio, treeview\nawait asyncio.sleep(0)\n"
    run(cell + "written = treeview.render_text(nested)")[0].raise_error()
    assert shell.user_ns["written"] == "[[… 1 item]]"
    run("written = treeview.render_text(nested)")
    assert shell.user_ns["written"] == "[[[1, 2]]]"


def test_magics_alone_show_one_cell_and_leave_nothing_behind(run, shell):
    unload_ipython_extension(shell)
    before = shown(shell, {"a": 1})
    register_magics(shell)
    shell.user_ns["format"] = lambda obj: shown(shell, obj)
    run("%%treeview\ninside = format({'a': 1})")
    assert "text/html" in shell.user_ns["inside"]
    assert "text/html" not in before
    assert shown(shell, {"a": 1}) == before


@pytest.mark.parametrize(
    ("line", "name"), [("%%treeview de", "depth="), ("%treeview depth=2 auto", "autovisualize=")]
)
@pytest.mark.filterwarnings("ignore:.*Completer.complete:PendingDeprecationWarning")
def test_options_are_completed(shell, line, name):
    assert name in shell.complete("", line, len(line))[1]
    assert name not in shell.complete("", f"{line}=", len(line) + 1)[1]


def test_help_and_empty_cells_stay_with_ipython(run):
    assert "Shows the results of a cell" in run("%%treeview?")[1].out
    assert run("%%treeview depth=1")[1].err.startswith("UsageError: %%treeview is a cell magic")
