"""Values in place of variables."""

import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any

import jax

from modeldata.shapecheck._dims import (
    Dim,
    DimVar,
    MultiDimVar,
    RemainingAxisPlaceholder,
    SizeName,
)
from modeldata.shapecheck._patterns import (
    ArraySpec,
    StructureAnnotation,
    is_pattern_leaf,
    strip_known,
)


@dataclasses.dataclass(frozen=True)
class DimensionVariableSubstitution:
    """What to put in place of the variables in a structure.

    Attributes:
        size_variables: For each variable that is one size, a size or another variable. The key is
            the name; for `var("x")["a"]` it is `("x", "a")`.
        sequence_variables: For each `*var(...)` by name, the entries of a shape.
        mapping_variables: For each `**var(...)` by name, the entries of a named shape.
    """

    size_variables: Mapping[SizeName, Dim] = dataclasses.field(default_factory=dict)
    sequence_variables: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)
    mapping_variables: Mapping[str, Mapping[Any, Any]] = dataclasses.field(default_factory=dict)

    def is_empty(self) -> bool:
        """Returns whether there is no variable."""
        return not (self.size_variables or self.sequence_variables or self.mapping_variables)


def get_dimension_variables(structure: StructureAnnotation) -> DimensionVariableSubstitution:
    """Finds the variables in a structure.

    Args:
        structure: A pattern.

    Returns:
        A substitution that puts every variable in its own place.
    """
    sizes: dict[SizeName, Dim] = {}
    sequences: dict[str, tuple[Any, ...]] = {}
    mappings: dict[str, Mapping[Any, Any]] = {}
    for spec in _specs(structure):
        for entry in (*spec.shape, *spec.named_shape.values()):
            if isinstance(entry, DimVar):
                sizes[entry.name] = entry
            elif isinstance(entry, MultiDimVar):
                sequences[entry.name] = (entry,)
        for entry in spec.named_shape:
            if isinstance(entry, MultiDimVar):
                mappings[entry.name] = {entry: RemainingAxisPlaceholder()}
    return DimensionVariableSubstitution(sizes, sequences, mappings)


def full_substitute_dimension_variables(
    structure: StructureAnnotation,
    subst: DimensionVariableSubstitution | Mapping[str, Any],
) -> StructureAnnotation:
    """Puts values in place of all variables in a structure.

    Args:
        structure: A pattern.
        subst: What to put in; or the values by name, such as a match result.

    Returns:
        The structure with these values. A `KnownDim` becomes its size.

    Raises:
        KeyError: If there is nothing to put in place of a variable.
        ValueError: If an array would have two axes of the same name.
    """
    if not isinstance(subst, DimensionVariableSubstitution):
        subst = _from_values(subst)
    return jax.tree_util.tree_map(
        lambda node: _substitute(node, subst) if isinstance(node, ArraySpec) else node,
        structure,
        is_leaf=is_pattern_leaf,
    )


def _specs(structure: StructureAnnotation) -> list[ArraySpec]:
    nodes = jax.tree_util.tree_leaves(structure, is_leaf=is_pattern_leaf)
    return [node for node in nodes if isinstance(node, ArraySpec)]


def _from_values(values: Mapping[str, Any]) -> DimensionVariableSubstitution:
    sequences = {name: tuple(v) for name, v in values.items() if isinstance(v, tuple | list)}
    mappings = {name: v for name, v in values.items() if isinstance(v, Mapping)}
    sizes: dict[SizeName, Any] = {
        name: v for name, v in values.items() if name not in {**sequences, **mappings}
    }
    return DimensionVariableSubstitution(sizes, sequences, mappings)


def _substitute(spec: ArraySpec, subst: DimensionVariableSubstitution) -> ArraySpec:
    shape: list[Any] = []
    for entry in spec.shape:
        if isinstance(entry, MultiDimVar):
            shape.extend(_found(subst.sequence_variables, entry.name, repr(entry)))
        else:
            shape.append(_size(entry, subst))
    named_shape: dict[Hashable, Any] = {}
    for name, entry in spec.named_shape.items():
        if isinstance(name, MultiDimVar):
            added = _found(subst.mapping_variables, name.name, f"*{name!r}")
        else:
            added = {name: _size(entry, subst)}
        if twice := [key for key in added if key in named_shape]:
            raise ValueError(
                f"Expected axis names to differ after substitution, but `{spec!r}` would have "
                f"{', '.join(map(repr, twice))} twice. Substitute other axes."
            )
        named_shape |= added
    return ArraySpec(tuple(shape), spec.dtype, named_shape)


def _size(entry: Any, subst: DimensionVariableSubstitution) -> Any:
    if not isinstance(entry, DimVar):
        return strip_known(entry)
    if isinstance(entry.name, tuple) and entry.name not in subst.size_variables:
        base, key = entry.name
        whole: Any = subst.mapping_variables.get(base)
        if whole is None:
            whole = dict(enumerate(subst.sequence_variables.get(base, ())))
        return strip_known(_found(whole, key, repr(entry)))
    return strip_known(_found(subst.size_variables, entry.name, repr(entry)))


def _found(values: Mapping[Any, Any], key: Hashable, variable: str) -> Any:
    if key in values:
        return values[key]
    raise KeyError(f"Expected a value for every variable, but there is none for `{variable}`.")
