"""The cell magic `%%autovisualize`."""

from typing import Any

from treeview._options import options

_NAME = "autovisualize"
_WORDS = {"": True, "true": True, "false": False}


def register_magics(shell: Any) -> None:
    """Adds `%%autovisualize` to an IPython shell."""

    def autovisualize(line: str, cell: str) -> None:
        """Runs a cell in which arrays are drawn.

        `%%autovisualize False`: are not drawn; `%%autovisualize rule`: are drawn as the rule of
        that name says.
        """
        word = line.strip()
        wanted = _WORDS.get(word.lower())
        if wanted is None:
            wanted = shell.user_ns.get(word)
        if wanted is None:
            raise ValueError(
                f"Expected `True`, `False`, the name of a rule or nothing after `%%{_NAME}`, got"
                f" {word!r}."
            )
        with options(autovisualize=wanted):
            shell.run_cell(cell)

    shell.register_magic_function(autovisualize, "cell", _NAME)


def unregister_magics(shell: Any) -> None:
    """Removes `%%autovisualize` from an IPython shell."""
    shell.magics_manager.magics["cell"].pop(_NAME, None)
