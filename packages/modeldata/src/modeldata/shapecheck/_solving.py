"""Finding the values of variables.

Every array gives two constraints: its positional axes must match a tuple, its named axes a mapping.
If at most one entry of such a pattern stands for many axes, the rest of the pattern says which axes
it gets. If several do, all but one must be known from other constraints. So the constraints are
gone through again and again, each time putting in what is known by then, until all are solved or
no more can be. The first use of a variable binds it; all others are compared with that.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from modeldata.shapecheck._dims import DimVar, KnownDim, MultiDimVar, SizeName, dims_text
from modeldata.shapecheck._messages import Problem


class Binding(NamedTuple):
    """The value of a variable.

    Attributes:
        value: A size, a tuple of sizes, or sizes by axis name.
        source: Where it was found, in words.
    """

    value: Any
    source: str

    def about(self, variable: DimVar | MultiDimVar) -> str:
        """Says what a variable stands for, and why."""
        star = "*" if isinstance(self.value, Mapping) else ""
        return f"`{star}{variable!r}` = `{dims_text(self.value)}`, {self.source}"


class Bindings(NamedTuple):
    """The variables that are known; filled as more become known.

    Attributes:
        sizes: Values of variables for one size.
        groups: Values of variables for any number of axes.
    """

    sizes: dict[SizeName, Binding]
    groups: dict[str, Binding]

    def values(self) -> dict[str, Any]:
        """Returns the value of each variable by name; sizes with a key are collected."""
        result: dict[str, Any] = {}
        for name, binding in self.sizes.items():
            if isinstance(name, tuple):
                result.setdefault(name[0], {})[name[1]] = binding.value
            else:
                result[name] = binding.value
        return {**result, **{name: binding.value for name, binding in self.groups.items()}}

    def known_before(self) -> "Bindings":
        """Returns a copy for another check, in whose messages these are from an earlier one."""
        return Bindings(_as_before(self.sizes), _as_before(self.groups))


def _as_before(bindings: dict[Any, Binding]) -> dict[Any, Binding]:
    return {
        name: Binding(binding.value, binding.source.replace("bound by", "bound before by", 1))
        for name, binding in bindings.items()
    }


class Constraint(NamedTuple):
    """Axes that must match a pattern.

    Attributes:
        place: The array they are of.
        expected: A shape or a named shape with variables.
        actual: The same without.
    """

    place: str
    expected: Sequence[Any] | Mapping[Any, Any]
    actual: Sequence[Any] | Mapping[Any, Any]

    @property
    def many(self) -> list[MultiDimVar]:
        """The variables in the pattern that stand for any number of axes."""
        return [entry for entry in self.expected if isinstance(entry, MultiDimVar)]

    def __str__(self) -> str:
        return f"`{dims_text(self.expected)}` at {self.place}"


class _Given(NamedTuple):
    """A size that a known variable for many axes puts into a pattern."""

    size: Any
    origin: str


class Solver:
    """Matches constraints, binds variables, and collects what goes wrong.

    Args:
        known: What is known before; filled with what is found.
        problems: What went wrong before; filled with what goes wrong.
    """

    def __init__(self, known: Bindings, problems: list[Problem]) -> None:
        self._problems = problems
        self._sizes = known.sizes
        self._groups = known.groups

    def solve(self, constraints: Iterable[Constraint]) -> None:
        """Matches constraints, in as many rounds as it takes, and binds their variables."""
        waiting = list(constraints)
        while left := [constraint for constraint in waiting if not self._try(constraint)]:
            if len(left) == len(waiting):
                break
            waiting = left
        if left and not self._problems:  # which may be why something is not known
            self._report_undecided(left)
        self._compare_keys()

    def _try(self, constraint: Constraint) -> bool:
        """Matches a constraint if enough is known, and returns whether it was."""
        unknown = [entry for entry in constraint.many if entry.name not in self._groups]
        if len(unknown) > 1:
            return False
        if isinstance(constraint.expected, Mapping):
            self._match_named(constraint, constraint.expected, dict(constraint.actual))
        else:
            self._match_positional(constraint, tuple(constraint.actual))
        return True

    def _match_positional(self, constraint: Constraint, actual: tuple[Any, ...]) -> None:
        expected = self._fill_shape(constraint)
        open_at = [i for i, entry in enumerate(expected) if isinstance(entry, MultiDimVar)]
        needed = len(expected) - len(open_at)
        if len(actual) < needed or (len(actual) > needed and not open_at):
            number = f"at least {needed}" if open_at else f"{needed}"
            text = f"{len(actual)} instead of {number}"
            self._report_axes(constraint, "positional axes", text)
            return
        if open_at:
            head, extra = open_at[0], len(actual) - needed
            source = f"bound by the positional axes of {constraint.place}"
            self._groups[expected[head].name] = Binding(actual[head : head + extra], source)
            expected[head : head + 1] = [_Given(size, source) for size in actual[head:][:extra]]
        for i, (wanted, size) in enumerate(zip(expected, actual, strict=True)):
            self._match_size(constraint, f"positional axis {i}", wanted, size)

    def _match_named(
        self, constraint: Constraint, pattern: Mapping[Any, Any], actual: dict[Any, Any]
    ) -> None:
        expected = self._fill_named(constraint, pattern)
        fixed = {k: size for k, size in expected.items() if not isinstance(k, MultiDimVar)}
        rest = {name: size for name, size in actual.items() if name not in fixed}
        if missing := [name for name in fixed if name not in actual]:
            self._report_axes(constraint, "named axes", f"{_listed(missing)} is missing")
        if unknown := [entry for entry in expected if isinstance(entry, MultiDimVar)]:
            self._groups[unknown[0].name] = Binding(
                rest, f"bound by the named axes of {constraint.place}"
            )
        elif rest:
            told = f"{_listed(rest)} is not expected; `**var(name)` in the pattern allows more axes"
            self._report_axes(constraint, "named axes", told)
        for name, size in fixed.items():
            if name in actual:
                self._match_size(constraint, f"axis {name!r}", size, actual[name])

    def _fill_shape(self, constraint: Constraint) -> list[Any]:
        """Returns a shape with known sizes in place of variables for many axes."""
        result: list[Any] = []
        for entry in constraint.expected:
            binding = self._groups.get(entry.name) if isinstance(entry, MultiDimVar) else None
            if binding is None:
                result.append(entry)
            else:
                origin = binding.about(entry)
                result.extend(_Given(size, origin) for size in binding.value)
        return result

    def _fill_named(self, constraint: Constraint, pattern: Mapping[Any, Any]) -> dict[Any, Any]:
        """Returns a named shape with known sizes in place of variables for many axes."""
        bound = {
            entry: self._groups[entry.name]
            for entry in constraint.many
            if entry.name in self._groups
        }
        result = {key: size for key, size in pattern.items() if key not in bound}
        for entry, binding in bound.items():
            origin = binding.about(entry)
            if twice := [name for name in binding.value if name in result]:
                told = f"the pattern has {_listed(twice)} twice"
                self._report_axes(constraint, "named axes", told)
            result = {name: _Given(size, origin) for name, size in binding.value.items()} | result
        return result

    def _match_size(self, constraint: Constraint, axis: str, expected: Any, actual: Any) -> None:
        """Compares one size, and binds the variable that stands for it."""
        wanted, origin = expected, ""
        if isinstance(expected, _Given):
            wanted, origin = expected.size, expected.origin
        elif isinstance(expected, KnownDim) and expected.size != actual:
            wanted, origin = expected.size, f"`{DimVar(expected.name)!r}`"
        elif isinstance(expected, DimVar | KnownDim):
            new = Binding(actual, f"bound by {axis} of {constraint.place}")
            binding = self._sizes.setdefault(expected.name, self._part(expected.name) or new)
            wanted, origin = binding.value, f"`{DimVar(expected.name)!r}`, {binding.source}"
        if wanted != actual:
            because = f" ({origin})" if origin else ""
            text = f"{axis}: expected size {wanted!r}{because}, got {actual!r}."
            self._problems.append(Problem(constraint.place, text))

    def _part(self, name: SizeName) -> Binding | None:
        """Returns one size of a variable for many that is known, such as `var("x")["a"]`."""
        whole = self._groups.get(name[0]) if isinstance(name, tuple) else None
        size = None if whole is None else _entry(whole.value, name[1])
        return None if whole is None or size is None else Binding(size, whole.source)

    def _compare_keys(self) -> None:
        """Compares sizes such as `var("x")["a"]` with all of `**var("x")` or `*var("x")`."""
        for name, binding in self._sizes.items():
            whole = self._groups.get(name[0]) if isinstance(name, tuple) else None
            if whole is not None and _entry(whole.value, name[1]) != binding.value:
                self._problems.append(
                    Problem(
                        "",
                        "Expected a size of a variable to be among all its sizes, but: "
                        f"{binding.about(DimVar(name))}; {whole.about(MultiDimVar(name[0]))}. "
                        "Use another variable for one of them.",
                    )
                )

    def _report_axes(self, constraint: Constraint, kind: str, difference: str) -> None:
        known = [self._groups[x.name].about(x) for x in constraint.many if x.name in self._groups]
        where = f" (where {'; '.join(known)})" if known else ""
        text = (
            f"{kind}: expected `{dims_text(constraint.expected)}`{where}, got "
            f"`{dims_text(constraint.actual)}`: {difference}."
        )
        self._problems.append(Problem(constraint.place, text))

    def _report_undecided(self, left: list[Constraint]) -> None:
        text = (
            "Expected at most one variable for many axes in each shape that is not known from "
            f"elsewhere, but nothing says which axes each of them gets in "
            f"{', '.join(map(str, left))}. Write out some axes, or give variables in `known_vars`."
        )
        self._problems.append(Problem("", text))


def _entry(whole: Any, key: Any) -> Any:
    """Returns one of many sizes, None if there is none under this key."""
    if isinstance(whole, Mapping):
        return whole.get(key)
    inside = isinstance(key, int) and -len(whole) <= key < len(whole)
    return whole[key] if inside else None


def _listed(names: Iterable[Any]) -> str:
    return ", ".join(repr(name) for name in names)
