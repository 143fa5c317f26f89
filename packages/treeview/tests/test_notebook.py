"""Display in IPython: ordinary formatters, undone completely, and a real kernel."""

import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest

from treeview.notebook import install, load_ipython_extension, uninstall, unload_ipython_extension

pytestmark = pytest.mark.notebook


@pytest.fixture
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    yield shell
    uninstall(shell=shell)


def shown(shell, obj):
    data, _ = shell.display_formatter.format(obj)
    return data


class Plain:
    def __init__(self):
        self.values = [1, 2]


class WithHtml:
    def _repr_html_(self):
        return "<p>mine</p>"


class WithLatex:
    def _repr_latex_(self):
        return "$x$"


class WithBundle:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "mine", "application/x": "more"}, {"application/x": {"a": 1}}


class WithBoth:
    def _repr_html_(self):
        return "<p>mine</p>"

    def __treeview__(self, view):
        return view.text("tree")


class Inventive:
    def __getattr__(self, name):
        return lambda *args, **kwargs: "invented"


@pytest.mark.parametrize("obj", [Plain(), [1, 2], {"a": 1}, OrderedDict(a=1), (1, 2), Inventive()])
def test_objects_without_rich_output_get_text_and_a_tree(shell, obj):
    import treeview

    install(shell=shell)
    data = shown(shell, obj)
    assert data["text/plain"] == treeview.render_text(obj)
    assert 'class="treeview"' in data["text/html"]


@pytest.mark.parametrize("obj", [5, "text", None, 2.5, True, b"x", int, len, np])
def test_plain_values_stay_with_ipython(shell, obj):
    before = shown(shell, obj)
    install(shell=shell)
    assert shown(shell, obj) == before


@pytest.mark.parametrize("obj", [WithHtml(), WithLatex(), WithBundle()])
def test_objects_with_rich_output_keep_it(shell, obj):
    before = shell.display_formatter.format(obj)
    install(shell=shell)
    assert shell.display_formatter.format(obj) == before


def test_types_with_a_printer_of_their_own_keep_it(shell):
    shell.display_formatter.formatters["text/html"].for_type(Plain, lambda obj: "<p>printer</p>")
    install(shell=shell)
    assert shown(shell, Plain())["text/html"] == "<p>printer</p>"


def test_a_treeview_method_comes_before_other_rich_output(shell):
    install(shell=shell)
    assert "tree" in shown(shell, WithBoth())["text/plain"]


def test_chosen_types_are_shown_even_if_rich_and_others_are_not(shell):
    plain = Plain()
    others = shown(shell, plain)
    install([WithHtml], shell=shell)
    assert "treeview" in shown(shell, WithHtml())["text/html"]
    assert shown(shell, plain) == others
    assert "text/html" not in shown(shell, [1, 2])


def test_one_type_needs_no_list(shell):
    install(dict, shell=shell)
    assert "text/html" in shown(shell, {"a": 1})
    assert "text/html" not in shown(shell, [1])


def test_what_is_no_type_is_refused_before_anything_changes(shell):
    plain = Plain()
    before = shown(shell, plain)
    with pytest.raises(TypeError, match="Expected `types` to be types, got 3; pass its class"):
        install([dict, 3], shell=shell)
    assert shown(shell, plain) == before


def test_arrays_are_drawn_on_demand(shell):
    install(shell=shell, autovisualize=True)
    assert "data:image/png" in shown(shell, [np.eye(4)])["text/html"]
    install(shell=shell)
    assert "data:image/png" not in shown(shell, [np.eye(4)])["text/html"]


def test_a_rule_says_which_arrays_are_drawn(shell):
    def rule(value, path):
        return path == "[0]"

    install(shell=shell, autovisualize=rule)
    html = shown(shell, [np.eye(4), np.eye(5)])["text/html"]
    assert html.count("data:image/png") == 1
    with pytest.raises(TypeError, match="Expected `autovisualize` to be bool or Callable, got 'x'"):
        install(shell=shell, autovisualize="x")
    assert shown(shell, [np.eye(4), np.eye(5)])["text/html"].count("data:image/png") == 1


def printers(shell):
    formatter = shell.display_formatter
    everything = [formatter.mimebundle_formatter, *formatter.formatters.values()]
    return [dict(one.type_printers) for one in everything]


def test_uninstall_restores_every_formatter(shell):
    before = printers(shell)
    install(shell=shell)
    install([dict], shell=shell)
    uninstall(shell=shell)
    uninstall(shell=shell)
    assert printers(shell) == before


def test_uninstall_leaves_what_others_registered_since(shell):
    install(shell=shell)
    theirs = shell.display_formatter.formatters["text/plain"]
    theirs.for_type(dict, printer := lambda obj, p, cycle: p.text("theirs"))
    uninstall(shell=shell)
    assert theirs.type_printers[dict] is printer


def test_the_extension_installs_and_removes_display_and_magic(shell):
    def state():
        magics = {kind: set(names) for kind, names in shell.magics_manager.magics.items()}
        transforms = list(shell.input_transformer_manager.line_transforms)
        completers = set(shell.strdispatchers["complete_command"].strs)
        return printers(shell), magics, transforms, completers

    before = state()
    load_ipython_extension(shell)
    load_ipython_extension(shell)
    assert "text/html" in shown(shell, [1])
    assert "autovisualize" in shell.magics_manager.magics["cell"]
    unload_ipython_extension(shell)
    assert state() == before


def test_options_of_the_installation_yield_to_those_of_the_moment(shell):
    import treeview

    nested = [[[1, 2]]]
    install(shell=shell, depth=1)
    assert shown(shell, nested)["text/plain"] == "[[… 1 item]]"
    with treeview.options(depth=2):
        assert shown(shell, nested)["text/plain"] == "[[[… 2 items]]]"
    with pytest.raises(TypeError, match="Expected the name of an option, got `dept`; did you mean"):
        install(shell=shell, dept=2)
    assert shown(shell, nested)["text/plain"] == "[[… 1 item]]"


def test_outside_of_ipython_it_says_so():
    code = "import treeview.notebook as n\ntry: n.install()\nexcept RuntimeError as e: print(e)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Expected an IPython shell to run, found none; call this in")


def test_ipython_in_a_terminal_gets_text_only_and_colours(shell, monkeypatch, capsys):
    shell.display_formatter.active_types = ["text/plain"]
    install(shell=shell)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert shown(shell, Plain()) == {"text/plain": "Plain(values=[1, 2])"}
    assert shown(shell, [1]) == {"text/plain": "[1]"}
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert shown(shell, [1]) == {"text/plain": "[\x1b[36m1\x1b[0m]"}


CELLS = [
    "%load_ext treeview",
    "{'weights': [1, 2, 3], 'name': '</script>'}",
    "5",
    "import treeview, numpy as np\ntreeview.show({'a': 1}, 'words', [2])",
    "%%autovisualize\n[np.eye(3)]",
    "[np.eye(3)]",
    "%%capture caught\n[1, 2]",
    "caught.outputs[0].data",
    "import ipywidgets\narea = ipywidgets.Output()\nwith area:\n    display({'inside': 1})\narea",
    "handle = display(treeview.render(['before']), display_id=True)",
    "handle.update(treeview.render(['after']))",
    "class Reentrant:\n"
    "    def __repr__(self):\n        return treeview.render_text(vars(self) or [self])\n"
    "    def _repr_html_(self):\n        return treeview.render_html({'me': [self, id]})\n"
    "Reentrant()",
    "class Failing:\n    def __treeview__(self, view):\n        raise ValueError('a bug')\n"
    "[Failing()]",
    "import logging\nlogging.error('%r %s', treeview.render([1]), {'a': Failing()})",
    "[Failing(), 1 / 0]",
    "%%treeview depth=1\nawait __import__('asyncio').sleep(0)\n[[[1]]]",
    "[[[1]]]",
    "%%treeview dept=1\n[[[1]]]",
    "%unload_ext treeview",
    "{'weights': [1, 2, 3]}",
]


@pytest.fixture(scope="module")
def executed():
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = NotebookClient(notebook, kernel_name="python3", timeout=120, allow_errors=True)
    client.execute()
    failed = [i for i, cell in enumerate(notebook.cells) if was_error(cell)]
    assert [CELLS[i] for i in failed] == ["[Failing(), 1 / 0]"]
    return [cell.outputs for cell in notebook.cells]


def was_error(cell):
    return any(output.output_type == "error" for output in cell.outputs)


def outputs_of(executed, start):
    """The outputs of the cell that begins so."""
    (number,) = [number for number, cell in enumerate(CELLS) if cell.startswith(start)]
    return executed[number]


def test_in_a_kernel_results_hold_text_and_a_tree(executed):
    (output,) = executed[1]
    assert output.output_type == "execute_result"
    assert set(output.data) == {"text/plain", "text/html"}
    assert output.data["text/plain"] == "{'weights': [1, 2, 3], 'name': '</script>'}"
    assert "&lt;/script&gt;" in output.data["text/html"]
    assert "</script>" not in output.data["text/html"]


def test_in_a_kernel_plain_values_stay_plain(executed):
    assert set(executed[2][0].data) == {"text/plain"}


def test_in_a_kernel_show_displays_each_object(executed):
    kinds = [output.output_type for output in executed[3]]
    assert kinds == ["display_data", "stream", "display_data"]
    assert executed[3][1].text == "words\n"
    assert executed[3][2].data["text/plain"] == "[2]"


def test_in_a_kernel_the_magic_draws_arrays_in_its_cell_only(executed):
    assert "data:image/png" in executed[4][0].data["text/html"]
    assert "data:image/png" not in executed[5][0].data["text/html"]


def test_in_a_kernel_captured_output_is_complete_and_shown_by_nobody_else(executed):
    assert outputs_of(executed, "%%capture") == []
    (output,) = outputs_of(executed, "caught.outputs")
    assert "text/html" in output.data["text/plain"]
    assert '<div class="treeview">' in output.data["text/plain"]


def test_in_a_kernel_an_output_widget_takes_what_is_displayed_in_it(executed):
    (output,) = outputs_of(executed, "import ipywidgets")
    assert "application/vnd.jupyter.widget-view+json" in output.data


def test_in_a_kernel_a_display_is_updated_in_place(executed):
    (output,) = outputs_of(executed, "handle = ")
    assert output.data["text/plain"] == "['after']"
    assert outputs_of(executed, "handle.update") == []


def test_in_a_kernel_objects_may_call_treeview_while_they_are_shown(executed):
    (output,) = outputs_of(executed, "class Reentrant")
    assert output.output_type == "execute_result"
    assert "Reentrant" in output.data["text/plain"]
    assert "'me'" in output.data["text/html"]


def test_in_a_kernel_rules_that_fail_leave_a_note_in_the_tree_and_nothing_else(executed):
    (output,) = outputs_of(executed, "class Failing")
    assert output.output_type == "execute_result"
    assert "a bug" in output.data["text/plain"]


def test_in_a_kernel_renderings_can_be_logged(executed):
    (output,) = outputs_of(executed, "import logging")
    assert output.output_type == "stream"
    assert output.text.startswith("ERROR:root:[1] {'a': <")


def test_in_a_kernel_a_cell_with_options_may_await(executed):
    (output,) = outputs_of(executed, "%%treeview depth=1")
    assert output.output_type == "execute_result"
    assert output.data["text/plain"] == "[[… 1 item]]"
    assert outputs_of(executed, "[[[1]]]")[0].data["text/plain"] == "[[[1]]]"


def test_in_a_kernel_a_wrong_option_is_told_in_one_line(executed):
    (output,) = outputs_of(executed, "%%treeview dept=1")
    assert output.name == "stderr"
    assert output.text.startswith("UsageError: Expected the name of an option, got `dept`")


def test_in_a_kernel_unloading_brings_ipython_back(executed):
    assert executed[-1][0].data == {"text/plain": "{'weights': [1, 2, 3]}"}
