"""Options as they are written after a magic: `depth=2 autovisualize=rule`."""

import ast
import re
from collections.abc import Callable
from typing import Any

_NAME = re.compile(r"(?:^|[\s,])([^\W\d]\w*)\s*=(?!=)")


def read_settings(line: str, evaluate: Callable[[str], Any]) -> dict[str, Any]:
    """What a line says about options.

    Args:
        line: Names and values, separated by spaces or commas. A value is any expression of Python.
        evaluate: Gives the value of an expression.

    Raises:
        ValueError: The line is not a list of such pairs, or a value cannot be evaluated.
    """
    found = list(_NAME.finditer(line))
    settings: dict[str, Any] = {}
    while found:
        first = found.pop(0)
        if not settings and line[: first.start()].strip(" ,\t"):
            break
        # A value may hold what looks like the next name, as arguments of a call do.
        while not _is_expression(value := line[first.end() : _start(found, line)].strip(" ,\t")):
            if not found:
                raise ValueError(f"Expected an expression after `{first[1]}=`, got {value!r}.")
            found.pop(0)
        settings[first[1]] = evaluated(value, f"the value of `{first[1]}`", evaluate)
    if not settings and line.strip():
        raise ValueError(f"Expected options such as `depth=2 width=100`, got {line.strip()!r}.")
    return settings


def evaluated(source: str, what: str, evaluate: Callable[[str], Any]) -> Any:
    """The value of an expression.

    Raises:
        ValueError: There is none; the text begins with `what` was expected.
    """
    try:
        return evaluate(source)
    except Exception as error:
        raise ValueError(
            f"Expected {what} to be an expression, got {source!r}, which raises"
            f" {type(error).__name__}: {error}."
        ) from error


def _start(found: list[re.Match[str]], line: str) -> int:
    return found[0].start() if found else len(line)


def _is_expression(source: str) -> bool:
    try:
        ast.parse(source, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True
