"""All arrays of a display at once."""

from dataclasses import dataclass

import numpy as np
import pytest
from treeview._document import Branch, Picture, Text
from treeview._options import Options
from treeview._registry import default_registry
from treeview.adapters.numpy import NumpyAdapter
from treeview.arrays.batch import ArrayRequest, finish_arrays
from treeview.arrays.delegate import delegating_adapter
from treeview.arrays.protocol import ArrayInfo, Axis, positional_axes

default_registry.load_plugins()


class Recorder(NumpyAdapter):
    """Remembers what it was asked."""

    def __init__(self):
        self.calls = []

    def statistics(self, arrays):
        self.calls.append(("statistics", len(arrays)))
        return super().statistics(arrays)

    def fetch(self, requests):
        self.calls.append(("fetch", len(requests)))
        return super().fetch(requests)


def request(array, adapter, **changes):
    return ArrayRequest(array, adapter, adapter.describe(array), **changes)


def plain(nodes):
    return [node.plain if isinstance(node, Text) else node.head.plain for node in nodes]


def test_each_adapter_is_asked_once_and_answers_stay_in_order():
    adapter = Recorder()
    arrays = [np.arange(20), np.array([1, 2]), np.zeros((3, 3)), np.array(7)]
    nodes = finish_arrays([request(array, adapter) for array in arrays], Options())
    assert plain(nodes) == [
        "np.ndarray int64[20] ≈9.5 ±5.8 [0, 19] zero:1",
        "np.ndarray int64[2] [1, 2]",
        "np.ndarray float64[3, 3] all 0",
        "np.ndarray int64[] 7",
    ]
    assert sorted(adapter.calls) == [("fetch", 2), ("statistics", 2)]


class Reader(Recorder):
    """Reads statistics and values together."""

    def read(self, requests):
        self.calls.append([(window is not None, counted) for _, window, counted in requests])
        return [
            (
                NumpyAdapter().statistics([array])[0] if counted else None,
                None if window is None else NumpyAdapter().fetch([(array, window)])[0],
            )
            for array, window, counted in requests
        ]


def test_an_adapter_that_reads_both_at_once_is_asked_for_nothing_else():
    adapter = Reader()
    requests = [
        request(np.arange(20), adapter),
        request(np.array([1, 2]), adapter),
        request(np.eye(3), adapter, picture=True),
    ]
    nodes = finish_arrays(requests, Options())
    assert plain(nodes) == [
        "np.ndarray int64[20] ≈9.5 ±5.8 [0, 19] zero:1",
        "np.ndarray int64[2] [1, 2]",
        "np.ndarray float64[3, 3] ≈0.33 ±0.47 [0, 1] zero:6",
    ]
    # Small arrays first.
    assert adapter.calls == [[(True, False), (True, True), (False, True)]]


def test_pictures_and_values_do_not_wait_for_the_time_that_statistics_have():
    (node,) = finish_arrays(
        [request(np.ones((30, 30)), NumpyAdapter(), picture=True)], Options(seconds=0)
    )
    assert isinstance(node, Branch)
    assert node.head.plain == "np.ndarray float64[30, 30] <too large to read in time>"
    (picture,) = node.values
    assert isinstance(picture, Picture)
    assert picture.pixels.shape == (30, 30, 4)


def test_nothing_is_read_without_statistics():
    adapter = Recorder()
    nodes = finish_arrays(
        [request(np.zeros((3, 3)), adapter, picture=True)], Options(statistics=False)
    )
    assert plain(nodes) == ["np.ndarray float64[3, 3]"]
    assert adapter.calls == []


def test_pictures_stand_below_their_summary():
    (node,) = finish_arrays([request(np.eye(3), NumpyAdapter(), picture=True)], Options())
    assert isinstance(node, Branch)
    assert (
        node.head.plain == node.folded.plain == "np.ndarray float64[3, 3] ≈0.33 ±0.47 [0, 1] zero:6"
    )
    (picture,) = node.values
    assert isinstance(picture, Picture)
    assert picture.pixels.shape == (3, 3, 4)


@pytest.mark.parametrize(
    "array", [np.array(["a", "b"]), np.array(3.0), np.zeros(0), np.array([None])]
)
def test_what_has_no_picture_keeps_its_summary(array):
    (node,) = finish_arrays([request(array, NumpyAdapter(), picture=True)], Options())
    assert isinstance(node, Text)
    assert "picture" not in node.plain


class Broken(NumpyAdapter):
    """Fails on arrays that hold 666."""

    def statistics(self, arrays):
        if any((array == 666).any() for array in arrays):
            raise RuntimeError("gone\nmeanwhile")
        return super().statistics(arrays)


def test_damage_stays_with_its_array():
    arrays = [np.arange(20), np.full(20, 666), np.zeros(20)]
    nodes = finish_arrays([request(array, Broken()) for array in arrays], Options())
    shared = Broken()
    again = finish_arrays([request(array, shared) for array in arrays], Options())
    assert plain(nodes) == plain(again)
    assert plain(nodes) == [
        "np.ndarray int64[20] ≈9.5 ±5.8 [0, 19] zero:1",
        "np.ndarray int64[20] <RuntimeError: gone>",
        "np.ndarray float64[20] all 0",
    ]


def test_an_interrupt_passes():
    class Interrupted(NumpyAdapter):
        def statistics(self, arrays):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finish_arrays([request(np.arange(20), Interrupted())], Options())


def test_adapters_that_lie_are_told_so():
    class Liar(NumpyAdapter):
        def statistics(self, arrays):
            return ["nice"] * len(arrays)

        def fetch(self, requests):
            return [np.zeros(99)] * len(requests)

    nodes = finish_arrays(
        [request(np.arange(20), Liar()), request(np.arange(2), Liar())], Options()
    )
    assert plain(nodes) == [
        "np.ndarray int64[20] <adapter gave `str` instead of statistics>",
        "np.ndarray int64[2] <adapter gave `ndarray` of shape (99,) instead of values of shape (2,)>",
    ]


def test_names_that_cannot_be_written_do_damage_to_their_array_only():
    class Hostile:
        def __repr__(self):
            raise ValueError("no name")

    class Misnamed(NumpyAdapter):
        def describe(self, array):
            return ArrayInfo("X", "int64", (Axis(2, name=Hostile()),))

    nodes = finish_arrays(
        [request(np.arange(2), Misnamed()), request(np.arange(2), NumpyAdapter())], Options()
    )
    assert plain(nodes) == ["<array: ValueError: no name>", "np.ndarray int64[2] [0, 1]"]


def test_adapters_that_give_too_few_answers_are_asked_one_by_one():
    class Short(NumpyAdapter):
        def statistics(self, arrays):
            return super().statistics(arrays[:1])

    shared = Short()
    nodes = finish_arrays([request(np.full(20, k), shared) for k in (1, 2)], Options())
    assert plain(nodes) == ["np.ndarray int64[20] all 1", "np.ndarray int64[20] all 2"]


def test_what_is_too_large_for_the_time_is_left_out_and_said():
    huge = np.broadcast_to(np.float32(1), (10**6, 10**6))
    small = np.arange(20)
    nodes = finish_arrays([request(array, NumpyAdapter()) for array in (huge, small)], Options())
    assert plain(nodes) == [
        "np.ndarray float32[1000000, 1000000] <too large to read in time>",
        "np.ndarray int64[20] ≈9.5 ±5.8 [0, 19] zero:1",
    ]


@dataclass
class Wrapper:
    """Names the axes of an array."""

    data: object
    names: tuple


def named_axes(wrapper):
    sizes = np.shape(wrapper.data)
    return [Axis(size, name=name) for size, name in zip(sizes, wrapper.names)]


NAMED = delegating_adapter(lambda wrapper: wrapper.data, axes=named_axes, type_name="Named")


def test_wrappers_are_described_by_what_they_wrap():
    info = NAMED.describe(Wrapper(np.zeros((2, 3), np.float32), ("a", "b")))
    assert info == ArrayInfo("Named", "float32", (Axis(2, "a"), Axis(3, "b")), bytes=24)
    bare = delegating_adapter(lambda wrapper: wrapper.data)
    assert bare.describe(Wrapper(np.zeros(2), ())) == ArrayInfo(
        "np.ndarray", "float64", positional_axes((2,)), bytes=16
    )


def test_wrapped_and_bare_arrays_are_read_together():
    class Local(np.ndarray):
        pass

    adapter = Recorder()
    default_registry.register_array(Local, adapter)
    bare = np.arange(20).view(Local)
    requests = [
        request(bare, adapter),
        request(Wrapper(bare, ("a",)), NAMED),
        request(Wrapper(bare[:3], ("b",)), NAMED, name="Other"),
    ]
    assert plain(finish_arrays(requests, Options())) == [
        "Local int64[20] ≈9.5 ±5.8 [0, 19] zero:1",
        "Named int64[a:20] ≈9.5 ±5.8 [0, 19] zero:1",
        "Other int64[b:3] [0, 1, 2]",
    ]
    assert sorted(adapter.calls) == [("fetch", 1), ("statistics", 2)]


def test_wrappers_answer_for_themselves_too():
    wrappers = [Wrapper(np.arange(4), ("a",)), Wrapper(np.arange(2.0), ("b",))]
    assert [found.high for found in NAMED.statistics(wrappers)] == [3, 1.0]
    windows = [(wrapper, (np.array([1]),)) for wrapper in wrappers]
    assert [values.tolist() for values in NAMED.fetch(windows)] == [[1], [1.0]]


def test_wrapping_something_else_is_an_error():
    with pytest.raises(
        TypeError, match="Expected `Wrapper` to hold an array of a registered type, got `str`"
    ):
        NAMED.describe(Wrapper("no", ()))


def test_axes_that_do_not_fit_are_an_error():
    with pytest.raises(
        ValueError,
        match=r"Expected axes of `Wrapper` with the sizes \(3,\) of the wrapped array, got \(\)",
    ):
        NAMED.describe(Wrapper(np.arange(3), ()))
