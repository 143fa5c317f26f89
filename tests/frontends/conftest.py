"""Real programs that show notebooks: a Jupyter server with live kernels, and marimo."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

MILLISECONDS = 90_000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command, url, *, environment, log):
    """A program that answers at `url` while the block runs; all its processes end with it."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, env=environment, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        wait_until_answered(url, process, log)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_until_answered(url, process, log):
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.1)
    pytest.fail(f"{process.args[0]} does not answer:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Variables that keep a program from the settings of whoever runs the tests."""
    home = tmp_path_factory.mktemp("home")
    folders = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    changes = {f"JUPYTER_{name}": str(home / name.lower()) for name in folders}
    for name in ("SETTINGS_DIR", "WORKSPACES_DIR"):
        changes[f"JUPYTERLAB_{name}"] = str(home / name.lower())
    changes |= {"IPYTHONDIR": str(home / "ipython"), "XDG_CONFIG_HOME": str(home)}
    changes |= {"HOME": str(home), "XDG_CACHE_HOME": str(home), "JAX_PLATFORMS": "cpu"}
    return {**os.environ, **changes}


class Jupyter:
    """A Jupyter server, whose files lie in `folder`."""

    def __init__(self, folder, url):
        self.folder = folder
        self.url = url

    def write(self, name, cells):
        """Writes a notebook: sources of cells, or cells."""
        import nbformat

        cells = [nbformat.v4.new_code_cell(one) if isinstance(one, str) else one for one in cells]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, self.folder / f"{name}.ipynb")

    def read(self, name):
        import nbformat

        return nbformat.read(self.folder / f"{name}.ipynb", 4)


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory, environment):
    """A server that has both JupyterLab and Notebook."""
    folder, port = tmp_path_factory.mktemp("notebooks"), free_port()
    url = f"http://127.0.0.1:{port}"
    options = {
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "ServerApp.allow_root": True,
        "ServerApp.open_browser": False,
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": True,
        "LabApp.news_url": "",
        "JupyterNotebookApp.expose_app_in_browser": True,
    }
    command = [sys.executable, "-m", "jupyterlab"]
    command += [f"--{name}={value}" for name, value in options.items()]
    log = folder.parent / "jupyter.log"
    with running(command, f"{url}/api/status", environment=environment, log=log):
        yield Jupyter(folder, url)


class Notebook:
    """A notebook that is open in a page of JupyterLab or Notebook."""

    def __init__(self, page, jupyter, name):
        self.page = page
        self.name = name
        self._jupyter = jupyter

    def command(self, name, arguments=None):
        """Lets the program do something, and waits until it is done."""
        script = (
            "([name, given]) => jupyterapp.commands.execute(name, given ?? {}).then(() => null)"
        )
        return self.page.evaluate(script, [name, arguments])

    def run_all(self):
        """Runs all cells, each of which is to succeed."""
        self.command("notebook:run-all-cells")
        assert self.page.evaluate(NOT_RUN) == "[[],[]]"

    def duplicate(self, number):
        """Copies a cell to below itself, output included; returns the number of the copy."""
        self.page.evaluate(ACTIVATE, number)
        self.command("notebook:duplicate-below")
        return number + 1

    def delete(self, number):
        """Deletes a cell."""
        self.page.evaluate(ACTIVATE, number)
        self.command("notebook:delete-cell")

    def run(self, source):
        """Runs a new cell at the end; returns its number."""
        number = self.page.evaluate(NEW_CELL, source)
        self.command("notebook:run-cell")
        return number

    def begin(self, source):
        """Begins to run a new cell at the end; returns its number."""
        number = self.page.evaluate(NEW_CELL, source)
        self.page.evaluate("() => void jupyterapp.commands.execute('notebook:run-cell')")
        return number

    def save(self):
        """Saves the notebook and returns what the file holds."""
        self.command("docmanager:save")
        return self._jupyter.read(self.name)

    def output(self, number):
        """What a cell shows, brought into view."""
        cell = self.page.locator(f".jp-Cell[data-windowed-list-index='{number}']")
        cell.scroll_into_view_if_needed()
        return cell.locator(".jp-OutputArea-output")

    def tree(self, number):
        """The tree that a cell shows."""
        return self.output(number).locator(".treeview").first

    def trees_of(self, number):
        """All trees that a cell shows."""
        return self.output(number).locator(".treeview")


NEW_CELL = """async (source) => {
    const {commands, shell} = jupyterapp;
    const {content} = shell.currentWidget;
    content.activeCellIndex = content.widgets.length - 1;
    await commands.execute("notebook:insert-cell-below");
    content.activeCell.model.sharedModel.setSource(source);
    return content.activeCellIndex;
}"""
ACTIVATE = """(number) => {
    const {content} = jupyterapp.shell.currentWidget;
    content.deselectAll();
    content.activeCellIndex = number;
}"""
KERNEL_READY = """() => {
    const panel = globalThis.jupyterapp?.shell.currentWidget;
    const kernel = panel?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === "connected" && kernel.status === "idle";
}"""
NOT_RUN = """() => {
    const {widgets} = jupyterapp.shell.currentWidget.content;
    const left = widgets.filter(({model}) => model.type === "code" && !model.executionCount);
    const outputs = widgets.flatMap(({model}) => model.outputs?.toJSON() ?? []);
    const errors = outputs.filter(({output_type}) => output_type === "error");
    return JSON.stringify([left.map(({model}) => model.sharedModel.source), errors]);
}"""


@pytest.fixture(scope="module")
def open_notebook(chromium, jupyter):
    """Opens a notebook in `lab` or `notebook` and returns it when its kernel is ready."""
    contexts = []

    def opener(program, name, *, kernel=True, **settings):
        context = chromium.new_context(viewport={"width": 1200, "height": 900}, **settings)
        context.set_default_timeout(MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        place = "lab/tree" if program == "lab" else "notebooks"
        page.goto(f"{jupyter.url}/{place}/{name}.ipynb" + "?reset" * (program == "lab"))
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        if kernel:
            page.wait_for_function(KERNEL_READY)
        return Notebook(page, jupyter, name)

    yield opener
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def marimo(tmp_path_factory, environment):
    """Runs a marimo program whose cells are given as sources; returns its address."""
    with contextlib.ExitStack() as stack:

        def serve(cells, theme="light"):
            folder, port = tmp_path_factory.mktemp("marimo"), free_port()
            program = folder / "program.py"
            program.write_text(marimo_source(cells, theme))
            options = ("--headless", "--no-token", "--port", str(port))
            command = [sys.executable, "-m", "marimo", "-q", "-y", "run", str(program), *options]
            url = f"http://127.0.0.1:{port}"
            log = folder / "marimo.log"
            stack.enter_context(running(command, url, environment=environment, log=log))
            return url

        yield serve


def marimo_source(cells, theme):
    """A marimo program: the first cell imports, each of the others ends with what it shows."""
    first, *others = cells
    names = "mo, np, treeview"
    settings = f'# /// script\n# [tool.marimo.display]\n# theme = "{theme}"\n# ///\n'
    blocks = [f"{settings}import marimo\n\napp = marimo.App()\n"]
    blocks.append(f"@app.cell\ndef _():\n    {first}\n    return {names}\n")
    blocks += [f"@app.cell\ndef _({names}):\n    {cell}\n    return\n" for cell in others]
    return "\n\n".join([*blocks, 'if __name__ == "__main__":\n    app.run()\n'])
