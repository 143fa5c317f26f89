"""Labels of variables that are stacked.

One label stands for many: `block_{0:3}/w` for `block_0/w`, `block_1/w`, `block_2/w`. In braces is
what differs, as a range of numbers if it is one, else as a list. A label without braces stands for
itself with an index, as in `blocks/w[0]`.
"""

import re
from collections.abc import Hashable, Sequence
from os.path import commonprefix

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+):(\d+)(?::(\d+))?")


def joined_label(labels: Sequence[Hashable]) -> Hashable:
    """Returns one label for several.

    Args:
        labels: The labels, all different or all equal.

    Returns:
        A string if they are strings that allow it, otherwise the tuple of all.
    """
    texts = [label for label in labels if isinstance(label, str)]
    if len(texts) < len(labels):
        return tuple(labels)
    if len(set(texts)) == 1:
        return texts[0]
    prefix = _common_start(texts)
    suffix = _common_start([text[len(prefix) :][::-1] for text in texts])[::-1]
    middles = [text[len(prefix) : len(text) - len(suffix)] for text in texts]
    if any(c in text for text in texts for c in "{}") or any("," in middle for middle in middles):
        return tuple(labels)
    return f"{prefix}{{{_range(middles) or ','.join(middles)}}}{suffix}"


def split_label(label: Hashable, count: int) -> list[Hashable]:
    """Returns the labels that one label stands for.

    Args:
        label: The label of a stacked variable.
        count: How many variables were stacked.

    Returns:
        As many labels; those given to `joined_label` if the label comes from there.
    """
    if isinstance(label, tuple) and len(label) == count:
        return list(label)
    if not isinstance(label, str):
        return [(label, index) for index in range(count)]
    for match in _BRACES.finditer(label):
        middles = _middles(match[1])
        if len(middles) == count:
            start, end = match.span()
            return [f"{label[:start]}{middle}{label[end:]}" for middle in middles]
    return [f"{label}[{index}]" for index in range(count)]


def _common_start(texts: list[str]) -> str:
    """What all texts begin with, without digits at its end: a number belongs together."""
    return commonprefix(texts).rstrip("0123456789")  # noqa: RUF071  # letters, not folders


def _range(middles: list[str]) -> str | None:
    """The range that numbers form, as `start:stop` or `start:stop:step`."""
    if not all(m.isascii() and m.isdigit() and str(int(m)) == m for m in middles):
        return None
    numbers = [int(m) for m in middles]
    step = numbers[1] - numbers[0]
    if step < 1 or numbers != list(range(numbers[0], numbers[-1] + 1, step)):
        return None
    return f"{numbers[0]}:{numbers[-1] + step}" + (f":{step}" if step > 1 else "")


def _middles(text: str) -> list[str]:
    match = _RANGE.fullmatch(text)
    if match is None:
        return text.split(",")
    start, stop, step = match.groups("1")
    return [str(number) for number in range(int(start), int(stop), int(step))]
