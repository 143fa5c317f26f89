"""Options: checked when they are set, local to a thread or task."""

import asyncio
import threading

import pytest

from treeview import Options, current_options, options


def test_options_hold_inside_the_block_only():
    before = current_options()
    with options(width=33, totals=True) as inside:
        assert inside == current_options()
        assert (inside.width, inside.totals) == (33, True)
        with options(width=44):
            assert current_options().totals
            assert current_options().width == 44
        assert current_options().width == 33
    assert current_options() == before


def test_options_are_restored_after_an_error():
    before = current_options()
    with pytest.raises(ZeroDivisionError), options(width=33):
        raise ZeroDivisionError
    assert current_options() == before


def test_threads_do_not_see_each_others_options():
    seen = {}
    ready = threading.Barrier(4)

    def look(width):
        with options(width=width):
            ready.wait()
            seen[width] = current_options().width

    threads = [threading.Thread(target=look, args=(width,)) for width in (20, 30, 40, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {20: 20, 30: 30, 40: 40, 50: 50}


def test_tasks_do_not_see_each_others_options():
    async def look(width):
        with options(width=width):
            await asyncio.sleep(0)
            return current_options().width

    async def main():
        return await asyncio.gather(*map(look, range(1, 9)))

    assert asyncio.run(main()) == list(range(1, 9))


def test_an_unknown_option_names_the_one_that_was_meant():
    with pytest.raises(TypeError, match="got `max_line`; did you mean `max_lines`"):
        with options(max_line=3):
            pass


def test_an_option_like_no_other_lists_all():
    with pytest.raises(TypeError, match="got `zzz`; known are `width`, `depth`"):
        with options(zzz=3):
            pass


@pytest.mark.parametrize("value", ["80", 8.5, True, []])
def test_a_value_of_another_type_is_refused(value):
    with pytest.raises(TypeError, match="Expected `width` to be int or None, got"):
        Options(width=value)


def test_a_truth_value_is_no_number_and_a_number_no_truth_value():
    with pytest.raises(TypeError, match="Expected `totals` to be bool, got 1"):
        Options(totals=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 0),
        ("depth", -1),
        ("abbreviation_threshold", 0),
        ("max_items", -1),
        ("max_lines", 0),
        ("seconds", -0.5),
    ],
)
def test_a_value_out_of_range_is_refused(name, value):
    with pytest.raises(ValueError, match=f"Expected `{name}` to be at least"):
        Options(**{name: value})


def test_not_a_number_is_no_time_limit():
    with pytest.raises(ValueError, match="Expected `seconds` to be at least 0, got nan"):
        Options(seconds=float("nan"))


def test_whole_seconds_are_fine():
    assert Options(seconds=2).seconds == 2
