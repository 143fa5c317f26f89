"""Guards: what foreign code may do, and what gets out."""

import pytest

from treeview._guard import (
    Damage,
    describe_error,
    guarded,
    has_only,
    plain_string,
    safe_length,
    safe_repr,
)


def fail(error):
    raise error


def test_a_call_gives_its_result():
    assert guarded(max, 1, 2, doing="max") == 2


def test_damage_says_what_was_done_and_what_went_wrong():
    with pytest.raises(Damage, match=r"^work raised ValueError: no$"):
        guarded(fail, ValueError("no\nmore"), doing="work")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_requests_to_stop_pass(stop):
    with pytest.raises(stop):
        guarded(fail, stop(), doing="work")


def test_damage_is_not_wrapped_again():
    with pytest.raises(Damage, match="^first$"):
        guarded(fail, Damage("first"), doing="second")


def test_messages_are_short():
    assert describe_error(ValueError("x" * 1000)) == f"ValueError: {'x' * 199}…"
    assert describe_error(KeyError()) == "KeyError"


def test_lengths_are_believed_only_if_they_can_be():
    class Odd:
        def __len__(self):
            return -1

    assert safe_length([1, 2]) == 2
    assert safe_length(iter([])) is None
    assert safe_length(Odd()) is None


def test_reprs_are_true_strings():
    class Sly(str):
        __str__ = __add__ = __radd__ = fail

    class Odd:
        def __repr__(self):
            return Sly("odd")

    assert type(safe_repr(Odd())) is str
    assert safe_repr(Odd()) == "odd"
    assert plain_string("a") == "a"


def test_kinds_are_exact():
    assert has_only([1, 2], {int})
    assert not has_only([1, True], {int})
    assert has_only([], set())
