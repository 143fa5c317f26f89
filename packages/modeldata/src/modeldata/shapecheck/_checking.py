"""`check_structure`: compares a value with a pattern."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jax.core import Tracer

from modeldata import _repr
from modeldata._tree import KeyPath, flatten_one_level
from modeldata.shapecheck._dtypes import dtype_text, same_dtype
from modeldata.shapecheck._messages import (
    Problem,
    container_text,
    leaf_text,
    mismatch,
    root_path,
)
from modeldata.shapecheck._patterns import (
    ArraySpec,
    StructureAnnotation,
    Wildcard,
    spec_of,
    strip_known,
)
from modeldata.shapecheck._solving import Binding, Bindings, Constraint, Solver
from modeldata.shapecheck._uses import mixed_uses


class MatchResult(Mapping[str, Any]):
    """The values of the variables in a pattern, by name.

    A variable for one size has an integer; one for positional axes a tuple; one for named axes, and
    sizes such as `var("x")["a"]`, a dictionary. `match["x"]` and `match.x` are the same, and
    `match["x", "y"]` is a tuple of both.
    """

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._values = bindings.values()

    def __getitem__(self, key: str | tuple[str, ...]) -> Any:
        if isinstance(key, tuple):
            return tuple(self[name] for name in key)
        if key not in self._values:
            raise KeyError(f"Expected a variable of the pattern, {_names(self)}, got {key!r}.")
        return self._values[key]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # not a variable; copying asks for some before there are values
            raise AttributeError(name)
        if name not in self._values:
            raise AttributeError(
                f"Expected a variable of the pattern, {_names(self)}, or a method, got `{name}`."
            )
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"MatchResult({self._values!r})"


def check_structure(
    value: Any,
    pattern: StructureAnnotation,
    known_vars: Mapping[str, Any] | None = None,
    error_prefix: str = "",
) -> MatchResult:
    """Checks that a value has the structure that a pattern describes.

    No values of arrays are looked at, except where the pattern holds arrays itself. So it works
    inside `jax.jit` and costs nothing at run time there.

    Args:
        value: A pytree of arrays, of anything else with a shape and a dtype, or of other leaves.
        pattern: A pytree of the same containers. An `ArraySpec` matches an array, `ANY` any
            subtree, and other leaves what is `==` to them.
        known_vars: Values of variables that must be kept to: a match result, or sizes, tuples of
            sizes and mappings of sizes by name.
        error_prefix: What the error message begins with: what is checked, and why.

    Returns:
        The values of the variables, those in `known_vars` too.

    Raises:
        StructureMismatchError: If something differs, if a variable would need two values, or if
            the pattern does not say what a variable is. The message lists all places.
    """
    comparison = _Comparison()
    comparison.compare(pattern, value, ())
    problems, constraints = comparison.problems, comparison.constraints
    bindings = _known(known_vars or {})
    if mixed := mixed_uses(constraints, bindings):
        problems += mixed
    else:
        Solver(bindings, problems).solve(constraints)
    if problems:
        raise mismatch(problems, error_prefix)
    return MatchResult(bindings)


class _Comparison:
    """Compares two trees but for the shapes of arrays, for which it collects constraints."""

    def __init__(self) -> None:
        self.constraints: list[Constraint] = []
        self.problems: list[Problem] = []

    def compare(self, pattern: Any, value: Any, path: KeyPath) -> None:
        if isinstance(pattern, Wildcard):
            return
        if isinstance(pattern, ArraySpec):
            self._compare_array(pattern, value, root_path(path))
            return
        expected, actual = flatten_one_level(pattern), flatten_one_level(value)
        if expected is None:
            if actual is not None or not _equal(pattern, value):
                self._report(path, leaf_text(pattern, value))
            return
        if actual is None or expected[1] != actual[1]:
            self._report(path, container_text(pattern, value))
        if type(pattern) is type(value):
            found = dict(actual[0] if actual else ())
            for key, wanted in expected[0]:
                if key in found:
                    self.compare(wanted, found[key], (*path, key))

    def _compare_array(self, pattern: ArraySpec, value: Any, place: str) -> None:
        try:
            actual = ArraySpec(dtype=type(value)) if _is_scalar(value) else spec_of(value)
        except ValueError as error:
            self.problems.append(Problem(place, f"expected a valid named array, but: {error}"))
            return
        if actual is None:
            text = f"expected an array, `{pattern!r}`, got {_repr.brief(value)}."
            self.problems.append(Problem(place, text))
            return
        if not same_dtype(pattern.dtype, actual.dtype):
            text = f"dtype: expected {dtype_text(pattern.dtype)}, got {dtype_text(actual.dtype)}."
            self.problems.append(Problem(place, text))
        shape = tuple(map(strip_known, actual.shape))
        named_shape = {name: strip_known(size) for name, size in actual.named_shape.items()}
        self.constraints.append(Constraint(place, pattern.shape, shape))
        self.constraints.append(Constraint(place, pattern.named_shape, named_shape))

    def _report(self, path: KeyPath, text: str) -> None:
        self.problems.append(Problem(root_path(path), text))


def _known(known_vars: Mapping[str, Any]) -> Bindings:
    """Returns bindings of their own for what a caller knows."""
    if isinstance(known_vars, MatchResult):
        return known_vars._bindings.known_before()  # noqa: SLF001  # of the same module
    result = Bindings({}, {})
    for name, value in known_vars.items():
        source = "given in `known_vars`"
        if isinstance(value, Mapping):
            result.groups[name] = Binding(dict(value), source)
        elif isinstance(value, tuple | list):
            result.groups[name] = Binding(tuple(value), source)
        else:
            result.sizes[name] = Binding(value, source)
    return result


def _names(match: MatchResult) -> str:
    return ", ".join(f"`{name}`" for name in match) or "which has none"


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float | complex)


def _equal(expected: Any, actual: Any) -> bool:
    """Compares with `==`; what cannot be compared is not equal."""
    if expected is actual:
        return True
    if isinstance(expected, Tracer) or isinstance(actual, Tracer):
        return False
    try:
        if hasattr(expected, "shape") or hasattr(actual, "shape"):
            same_shape = np.shape(expected) == np.shape(actual)
            return same_shape and bool(np.all(expected == actual))
        return bool(expected == actual)
    except Exception:
        return False
