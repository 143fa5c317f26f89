"""The runner of the benchmarks: what it measures, the ratios it shows, what it writes. No peers."""

import gc
import math
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        del sys.modules[name]


class FakeClock:
    """A clock that goes on only when something says that it took time."""

    def __init__(self):
        self.now = 100.0
        self.calls = {}

    def __call__(self):
        return self.now

    def taking(self, name, *seconds):
        """A function that takes the given times in turn, the last one ever after."""

        def function():
            call = self.calls[name] = self.calls.get(name, 0) + 1
            self.now += seconds[min(call, len(seconds)) - 1]

        return function


def measured(clock, ours, peers=None, **settings):
    from benchmarks.timing import Row, readings

    row = Row(what="work", ours=ours, peers=peers or {}, **settings)
    return readings(row, clock)


def result(readings, **settings):
    from benchmarks.report import Result
    from benchmarks.timing import Reading, Row

    found = {
        name: Reading(*value) if isinstance(value, tuple) else Reading(value)
        for name, value in readings.items()
    }
    peers = {name: int for name in readings if name}
    return Result(Row(what="work", ours=int, peers=peers, **settings), found)


def test_the_median_of_the_turns_counts_and_not_the_first_calls():
    clock = FakeClock()
    ours = clock.taking("ours", 4.0, 0.2, 0.1, 0.9, 0.1, 0.5, 0.1)
    assert measured(clock, ours)[""].value == pytest.approx(0.1)
    found = measured(clock, clock.taking("one", 0.2), {"peer": clock.taking("two", 0.5)})
    assert found[""].value == pytest.approx(0.2)
    assert found["peer"].value == pytest.approx(0.5)


def test_quick_functions_are_called_many_times_in_a_turn():
    clock = FakeClock()
    found = measured(clock, clock.taking("quick", 1e-6), {"peer": clock.taking("slower", 1e-3)})
    assert found[""].value == pytest.approx(1e-6)
    assert found["peer"].value == pytest.approx(1e-3)
    # In each round both take about as long, so one is called about a thousand times as often.
    assert clock.calls["quick"] / clock.calls["slower"] == pytest.approx(1000, rel=0.05)


def test_slow_functions_run_once_when_warm_and_very_slow_ones_once_at_all():
    clock = FakeClock()
    peers = {"slow": clock.taking("slow", 3.5, 3.0), "slower": clock.taking("slower", 20.0, 1.0)}
    found = measured(clock, clock.taking("ours", 0.1), peers)
    assert found["slow"].value == pytest.approx(3.0)
    assert found["slower"].value == pytest.approx(20.0)
    assert (clock.calls["slow"], clock.calls["slower"]) == (2, 1)


def test_a_failure_is_a_reading_of_its_own():
    def failing():
        raise RecursionError("too deep")

    found = measured(time.perf_counter, lambda: 3, {"peer": failing}, measure="bytes")
    assert found[""].value == 3
    assert math.isnan(found["peer"].value)
    assert found["peer"].failure == "RecursionError"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no alarms on Windows")
def test_what_takes_too_long_is_stopped():
    def waiting():
        try:
            time.sleep(30)
        except Exception:  # as a viewer of any object does
            return

    start = time.perf_counter()
    found = measured(FakeClock(), lambda: 3, {"peer": waiting}, measure="seconds", limit=0.05)
    assert found["peer"] == (0.05, "timeout")
    found = measured(FakeClock(), lambda: 3, {"peer": waiting}, measure="bytes", limit=0.05)
    assert math.isnan(found["peer"].value)
    assert found["peer"].failure == "timeout"
    assert time.perf_counter() - start < 20


def test_returned_seconds_are_taken_a_few_times_and_sizes_once():
    seconds, sizes = iter([9.9e-1, 0.5, 0.1, 0.2, 0.3, 0.4, 0.5]), iter([7.0])
    clock = FakeClock()
    assert measured(clock, lambda: next(seconds), measure="seconds")[""].value == 0.3
    assert measured(clock, lambda: next(sizes), measure="bytes")[""].value == 7.0


def test_garbage_collection_is_as_before_afterwards():
    frozen = gc.get_freeze_count()
    measured(FakeClock(), lambda: 3, measure="bytes")
    assert gc.isenabled()
    assert gc.get_freeze_count() <= frozen


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1 / 20, "1/20"), (1 / 19.66, "1/19.7"), (1 / 2.84, "1/2.84"), (0.97, "0.97"), (1.3, "1.3")]
    + [(12.345, "12.3"), (1234.5, "1234"), (1 / 3456, "1/3456")],
)
def test_ratios_read_as_people_say_them(ratio, text):
    from benchmarks.report import multiple

    assert multiple(ratio) == text


def test_a_pace_is_told_by_the_second_and_compared_by_the_time():
    from benchmarks.report import our_cell, ratio_cell

    one = result({"": 0.05, "peer": 0.1}, goals={"peer": 1 / 2}, measure="pace")
    assert our_cell(one) == "20/s"
    assert ratio_cell(one, "peer") == "1/2 ✓ ≤ 1/2"


@pytest.mark.parametrize(
    ("value", "measure", "text"),
    [(12.34, "time", "12.3 s"), (0.0123, "seconds", "12.3 ms"), (4.5e-6, "time", "4.5 µs")]
    + [(2e-8, "time", "20 ns"), (1_234_567, "bytes", "1.23 MB"), (12, "bytes", "12 B")],
)
def test_quantities_have_three_digits_and_a_unit(value, measure, text):
    from benchmarks.report import quantity

    assert quantity(value, measure) == text


def test_cells_say_whether_goals_are_reached():
    from benchmarks.report import our_cell, ratio_cell

    times = {"": 0.05, "a": 1.0, "b": 0.04, "c": 0.1}
    one = result(times, goals={"a": 1 / 20, "b": 1.2}, most=0.1)
    assert our_cell(one) == "50 ms ✓ ≤ 100 ms"
    assert ratio_cell(one, "a") == "1/20 ✓ ≤ 1/20"
    assert ratio_cell(one, "b") == "1.25 ✗ ≤ 1.2"
    assert ratio_cell(one, "c") == "1/2"
    assert ratio_cell(one, "not there") == "-"
    assert one.missed
    assert not result(times, goals={"a": 1 / 20}, most=0.1).missed
    assert result(times, goals={"a": 1 / 20}, most=0.01).missed


def test_cells_tell_failures_and_stops_of_peers_and_of_ours():
    from benchmarks.report import our_cell, ratio_cell

    failed, stopped = (math.nan, "RecursionError"), (60.0, "timeout")
    one = result({"": 0.3, "a": failed, "b": stopped}, goals={"a": 1.0, "b": 1 / 100})
    assert ratio_cell(one, "a") == "RecursionError ✓"
    assert ratio_cell(one, "b") == "< 1/200 ✓ ≤ 1/100"
    assert not one.missed
    broken = result({"": failed, "a": 1.0}, goals={"a": 1.0})
    assert our_cell(broken) == "RecursionError ✗"
    assert ratio_cell(broken, "a") == "-"
    assert broken.missed


def test_the_printed_table_is_aligned():
    from benchmarks.report import header_line, result_line

    one = result({"": 0.05, "peer": 1.0}, goals={"peer": 1 / 10})
    lines = [header_line(["peer", "other"]), result_line(one, ["peer", "other"])]
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["work", "50", "ms", "1/20", "✓", "≤", "1/10", "-"]


def test_a_section_has_versions_a_table_and_the_reasons_for_what_was_missed():
    from benchmarks.report import markdown

    good = result({"": 0.05, "a": 1.0}, goals={"a": 1 / 10}, why="not shown")
    bad = result({"": 0.05, "b": 0.04}, goals={"b": 1.0}, why="JAX takes all of it.")
    machine, _, *rest = markdown([good, bad], ["pytest"]).splitlines()
    assert f"pytest {pytest.__version__}" in machine
    assert "Python 3." in machine
    assert rest == [
        "| what | ours | a | b |",
        "| --- | ---: | ---: | ---: |",
        "| work | 50 ms | 1/20 ✓ ≤ 1/10 | - |",
        "| work | 50 ms | - | 1.25 ✗ ≤ 1 |",
        "",
        "Goals that were missed (✗), and why:",
        "",
        "- work: JAX takes all of it.",
    ]


def test_writing_a_section_replaces_it_and_nothing_else(tmp_path):
    from benchmarks.report import write_section

    path = tmp_path / "page.md"
    path.write_text("top\n<!-- begin a -->\nold\n<!-- end a -->\nrest\n", encoding="utf-8")
    for content in ("first", r"second \1 ✓"):
        write_section(path, "a", content)
        text = path.read_text(encoding="utf-8")
        assert text == f"top\n<!-- begin a -->\n\n{content}\n\n<!-- end a -->\nrest\n"


def test_writing_a_section_that_is_not_there_is_an_error(tmp_path):
    from benchmarks.report import write_section

    path = tmp_path / "page.md"
    path.write_text("top\n", encoding="utf-8")
    with pytest.raises(ValueError, match="Expected one section between `<!-- begin a -->` and"):
        write_section(path, "a", "new")
    assert path.read_text(encoding="utf-8") == "top\n"


def test_the_page_has_the_sections_that_are_written(tmp_path):
    from benchmarks.__main__ import DOCUMENT, SECTIONS
    from benchmarks.report import write_section

    copy = tmp_path / "page.md"
    copy.write_bytes(DOCUMENT.read_bytes())
    for name in SECTIONS:
        write_section(copy, name, f"new {name}")
    assert all(f"\n\nnew {name}\n\n" in copy.read_text(encoding="utf-8") for name in SECTIONS)


def test_words_choose_rows_and_only_whole_sections_are_written(monkeypatch, tmp_path, capsys):
    import benchmarks.__main__ as program
    from benchmarks.timing import Row

    section = type(sys)("benchmarks.core")
    section.PACKAGES = ("pytest",)
    section.rows = lambda: [
        Row(what=what, ours=lambda: 5, peers={"peer": lambda: 10}, measure="bytes")
        for what in ("size of apples", "size of pears")
    ]
    monkeypatch.setitem(sys.modules, "benchmarks.core", section)
    page = tmp_path / "page.md"
    page.write_text("<!-- begin core -->\n<!-- end core -->", encoding="utf-8")
    monkeypatch.setattr(program, "DOCUMENT", page)

    program.main(["core", "pears"])
    shown = capsys.readouterr().out
    assert "pears" in shown
    assert "apples" not in shown
    assert "size" not in page.read_text(encoding="utf-8")

    program.main(["core"])
    assert "apples" in capsys.readouterr().out
    assert "| size of pears | 5 B | 1/2 |" in page.read_text(encoding="utf-8")
