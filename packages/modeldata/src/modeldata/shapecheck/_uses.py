"""Which variables a pattern uses, and as what."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modeldata.shapecheck._dims import DimVar, KnownDim, SizeName
from modeldata.shapecheck._messages import Problem
from modeldata.shapecheck._solving import Bindings, Constraint

_ONE, _SOME = "{0}", "{0}[...]"
_POSITIONAL, _NAMED = "*{0}", "**{0}"
_AGREEING = ({_ONE}, {_SOME, _POSITIONAL}, {_SOME, _NAMED})


def mixed_uses(constraints: Iterable[Constraint], known: Bindings) -> list[Problem]:
    """Finds variables that stand for things of different kinds.

    Args:
        constraints: The constraints in which variables are used.
        known: Variables that are known from elsewhere.
    """
    uses: dict[str, dict[str, None]] = {}
    for name, form in (*_known_uses(known), *_pattern_uses(constraints)):
        uses.setdefault(name, {})[form] = None
    return [
        _problem(name, forms)
        for name, forms in uses.items()
        if not any(forms.keys() <= agreeing for agreeing in _AGREEING)
    ]


def _known_uses(known: Bindings) -> Iterator[tuple[str, str]]:
    for name in known.sizes:
        yield _size_use(name)
    for name, binding in known.groups.items():
        yield name, _NAMED if isinstance(binding.value, Mapping) else _POSITIONAL


def _pattern_uses(constraints: Iterable[Constraint]) -> Iterator[tuple[str, str]]:
    for constraint in constraints:
        named = isinstance(constraint.expected, Mapping)
        for entry in constraint.many:
            yield entry.name, _NAMED if named else _POSITIONAL
        for size in _sizes(constraint.expected):
            if isinstance(size, DimVar | KnownDim):
                yield _size_use(size.name)


def _sizes(expected: Any) -> Iterable[Any]:
    return expected.values() if isinstance(expected, Mapping) else expected


def _size_use(name: SizeName) -> tuple[str, str]:
    return (name[0], _SOME) if isinstance(name, tuple) else (name, _ONE)


def _problem(name: str, forms: Iterable[str]) -> Problem:
    variable = repr(DimVar(name))
    told = " and ".join(f"`{form.format(variable)}`" for form in forms)
    text = (
        f"Expected each variable to stand for one thing, but {told} are of different kinds. Give "
        "each a name of its own."
    )
    return Problem("", text)
