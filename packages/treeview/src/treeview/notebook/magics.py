"""The magics `%treeview`, `%%treeview` and `%%autovisualize`.

A magic that runs the rest of its cell by itself changes how it runs: top-level `await` fails, a
failure counts as success, lines have other numbers. So a cell that begins with one of these is
rewritten: its first line becomes a call that sets the options, the others stay as they are, and
when the cell is over, everything is as it was.
"""

import re
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields
from typing import Any

from treeview._options import Options, changed_options
from treeview.notebook.ipython import cell_options, install, is_installed, uninstall
from treeview.notebook.settings import evaluated, read_settings

_FIRST_LINE = re.compile(r"%%(treeview|autovisualize)(?:[ \t]+(.*))?\s*")
_WORDS = {"": True, "true": True, "false": False, "none": False}
_OPTIONS = [f"{field.name}=" for field in fields(Options)]


def register_magics(shell: Any) -> None:
    """Adds the magics to an IPython shell."""
    if _known_cells(shell):
        return
    cells = _Cells(shell)

    def treeview(line: str, cell: str | None = None) -> None:
        """Shows the results of a cell as trees, with options such as `depth=2 width=100`.

        A value is any expression of Python. `%%treeview` holds for its cell, be treeview installed
        or not. The line `%treeview` is as `treeview.install`, so it holds from then on.
        """
        with _usage_errors():
            changes = read_settings(line, shell.ev)
            changed_options(changes)
        cells.run(cell, changes)

    def treeview_line(line: str) -> None:
        with _usage_errors():
            install(shell=shell, **read_settings(line, shell.ev))

    def autovisualize(line: str, cell: str | None = None) -> None:
        """Draws the arrays in what a cell shows; `%%autovisualize False` draws none.

        `%%autovisualize rule` draws as a rule says, which is any expression of Python;
        `treeview.Options` tells what it may be.
        """
        with _usage_errors():
            word = line.strip()
            rule = _WORDS.get(word.lower())
            if rule is None:
                rule = evaluated(word, "`True`, `False` or a rule for `%%autovisualize`", shell.ev)
            changes = {"autovisualize": rule}
            changed_options(changes)
        cells.run(cell, changes)

    def complete(_: Any, event: Any) -> list[str]:
        # What follows the equals sign is Python, which others complete.
        return [] if re.search(r"=[^\s,]*$", event.text_until_cursor) else _OPTIONS

    treeview_line.__doc__ = treeview.__doc__
    for kind, name, magic in (
        ("cell", "treeview", treeview),
        ("line", "treeview", treeview_line),
        ("cell", "autovisualize", autovisualize),
    ):
        # Braces in options are Python's; IPython shall not put variables there.
        magic.__dict__["_ipython_magic_no_var_expand"] = True
        shell.register_magic_function(magic, kind, name)
    shell.input_transformer_manager.line_transforms.insert(0, cells)
    shell.events.register("post_execute", cells.end)
    for name in ("%treeview", "%%treeview"):
        shell.set_hook("complete_command", complete, str_key=name)


def unregister_magics(shell: Any) -> None:
    """Removes the magics from an IPython shell."""
    magics = shell.magics_manager.magics
    for kind, name in (("cell", "treeview"), ("line", "treeview"), ("cell", "autovisualize")):
        magics[kind].pop(name, None)
    for cells in _known_cells(shell):
        shell.input_transformer_manager.line_transforms.remove(cells)
        shell.events.unregister("post_execute", cells.end)
        cells.end()
    for name in ("%treeview", "%%treeview"):
        shell.strdispatchers["complete_command"].strs.pop(name, None)


def load_ipython_extension(shell: Any) -> None:
    """Is what `%load_ext treeview` calls: installs the display and the magics."""
    install(shell=shell)
    register_magics(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Is what `%unload_ext treeview` calls."""
    uninstall(shell=shell)
    unregister_magics(shell)


class _Cells:
    """The cells of a shell: rewrites those that begin with a magic, and ends what these began."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._begun = ExitStack()

    def __call__(self, lines: list[str]) -> list[str]:
        """Turns the first line into a call that sets options for the others."""
        first = _FIRST_LINE.fullmatch(lines[0]) if lines else None
        if first is None or not "".join(lines[1:]).strip():
            return lines
        others = lines[1:]
        # The next line may be a magic of its own, `%%time` or one of these again.
        for transform in self._shell.input_transformer_manager.line_transforms:
            others = transform(others)
        name, line = first[1], (first[2] or "").strip()
        return [f"get_ipython().run_cell_magic({name!r}, {line!r}, None)\n", *others]

    def run(self, cell: str | None, changes: dict[str, Any]) -> None:
        """Applies options to the rest of the running cell, or to one that is given as text."""
        with ExitStack() as stack:
            stack.enter_context(cell_options(changes))
            if not is_installed(self._shell):
                install(shell=self._shell)
                stack.callback(uninstall, shell=self._shell)
            if cell is None:
                self._begun.push(stack.pop_all())
            else:
                self._shell.run_cell(cell)

    def end(self) -> None:
        """Undoes what the cell has changed, last things first."""
        # A cell that awaits runs in a context of its own, which has ended with all its settings.
        with suppress(ValueError):
            self._begun.close()


def _known_cells(shell: Any) -> list[_Cells]:
    transforms = shell.input_transformer_manager.line_transforms
    return [transform for transform in transforms if isinstance(transform, _Cells)]


@contextmanager
def _usage_errors() -> Generator[None]:
    """Errors as IPython shows those of its own magics: in one line."""
    from IPython.core.error import UsageError  # noqa: PLC0415 - optional

    try:
        yield
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
