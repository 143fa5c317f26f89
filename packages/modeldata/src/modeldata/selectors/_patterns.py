"""What selections match by: patterns of paths and labels, shapes and types of arrays."""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import jax
import numpy as np

from modeldata import _repr
from modeldata._node_kinds import kind_of
from modeldata.named import NamedArray
from modeldata.shapecheck._dtypes import as_dtype, is_abstract

States = tuple[frozenset[int], ...]
"""For each pattern the numbers of the steps that may come next."""

_STEP = re.compile(
    r"\.?\*\*(?=$|[.\[])|\.((?:(?!\*\*)[^.\[\]])+)|\[('[^']*'|\"[^\"]*\"|[^\[\]]*)\]"
)
Step = re.Pattern[str] | None
"""What the text of one step matches; None for any number of steps."""


class PathPatterns:
    """Patterns of printed key paths, such as `.body.sublayers[*].**.query`.

    Matching goes along a path step by step and keeps, for each pattern, all steps that may come
    next; so a search stays out of subtrees in which nothing can match.

    Args:
        patterns: The patterns; a path matches if one of them matches all of it.

    Raises:
        ValueError: If a pattern is not made of steps.
        TypeError: If a pattern is no text.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [_path_steps(pattern) for pattern in patterns]

    def start(self) -> States:
        """Returns the states at the beginning of a path."""
        return tuple(_opened(steps, {0}) for steps in self._patterns)

    def is_match(self, states: States) -> bool:
        """Returns whether a path that led to these states matches."""
        return any(len(steps) in state for steps, state in zip(self._patterns, states, strict=True))

    def step(self, states: States, key: Any, _: Any) -> tuple[States | None, bool]:
        """Goes one step; see `follow`."""
        text = jax.tree_util.keystr((key,))
        after = tuple(
            _opened(steps, _after(steps, state, text))
            for steps, state in zip(self._patterns, states, strict=True)
        )
        return after if any(after) else None, self.is_match(after)


def _after(steps: list[Step], state: frozenset[int], text: str) -> set[int]:
    found = set()
    for number in state:
        if number < len(steps):
            step = steps[number]
            if step is None:
                found.add(number)
            elif step.fullmatch(text):
                found.add(number + 1)
    return found


def _opened(steps: list[Step], state: set[int]) -> frozenset[int]:
    """Adds what comes behind steps that may match nothing."""
    result = set(state)
    for number, step in enumerate(steps):
        if step is None and number in result:
            result.add(number + 1)
    return frozenset(result)


def _path_steps(pattern: str) -> list[Step]:
    if not isinstance(pattern, str):
        raise TypeError(
            f"Expected a pattern of paths as text, got {_repr.brief(pattern)}. For key paths use "
            "`at_keypaths`."
        )
    # The first name may come without its dot, as in Python after the name of the model.
    text = pattern if pattern[:1] in ("", ".", "[") or pattern[:2] == "**" else f".{pattern}"
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(
                f"Expected a pattern of steps such as `.name`, `[0]`, `['key']`, `.*`, `[*]` or "
                f"`**`, but cannot read `{text[position:]}` in `{pattern}`. Look at the paths "
                "that `get_keypaths()` or treeview print."
            )
        steps.append(_step_regex(match))
        position = match.end()
    return steps


def _step_regex(match: re.Match[str]) -> Step:
    name, key = match.groups()
    if name == "*":
        return re.compile(".*", re.DOTALL)
    if name is not None:
        return re.compile(r"\.?" + _glob_regex(name, within="."), re.DOTALL)
    if key is None:
        return None
    quoted = key[:1] in ("'", '"')
    inner = _glob_regex(key[1:-1] if quoted else key, within=".")
    quote = "['\"]" if quoted else "['\"]?"
    return re.compile(rf"\[{quote}{inner}{quote}\]", re.DOTALL)


def _glob_regex(glob: str, within: str) -> str:
    """Translates a glob; `within` matches the characters that `*` and `?` stand for."""
    special = {"**": ".*", "*": f"{within}*", "?": within}
    return "".join(special.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*|\?)", glob))


def has_label(patterns: Iterable[str]) -> Callable[[Any], bool]:
    """Returns a test for nodes with a `label` that matches one of some patterns.

    Args:
        patterns: Labels in which `*` stands for anything but `/`, and `**` for anything.

    Raises:
        TypeError: If a pattern is no text.
    """
    patterns = list(patterns)
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(
                f"Expected a pattern of labels as text, got {_repr.brief(pattern)}. To compare "
                "labels of other types, use `at_subtrees_where`."
            )
    regex = re.compile("|".join(_glob_regex(pattern, within="[^/]") for pattern in patterns))

    def is_wanted(node: Any) -> bool:
        label = getattr(node, "label", None)
        if label is None or not isinstance(label, Hashable):
            return False
        return regex.fullmatch(label if isinstance(label, str) else str(label)) is not None

    return is_wanted


Shape = tuple[Any, ...] | Mapping[Hashable, int | None]


def is_array_like(shape: Shape | None, dtype: Any) -> Callable[[Any], bool]:
    """Returns a test for arrays of a shape and a type of elements; see `Selection.at_arrays`.

    Args:
        shape: The sizes of all axes, or of some named ones; None for any.
        dtype: A type or the name of one, abstract ones too; None for any.

    Raises:
        TypeError: If `shape` or `dtype` is something else.
        ValueError: If `...` occurs twice in the shape.
    """
    has_shape = _shape_test(shape)
    kind = _ABSTRACT.get(dtype, dtype) if isinstance(dtype, str) else dtype
    wanted = None if kind is None else as_dtype(kind)

    def is_wanted(node: Any) -> bool:
        array = _array_in(node)
        if array is None:
            return False
        return (wanted is None or _is_of_dtype(array.dtype, wanted)) and has_shape(array)

    return is_wanted


_ABSTRACT: dict[Any, Any] = {
    "floating": np.floating,
    "integer": np.integer,
    "signedinteger": np.signedinteger,
    "unsignedinteger": np.unsignedinteger,
    "inexact": np.inexact,
    "complexfloating": np.complexfloating,
    "number": np.number,
    "prng_key": jax.dtypes.prng_key,
}


def _is_of_dtype(dtype: Any, wanted: Any) -> bool:
    return jax.numpy.issubdtype(dtype, wanted) if is_abstract(wanted) else dtype == wanted


def _array_in(node: Any) -> Any:
    """Returns the array that a node is, or that a variable holds; None if there is none."""
    if isinstance(node, NamedArray):
        return node if _is_array(node.data_array) else None
    if _is_array(node):
        return node
    if kind_of(node) is None and hasattr(type(node), "label") and hasattr(type(node), "value"):
        value = node.value  # of a variable, which is a leaf
        return value if isinstance(value, NamedArray) or _is_array(value) else None
    return None


def _is_array(node: Any) -> bool:
    has_both = hasattr(node, "shape") and hasattr(node, "dtype")
    return has_both and isinstance(node.shape, tuple) and not isinstance(node, type)


def _shape_test(shape: Any) -> Callable[[Any], bool]:
    if shape is None:
        return lambda _: True
    if isinstance(shape, Mapping):
        return lambda array: _has_named(array, shape)
    if isinstance(shape, tuple | list) and all(map(_is_size, shape)):
        if sum(size is ... for size in shape) > 1:
            raise ValueError(
                f"Expected `...` at most once in a shape, got {shape!r}. Write `None` for one axis "
                "of any size."
            )
        return lambda array: _fits(getattr(array, "data_array", array).shape, tuple(shape))
    raise TypeError(
        f"Expected a shape as a tuple of sizes, `None` and `...`, or a mapping from axis names to "
        f"sizes, got {_repr.brief(shape)}. For one axis write `(size,)`."
    )


def _is_size(size: Any) -> bool:
    return (
        size is None or size is ... or (hasattr(size, "__index__") and not hasattr(size, "shape"))
    )


def _has_named(array: Any, sizes: Mapping[Hashable, Any]) -> bool:
    if not isinstance(array, NamedArray):
        return False
    actual = array.named_shape
    return all(
        name in actual and (size is None or size == actual[name]) for name, size in sizes.items()
    )


def _fits(actual: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    if ... in wanted:
        split = wanted.index(...)
        head, tail = wanted[:split], wanted[split + 1 :]
        if len(actual) < len(head) + len(tail):
            return False
        return _fits(actual[:split], head) and _fits(actual[len(actual) - len(tail) :], tail)
    return len(actual) == len(wanted) and all(
        size is None or size == found for size, found in zip(wanted, actual, strict=True)
    )
