"""Outputs that appear before the values of their arrays: in a real kernel, message by message."""

import re
import time

import pytest

pytestmark = pytest.mark.notebook

# Arrays on a device that is busy until a file appears; where it is asked too early, it blocks.
SLOW = """
import os, threading, time, numpy as np, treeview
from dataclasses import replace
from treeview.adapters.numpy import NumpyAdapter

class Slow:
    def __init__(self, value, file, failing=False, size=144):
        self.values, self.file, self.failing, self.size = np.full((2, 9), value), file, failing, size

class SlowAdapter(NumpyAdapter):
    def describe(self, array):
        return replace(super().describe(array.values), bytes=array.size)
    def is_ready(self, array):
        return os.path.exists(array.file)
    def read(self, requests):
        readings.append(len(requests))
        while not all(self.is_ready(array) for array, _, _ in requests):
            time.sleep(0.01)
        if any(array.failing for array, _, _ in requests):
            raise ValueError("no such device")
        statistics = self.statistics([array.values for array, _, _ in requests])
        values = [None if window is None else array.values for array, window, _ in requests]
        return [*zip(statistics, values)]

def soon(file):
    threading.Timer(0.7, open, [file, "w"]).start()

readings = []
treeview.register_array(Slow, SlowAdapter())
treeview.install()
"""


@pytest.fixture(scope="module")
def kernel():
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        run(client, SLOW)
        run(client, "%load_ext treeview")
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        client.context.destroy()


@pytest.fixture
def client(kernel):
    return kernel[1]


@pytest.fixture
def file(tmp_path, client):
    """What makes `slow` ready when it appears."""
    run(client, f"slow = Slow(1.0, {str(tmp_path / 'ready')!r}); readings.clear()")
    return tmp_path / "ready"


def messages(client, source):
    """What a cell publishes, while it runs."""
    request = client.execute(source)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["content"].get("execution_state") == "idle":
            return
        if message["msg_type"] not in ("status", "execute_input"):
            yield message
    pytest.fail(f"{source!r} does not end")


def run(client, source):
    found = list(messages(client, source))
    assert [one["content"] for one in found if one["msg_type"] == "error"] == []
    return found


def both(client, source, file):
    """What a cell shows while the device is busy, and what it shows in its place."""
    found = messages(client, source)
    before = next(found)
    file.touch()
    (after,) = found
    assert (before["msg_type"], after["msg_type"]) == ("display_data", "update_display_data")
    assert before["content"]["transient"] == after["content"]["transient"]
    return before, after


def printed(client, source):
    (message,) = run(client, f"print({source})")
    return message["content"]["text"].strip()


def text_of(message):
    return message["content"]["data"]["text/plain"]


def html_of(message):
    return message["content"]["data"]["text/html"]


PENDING = "{'a': np.ndarray float64[2, 9] …, 'b': 1}"
DONE = "{'a': np.ndarray float64[2, 9] all 1, 'b': 1}"
WAYS = [
    "treeview.show({'a': slow, 'b': 1}, progressive=True)",
    "%%treeview progressive=True\n{'a': slow, 'b': 1}",
]


@pytest.mark.parametrize("cell", WAYS)
def test_what_takes_long_is_shown_at_once_and_replaced_in_place(client, file, cell):
    before, after = both(client, cell, file)
    assert text_of(before) == PENDING
    assert html_of(before).startswith('<div class="treeview" aria-busy=true>')
    assert text_of(after) == DONE
    assert html_of(after).startswith('<div class="treeview"><style>')
    assert printed(client, "readings") == "[1]"


def test_pictures_are_to_come(client, file):
    cell = "treeview.show([slow], progressive=True, autovisualize=True)"
    before, after = both(client, cell, file)
    assert text_of(before).split("\n")[:3] == [
        "[",
        "  np.ndarray float64[2, 9] …",
        "    a picture is to come …",
    ]
    assert "data:image/png" not in html_of(before)
    assert "data:image/png" in html_of(after)


@pytest.mark.parametrize(("cell", "kind"), [*zip(WAYS, ["display_data", "execute_result"])])
def test_what_is_quick_is_shown_once(client, file, cell, kind):
    file.touch()
    (shown,) = run(client, cell)
    assert (shown["msg_type"], text_of(shown)) == (kind, DONE)
    assert printed(client, "readings") == "[1]"


@pytest.mark.parametrize(
    ("program", "cell"),
    [
        ("", "{'a': slow, 'b': 1}"),
        ("os.environ['JPY_SESSION_NAME'] = 'n.ipynb'", "%%treeview progressive=False\n[slow]"),
        ("os.environ['JPY_SESSION_NAME'] = 'n.ipynb'", "display([slow])"),
    ],
)
def test_elsewhere_the_finished_output_is_shown_once(client, file, program, cell):
    run(client, f"{program}\nsoon(slow.file)")
    (shown,) = run(client, cell)
    run(client, "os.environ.pop('JPY_SESSION_NAME', None);")
    assert "float64[2, 9] all 1" in text_of(shown)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("os.environ['JPY_SESSION_NAME'] = 'n.ipynb'", "del os.environ['JPY_SESSION_NAME']"),
        ("__vsc_ipynb_file__ = 'n.ipynb'", "del __vsc_ipynb_file__"),
        ("import sys; sys.modules['google.colab'] = sys", "del sys.modules['google.colab']"),
    ],
)
def test_notebooks_are_recognized(client, file, begin, end):
    run(client, begin)
    before, after = both(client, "{'a': slow, 'b': 1}", file)
    run(client, end)
    assert (text_of(before), text_of(after)) == (PENDING, DONE)


def test_what_is_shown_is_still_the_result_of_the_cell(client, file):
    both(client, "%%treeview progressive=True\n[slow, 'result']", file)
    assert printed(client, "_[1], Out[len(In) - 2][1]") == "result result"


def test_captured_output_is_finished(client, file):
    run(client, "soon(slow.file)")
    assert run(client, "%%capture caught\ntreeview.show([slow], progressive=True)\n[slow]") == []
    found = printed(client, "[one.data['text/plain'] for one in caught.outputs]")
    assert found == str(["[np.ndarray float64[2, 9] all 1]"] * 2)


def test_output_widgets_get_the_finished_output(client, file):
    run(client, "soon(slow.file); import ipywidgets")
    cell = "with ipywidgets.Output():\n    treeview.show([slow], progressive=True)"
    shown = [one for one in run(client, cell) if "data" in one["msg_type"]]
    assert [text_of(one) for one in shown] == ["[np.ndarray float64[2, 9] all 1]"]


def test_an_error_stays_in_its_array(client, file):
    cell = "treeview.show([Slow(1.0, slow.file, failing=True), slow], progressive=True)"
    before, after = both(client, cell, file)
    assert text_of(before).count("…") == 2
    assert [line.strip(" ,") for line in text_of(after).split("\n")[1:3]] == [
        "np.ndarray float64[2, 9] <ValueError: no such device>",
        "np.ndarray float64[2, 9] all 1",
    ]


@pytest.mark.parametrize("cell", WAYS)
def test_an_interrupt_leaves_what_is_known_and_says_so(kernel, file, cell):
    manager, client = kernel
    found = messages(client, cell)
    before = next(found)
    assert text_of(before) == PENDING
    manager.interrupt_kernel()
    after, error = found
    assert after["msg_type"] == "update_display_data"
    assert "float64[2, 9] <interrupted before it was read>" in text_of(after)
    assert "aria-busy" not in html_of(after)
    assert error["content"]["ename"] == "KeyboardInterrupt"


def test_arrays_appear_as_they_are_read(client, file):
    later = file.with_name("later")
    # So large that each is read by itself; what is waited for a device is no time of reading.
    run(client, f"slow.size = 1 << 28; large = Slow(2.0, {str(later)!r}, size=1 << 29)")
    found = messages(client, "treeview.show([large, slow], progressive=True, seconds=1.8)")
    first = next(found)
    time.sleep(1.5)  # what is shown stays for a second
    file.touch()
    second = next(found)
    later.touch()
    (third,) = found
    facts = [re.findall(r"\] (…|all \d)", text_of(one)) for one in (first, second, third)]
    assert facts == [["…", "…"], ["…", "all 1"], ["all 2", "all 1"]]


def test_a_saved_notebook_holds_the_finished_output_only(tmp_path):
    import nbformat
    from nbclient import NotebookClient

    file = str(tmp_path / "ready")
    cells = [SLOW, f"treeview.show(Slow(1.0, {file!r}), progressive=True, depth=soon({file!r}))"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    (output,) = notebook.cells[-1].outputs
    assert output.data["text/plain"] == "np.ndarray float64[2, 9] all 1"
    assert "aria-busy" not in output.data["text/html"]
