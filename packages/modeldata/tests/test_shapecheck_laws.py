"""Laws of shape checks, for random structures."""

import hypothesis as hp
import hypothesis.strategies as st
import jax
import numpy as np
import pytest

import modeldata as md
from modeldata.shapecheck import (
    ArraySpec,
    StructureMismatchError,
    as_array_structure,
    check_structure,
    full_substitute_dimension_variables,
    get_dimension_variables,
    var,
)

law = hp.settings(deadline=None, max_examples=25, suppress_health_check=list(hp.HealthCheck))
NAMES = ["a", "b", ("c", 1), frozenset("d")]
sizes = st.integers(0, 5)


@st.composite
def arrays(draw):
    """Draws a named array without data, its positional and named axes stored in any order."""
    shape = draw(st.lists(sizes, max_size=3))
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    dtype = draw(st.sampled_from([np.float32, np.int32, np.bool_]))
    if not names:
        return jax.ShapeDtypeStruct(tuple(shape), dtype)
    trailing = draw(st.permutations([*range(len(shape)), *names]))
    data = {label: shape[label] if isinstance(label, int) else draw(sizes) for label in trailing}
    array = md.NamedArray(jax.ShapeDtypeStruct(tuple(data.values()), dtype), tuple(trailing))
    array.layout  # noqa: B018  # is valid
    return array


@st.composite
def patterns(draw, value):
    """Draws a pattern with variables that an array matches, and that can be solved alone."""
    spec = as_array_structure(value)
    # Variables are named after sizes, so that those of one name agree.
    shape = [draw(st.sampled_from([size, var(f"n{size}")])) for size in spec.shape]
    named = {
        name: draw(st.sampled_from([size, var(f"n{size}")]))
        for name, size in spec.named_shape.items()
    }
    tag = draw(st.uuids()).hex
    if draw(st.booleans()):
        start = draw(st.integers(0, len(shape)))
        stop = draw(st.integers(start, len(shape)))
        shape[start:stop] = var(f"p{tag}")
    if draw(st.booleans()):
        left_out = draw(st.sets(st.sampled_from(list(named) or [None])))
        named = {name: size for name, size in named.items() if name not in left_out}
        named = {**named, **var(f"m{tag}")}
    return ArraySpec(tuple(shape), spec.dtype, named)


trees = st.recursive(
    arrays() | st.none() | st.integers() | st.text(max_size=2),
    lambda children: (
        st.lists(children, max_size=3)
        | st.tuples(children)
        | st.dictionaries(st.sampled_from("xyz"), children, max_size=3)
    ),
    max_leaves=6,
)


@law
@hp.given(tree=trees)
def test_the_structure_of_a_value_matches_the_value(tree):
    assert check_structure(tree, as_array_structure(tree)) == {}
    assert check_structure(as_array_structure(tree), as_array_structure(tree)) == {}


@law
@hp.given(values=st.lists(arrays(), max_size=3), data=st.data())
def test_the_match_put_into_the_pattern_gives_the_structure(values, data):
    pattern = [data.draw(patterns(value)) for value in values]
    match = check_structure(values, pattern)
    assert full_substitute_dimension_variables(pattern, match) == as_array_structure(values)
    assert check_structure(values, pattern, known_vars=match) == match
    assert check_structure(values, pattern, known_vars=dict(match)) == match


@law
@hp.given(values=st.lists(arrays(), max_size=3), data=st.data())
def test_variables_in_their_own_place_change_nothing(values, data):
    pattern = [data.draw(patterns(value)) for value in values]
    variables = get_dimension_variables(pattern)
    assert full_substitute_dimension_variables(pattern, variables) == pattern
    assert variables.is_empty() == (check_structure(values, pattern) == {})


@law
@hp.given(value=arrays(), data=st.data())
def test_the_order_of_named_axes_does_not_matter(value, data):
    pattern = data.draw(patterns(value))
    match = check_structure(value, pattern)
    entries = data.draw(st.permutations(list(pattern.named_shape.items())))
    reordered = ArraySpec(pattern.shape, pattern.dtype, dict(entries))
    assert reordered == pattern
    assert check_structure(value, reordered) == match
    spec = as_array_structure(value)
    names = data.draw(st.permutations(list(spec.named_shape.items())))
    assert check_structure(ArraySpec(spec.shape, spec.dtype, dict(names)), pattern) == match


@law
@hp.given(value=arrays(), data=st.data())
def test_a_pattern_with_one_other_size_does_not_match(value, data):
    spec = as_array_structure(value)
    hp.assume(spec.shape or spec.named_shape)
    shape, named = list(spec.shape), dict(spec.named_shape)
    changed = data.draw(st.sampled_from([*range(len(shape)), *named]))
    (shape if isinstance(changed, int) else named)[changed] += 1
    with pytest.raises(StructureMismatchError) as caught:
        check_structure(value, ArraySpec(tuple(shape), spec.dtype, named))
    axis = f"positional axis {changed}" if isinstance(changed, int) else f"axis {changed!r}"
    assert f"  {axis}: expected size" in str(caught.value)
