"""Promises of `check_structure`: what matches, what the variables are, what the errors say."""

import copy
import pickle

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import nx
from modeldata.shapecheck import (
    ANY,
    ArraySpec,
    StructureMismatchError,
    Wildcard,
    check_structure,
    var,
    vars_for_axes,
)

HEADER = "Expected a value of the structure that the pattern describes, but it differs:"
ADVICE = (
    "Change the value there, or let the pattern pass it: `var(name)` stands for any size, `ANY` for "
    "any value."
)


def array(*shape, dtype=jnp.float32):
    return jax.ShapeDtypeStruct(shape, dtype)


def named(dtype=jnp.float32, **sizes):
    return md.NamedArray(array(*sizes.values(), dtype=dtype), tuple(sizes))


def fails(value, pattern, *lines, advice=True, **kwargs):
    """Asserts the whole message of a mismatch."""
    with pytest.raises(StructureMismatchError) as caught:
        check_structure(value, pattern, **kwargs)
    assert str(caught.value).splitlines() == [HEADER, *lines, *[ADVICE] * advice]


# ---- What matches ----


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        (array(2, 3), ArraySpec((2, 3), jnp.float32)),
        (np.zeros((2, 3)), ArraySpec((2, 3), np.floating)),
        (named(a=2, b=3), ArraySpec(named_shape={"b": 3, "a": 2})),
        (named(a=2).untag("a"), ArraySpec((2,))),
        (named(a=2, b=3).untag("b"), ArraySpec((3,), named_shape={"a": 2})),
        (ArraySpec((2,), jnp.int32), ArraySpec((2,), np.integer)),
        (3, ArraySpec(dtype=np.integer)),
        (3.0, ArraySpec(dtype=jnp.float32)),
        (True, ArraySpec(dtype=bool)),
        (1j, ArraySpec(dtype=np.complexfloating)),
        (array(), ArraySpec()),
        (None, None),
        ({"a": [1, "x", None], "b": ()}, {"a": [1, "x", None], "b": ()}),
        ({"a": [1, "x"], "b": object()}, {"a": ANY, "b": Wildcard("what you like")}),
        (np.array([1, 2]), np.array([1, 2])),
    ],
)
def test_values_match_patterns_that_describe_them(value, pattern):
    assert check_structure(value, pattern) == {}


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (jnp.bfloat16, np.floating),
        (np.int64, np.int32),
        (np.int32, np.int64),
        (np.uint8, np.unsignedinteger),
        (jnp.float32, np.generic),
        (jnp.float32, "float32"),
    ],
)
def test_dtypes_match_abstract_types_above_them_and_themselves_as_jax_sees_them(dtype, expected):
    check_structure(array(2, dtype=dtype), ArraySpec((2,), expected))


def test_random_keys_have_a_dtype_of_their_own():
    key = jax.eval_shape(lambda: jax.random.key(0))
    check_structure(key, ArraySpec(dtype=key.dtype))
    check_structure(key, ArraySpec(dtype=jax.dtypes.prng_key))
    fails(
        key, ArraySpec(dtype=np.floating), "At root:", "  dtype: expected floating, got key<fry>."
    )


@pytest.mark.parametrize("name", [("tuple", 1), None, frozenset("ab"), "text"])
def test_any_hashable_object_may_name_an_axis(name):
    value = nx.wrap(np.zeros((2, 3)), name, "c")
    assert check_structure(value, ArraySpec(named_shape={**var("rest"), "c": 3})) == {
        "rest": {name: 2}
    }
    assert check_structure(value, ArraySpec(named_shape={name: var("n"), "c": 3})).n == 2
    assert check_structure(value, ArraySpec(named_shape=vars_for_axes("v", [name, "c"]))) == {
        "v": {name: 2, "c": 3}
    }


def test_checks_work_on_tracers_inside_jit():
    seen = {}

    @jax.jit
    def run(x):
        seen.update(check_structure(x, ArraySpec((var("n"), 3), np.floating)))
        return x

    run(np.zeros((2, 3), np.float32))
    assert seen == {"n": 2}


def test_sizes_may_be_symbols_of_jax_export():
    n, m = jax.export.symbolic_shape("n, m")
    pattern = [ArraySpec((var("x"), 3)), ArraySpec((var("x"),))]
    assert check_structure([array(n, 3), array(n)], pattern) == {"x": n}
    with pytest.raises(StructureMismatchError, match=r"expected size n \(.*\), got m\."):
        check_structure([array(n, 3), array(m)], pattern)


# ---- Variables ----


def test_variables_take_one_size_some_positional_axes_or_the_other_names():
    value = {"x": named(a=2, b=3, c=4), "y": array(4, 5, 6, 4)}
    pattern = {
        "x": ArraySpec(named_shape={"c": var("n"), **var("rest")}),
        "y": ArraySpec((var("n"), *var("mid"), 4)),
    }
    match = check_structure(value, pattern)
    assert match == {"n": 4, "rest": {"a": 2, "b": 3}, "mid": (5, 6)}
    assert (match.n, match["n"], match["mid", "n"]) == (4, 4, ((5, 6), 4))
    assert isinstance(match.rest, dict)
    assert repr(match) == "MatchResult({'n': 4, 'rest': {'a': 2, 'b': 3}, 'mid': (5, 6)})"


def test_variables_may_stand_for_no_axes():
    assert check_structure(array(3), ArraySpec((*var("x"), 3))).x == ()
    assert check_structure(named(a=3), ArraySpec(named_shape={**var("x"), "a": 3})).x == {}


def test_a_bare_variable_is_a_whole_shape():
    match = check_structure(named(a=2, b=3).untag("b"), ArraySpec(var("x"), named_shape=var("y")))
    assert match == {"x": (3,), "y": {"a": 2}}


def test_several_open_shapes_are_solved_by_what_other_arrays_say():
    value = [array(1, 2, 3, 4), array(3, 4, 5), array(1, 2), array(5)]
    a, b, c = var("a"), var("b"), var("c")
    pattern = [
        ArraySpec((*a, *b)),
        ArraySpec((*b, *c)),
        ArraySpec((*a,)),
        ArraySpec((*c,)),
    ]
    assert check_structure(value, pattern) == {"a": (1, 2), "b": (3, 4), "c": (5,)}


def test_several_open_named_shapes_are_solved_by_what_other_arrays_say():
    value = [named(a=1, b=2, c=3), named(c=3)]
    pattern = [ArraySpec(named_shape={**var("x"), **var("y")}), ArraySpec(named_shape=var("y"))]
    assert check_structure(value, pattern) == {"x": {"a": 1, "b": 2}, "y": {"c": 3}}


def test_sizes_with_a_key_are_collected_under_one_name():
    sizes = vars_for_axes("x", {"a": None, "b": 3})
    assert check_structure(named(a=2, b=3), ArraySpec(named_shape=sizes)) == {"x": {"a": 2, "b": 3}}
    assert check_structure(array(2, 3), ArraySpec((var("x")[0], var("x")[1]))).x == {0: 2, 1: 3}


def test_sizes_with_a_key_agree_with_the_whole():
    pattern = [ArraySpec(named_shape=var("x")), ArraySpec((var("x")["a"],))]
    assert check_structure([named(a=2, b=3), array(2)], pattern) == {"x": {"a": 2, "b": 3}}
    positional = [ArraySpec((*var("x"),)), ArraySpec((var("x")[-1],))]
    assert check_structure([array(2, 3), array(3)], positional) == {"x": (2, 3)}


def test_known_variables_are_kept_to_and_returned():
    first = check_structure(named(a=2, b=3), ArraySpec(named_shape={"a": var("n"), **var("r")}))
    second = check_structure(
        [array(2, 7), named(b=3)],
        [ArraySpec((var("n"), var("m"))), ArraySpec(named_shape=var("r"))],
        known_vars=first,
    )
    assert second == {"n": 2, "r": {"b": 3}, "m": 7}
    assert first == {"n": 2, "r": {"b": 3}}, "unchanged"
    assert check_structure([], [], known_vars={"k": [1, 2], **second}) == {"k": (1, 2), **second}


def test_a_later_match_adds_sizes_with_a_key_to_an_earlier_one():
    first = check_structure(named(a=2), ArraySpec(named_shape=vars_for_axes("x", ["a"])))
    second = check_structure(
        named(b=3), ArraySpec(named_shape=vars_for_axes("x", ["b"])), known_vars=first
    )
    assert second == {"x": {"a": 2, "b": 3}}


def test_match_results_say_which_variables_there_are():
    match = check_structure(array(2, 3), ArraySpec((var("n"), var("m"))))
    with pytest.raises(KeyError, match="a variable of the pattern, `n`, `m`, got 'k'"):
        match["k"]
    with pytest.raises(AttributeError, match="a variable of the pattern, `n`, `m`, or a method"):
        match.k  # noqa: B018
    with pytest.raises(AttributeError, match="which has none, or a method, got `k`"):
        check_structure([], []).k  # noqa: B018


def test_match_results_can_be_copied_and_stored():
    match = check_structure(named(a=2), ArraySpec(named_shape=var("n")))
    assert copy.deepcopy(match) == pickle.loads(pickle.dumps(match)) == match
    with pytest.raises(AttributeError, match="_repr_html_"):
        match._repr_html_  # noqa: B018


# ---- What the errors say ----


def test_all_places_are_listed_with_axis_sizes_and_where_variables_were_bound():
    fails(
        {"x": named(a=2, c=4), "y": array(4, 2, 5, dtype=jnp.int32), "z": 3.0},
        {
            "x": ArraySpec(named_shape={**var("r"), "c": var("n")}),
            "y": ArraySpec((var("n"), 3, var("n")), np.floating),
            "z": "w",
        },
        "At root['y']:",
        "  dtype: expected floating, got int32.",
        "  positional axis 1: expected size 3, got 2.",
        "  positional axis 2: expected size 4 (`var('n')`, bound by axis 'c' of root['x']), got 5.",
        "At root['z']:",
        "  expected a value equal to 'w', got 3.0.",
    )


def test_the_prefix_comes_first():
    with pytest.raises(StructureMismatchError) as caught:
        check_structure(1, 2, error_prefix="While loading:\n")
    assert str(caught.value).splitlines()[:2] == ["While loading:", HEADER]
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("shape", "pattern", "told"),
    [
        ((2, 3), (2,), "expected `(2,)`, got `(2, 3)`: 2 instead of 1."),
        ((2,), (var("a"), 3), "expected `(var('a'), 3)`, got `(2,)`: 1 instead of 2."),
        (
            (2,),
            (1, *var("a"), 3),
            "expected `(1, *var('a'), 3)`, got `(2,)`: 1 instead of at least 2.",
        ),
    ],
)
def test_errors_count_positional_axes(shape, pattern, told):
    fails(array(*shape), ArraySpec(pattern), "At root:", f"  positional axes: {told}")


def test_errors_name_the_axes_that_are_missing_or_too_many():
    value = named(a=2, b=3)
    fails(
        value,
        ArraySpec(named_shape={"a": 2, "c": 3}),
        "At root:",
        "  named axes: expected `{'a': 2, 'c': 3}`, got `{'a': 2, 'b': 3}`: 'c' is missing.",
        "  named axes: expected `{'a': 2, 'c': 3}`, got `{'a': 2, 'b': 3}`: 'b' is not expected; "
        "`**var(name)` in the pattern allows more axes.",
    )


def test_errors_say_which_axes_a_variable_stands_for():
    fails(
        [array(2, 3), array(5, 2, 4), array(2)],
        [ArraySpec((*var("x"),)), ArraySpec((5, *var("x"))), ArraySpec((*var("x"),))],
        "At root[1]:",
        "  positional axis 2: expected size 3 (`*var('x')` = `(2, 3)`, bound by the positional axes "
        "of root[0]), got 4.",
        "At root[2]:",
        "  positional axes: expected `(*var('x'),)` (where `*var('x')` = `(2, 3)`, bound by the "
        "positional axes of root[0]), got `(2,)`: 1 instead of 2.",
    )
    fails(
        [named(a=2), named(a=3)],
        [ArraySpec(named_shape=var("x")), ArraySpec(named_shape=var("x"))],
        "At root[1]:",
        "  axis 'a': expected size 2 (`**var('x')` = `{'a': 2}`, bound by the named axes of "
        "root[0]), got 3.",
    )


def test_errors_say_what_was_known_before():
    match = check_structure(array(2), ArraySpec((var("n"),)))
    again = check_structure([], [], known_vars=match)
    for known, source in [
        (match, "bound before by positional axis 0 of root"),
        (again, "bound before by positional axis 0 of root"),
        ({"n": 2}, "given in `known_vars`"),
    ]:
        fails(
            array(3),
            ArraySpec((var("n"),)),
            "At root:",
            f"  positional axis 0: expected size 2 (`var('n')`, {source}), got 3.",
            known_vars=known,
        )


def test_sizes_with_a_key_that_contradict_the_whole_are_errors():
    fails(
        [named(a=2), array(3)],
        [ArraySpec(named_shape=var("x")), ArraySpec((var("x")["a"],))],
        "At root[1]:",
        "  positional axis 0: expected size 2 (`var('x')['a']`, bound by the named axes of "
        "root[0]), got 3.",
    )
    for value, spec, told in [
        (array(2), ArraySpec((*var("x"),)), "`*var('x')` = `(2,)`, bound by the positional axes"),
        (
            named(b=2),
            ArraySpec(named_shape=var("x")),
            "`**var('x')` = `{'b': 2}`, bound by the named axes",
        ),
    ]:
        fails(
            [array(3), value],
            [ArraySpec((var("x")["a"],)), spec],
            "Expected a size of a variable to be among all its sizes, but: `var('x')['a']` = `3`, "
            f"bound by positional axis 0 of root[0]; {told} of root[1]. Use another variable for "
            "one of them.",
            advice=False,
        )


def test_given_sizes_of_known_dimensions_are_checked():
    sizes = vars_for_axes("x", {"a": 3})
    fails(
        named(a=2),
        ArraySpec(named_shape=sizes),
        "At root:",
        "  axis 'a': expected size 3 (`var('x')['a']`), got 2.",
    )
    fails(
        named(a=3),
        ArraySpec(named_shape=sizes),
        "At root:",
        "  axis 'a': expected size 4 (`var('x')['a']`, given in `known_vars`), got 3.",
        known_vars={"x": {"a": 4}},
    )


def test_an_axis_that_the_pattern_has_twice_is_an_error():
    fails(
        [named(a=2), named(a=2)],
        [ArraySpec(named_shape=var("x")), ArraySpec(named_shape={**var("x"), "a": 2})],
        "At root[1]:",
        "  named axes: expected `{**var('x'), 'a': 2}` (where `**var('x')` = `{'a': 2}`, bound by "
        "the named axes of root[0]), got `{'a': 2}`: the pattern has 'a' twice.",
    )


def test_shapes_that_nothing_decides_are_errors():
    fails(
        [array(2), named(a=2)],
        [ArraySpec((*var("x"), *var("y"))), ArraySpec(named_shape={**var("v"), **var("w")})],
        "Expected at most one variable for many axes in each shape that is not known from "
        "elsewhere, but nothing says which axes each of them gets in `(*var('x'), *var('y'))` at "
        "root[0], `{**var('v'), **var('w')}` at root[1]. Write out some axes, or give variables in "
        "`known_vars`.",
        advice=False,
    )


def test_what_a_mismatch_leaves_undecided_is_not_an_error_of_its_own():
    fails(
        [array(2), 3],
        [ArraySpec((*var("x"), *var("y"))), [ArraySpec((*var("x"),))]],
        "At root[1]:",
        "  expected a `list` of 1, got 3.",
    )


@pytest.mark.parametrize(
    ("specs", "known", "told"),
    [
        ([ArraySpec((var("x"),)), ArraySpec((*var("x"),))], {}, "`var('x')` and `*var('x')`"),
        ([ArraySpec((*var("x"),), named_shape=var("x"))], {}, "`*var('x')` and `**var('x')`"),
        ([ArraySpec((var("x"), var("x")["a"]))], {}, "`var('x')` and `var('x')[...]`"),
        ([ArraySpec((*var("x"),))], {"x": 3}, "`var('x')` and `*var('x')`"),
        ([ArraySpec((*var("x"),))], {"x": {"a": 3}}, "`**var('x')` and `*var('x')`"),
    ],
)
def test_a_variable_stands_for_one_kind_of_thing(specs, known, told):
    fails(
        [array()] * len(specs),
        specs,
        f"Expected each variable to stand for one thing, but {told} are of different kinds. Give "
        "each a name of its own.",
        advice=False,
        known_vars=known,
    )


@pytest.mark.parametrize(
    ("value", "pattern", "told"),
    [
        ((1,), [1], "expected a `list` of 1, got a `tuple` of 1."),
        (None, [1], "expected a `list` of 1, got None."),
        ([1], None, "expected None, got a `list` of 1."),
        ([1, 2], [1], "expected a `list` of 1, got one of 2: `[1]` is not expected."),
        (
            {"a": 1, "b": 2},
            {"a": 1, "c": 2},
            "expected a `dict` of 2, got one of 2: `['c']` is missing; `['b']` is not expected.",
        ),
        ("x", 1, "expected a value equal to 1, got 'x'."),
        ([1, 2], np.array([1, 2]), "expected a value equal to i64[2](numpy), got [1, 2]."),
        (np.ones(2), np.zeros(2), "expected a value equal to f64[2](numpy), got f64[2](numpy)."),
        (np.zeros(2), np.zeros(1), "expected a value equal to f64[1](numpy), got f64[2](numpy)."),
        ("x", ArraySpec((2,)), "expected an array, `ArraySpec(shape=(2,))`, got 'x'."),
        (np.ndarray, ArraySpec(), "expected an array, `ArraySpec()`, got numpy.ndarray."),
        (
            nx.wrap(np.zeros(2), "a").replace(dims=("b",)),
            nx.wrap(np.zeros(2), "a"),
            "expected a `NamedArray` with `dims=('a',)`, got one with `dims=('b',)`.",
        ),
        (
            jax.tree_util.Partial(max, key=1),
            jax.tree_util.Partial(min, key=1),
            "expected a `Partial` with the structure of partial(<built-in function min>, key=1), "
            "got partial(<built-in function max>, key=1).",
        ),
        (
            md.NamedArray(None, ("a",)),
            ArraySpec(),
            "expected a valid named array, but: Expected the `data_array` of a named array to be "
            "an array with a shape and a dtype, got None. Put an array there first.",
        ),
    ],
)
def test_containers_and_leaves_that_differ_are_told_apart(value, pattern, told):
    fails({"at": value}, {"at": pattern}, "At root['at']:", f"  {told}")


def test_common_parts_of_containers_are_compared_though_others_differ():
    fails(
        {"a": array(2), "extra": 1},
        {"a": ArraySpec((3,))},
        "At root:",
        "  expected a `dict` of 1, got one of 2: `['extra']` is not expected.",
        "At root['a']:",
        "  positional axis 0: expected size 3, got 2.",
    )


def test_traced_values_are_not_compared():
    with pytest.raises(StructureMismatchError, match=r"not known inside `jax\.jit`; check shapes"):
        jax.eval_shape(lambda x: check_structure(x, 1), 1)


def test_values_that_cannot_be_compared_are_not_equal():
    class Hostile:
        def __eq__(self, other):
            raise RuntimeError

        __hash__ = None

        def __repr__(self):
            return "Hostile()"

    fails([Hostile()], [1], "At root[0]:", "  expected a value equal to 1, got Hostile().")
