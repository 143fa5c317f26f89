"""All arrays of a display at once.

Each adapter is asked once for statistics and values, so that an accelerator gets all its work
before anybody waits for it. What goes wrong with one array stays with it: a batch that fails is
repeated array by array.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter, sleep
from typing import Any

import numpy as np

from treeview._document import Branch, Foreign, Node, Picture, Text, text
from treeview._guard import STOP, describe_error
from treeview._names import type_name
from treeview._options import Options
from treeview.arrays.autovisualizer import ArrayAutovisualizer
from treeview.arrays.categories import are_few
from treeview.arrays.deferred import brief_description, deferred_picture
from treeview.arrays.delegate import DelegatingAdapter, by_adapter
from treeview.arrays.drawing import draw_picture, is_text
from treeview.arrays.expressions import most_values
from treeview.arrays.protocol import ArrayAdapter, ArrayInfo, Statistics, Window
from treeview.arrays.sharding import find_shards, shards_branch
from treeview.arrays.statistics import NumpyArray, array_statistics
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import shows_values, summary_text
from treeview.arrays.tokens import has_tokens, token_lines, token_names

_BATCH_BYTES = 1 << 28  # between batches of this size the clock is read
_BYTES_PER_SECOND = 1e9  # a careful guess of how fast statistics are made
_POLL = 0.01  # seconds between looks whether a device has made what it was asked for

_DEFAULT_VISUALIZER = ArrayAutovisualizer()


@dataclass(frozen=True, slots=True)
class ArrayRequest:
    """An array that the walk met and that is drawn when all of them are known.

    Attributes:
        array: The array.
        adapter: The adapter that speaks for it.
        info: What `adapter.describe` said.
        name: What to call it instead of `info.type_name`, or empty.
        picture: Whether to draw its values, or how.
        extra: What else to show of it, or what went wrong when that was asked for.
    """

    array: Any
    adapter: ArrayAdapter
    info: ArrayInfo
    name: str = ""
    picture: bool | ArrayAutovisualizer = False
    extra: Picture | Foreign | Text | None = None

    def style(self) -> PictureStyle | None:
        """How to draw it; None for not at all."""
        if isinstance(self.picture, ArrayAutovisualizer):
            return self.picture.style(self.info)
        return _DEFAULT_VISUALIZER.style(self.info) if self.picture else None


@dataclass(slots=True, eq=False)
class Reading:
    """One array on its way to a node.

    Attributes:
        request: The array, and what is to be shown of it.
        options: How.
        counted: Whether statistics are to be read.
        drawn: Whether a picture is to be shown.
        window: Which values are to be read; None for none.
        statistics: The statistics that were read.
        values: The values in the window.
        failure: What went wrong.
        skipped: Why nobody tried.
        answered: Whether the adapter has been asked.
    """

    request: ArrayRequest
    options: Options
    counted: bool = False
    drawn: bool = False
    window: Window | None = None
    statistics: Statistics | None = None
    values: NumpyArray | None = None
    failure: str = ""
    skipped: str = ""
    answered: bool = False

    @property
    def pending(self) -> bool:
        """Whether something of it is yet to be read."""
        wanted = self.counted or self.window is not None
        return wanted and not (self.answered or self.failure or self.skipped)

    @property
    def readable(self) -> bool:
        """Whether there are values to ask for."""
        return not self.request.info.problem and not self.failure

    def node(self) -> Node:
        """The summary of the array, or a branch with summary and picture."""
        return _roundtrip_text(self) if self.options.roundtrip else _safe_node(self)

    def flaws(self) -> tuple[int, int] | None:
        """How many values are not a number and how many are infinite; None if nobody looked."""
        found = self.statistics
        if found is None and self.values is not None and shows_values(self.request.info):
            found = array_statistics(self.values)
        if found is None:
            return None
        return found.nans, found.positive_infinities + found.negative_infinities


def read_arrays(
    requests: Sequence[ArrayRequest],
    options: Options,
    *,
    wanted: Collection[int] | None = None,
    pictures: bool = True,
    follow: Callable[[Sequence[Reading]], None] | None = None,
) -> list[Reading]:
    """Reads what is to be said of all arrays that a walk met.

    Args:
        requests: The arrays.
        options: `statistics` says whether values are read at all, `seconds` for how long at most.
        wanted: The positions of the arrays whose values are to be read; None for all.
        pictures: Whether an output may draw pictures; text only says where they would be.
        follow: Is given the readings when it begins, if there is anything to read, and whenever
            some of them have been read.

    Returns:
        For each request what was read.
    """
    jobs = [Reading(request, options) for request in requests]
    if options.statistics and not options.roundtrip:
        chosen = jobs if wanted is None else [jobs[position] for position in sorted(wanted)]
        for job in chosen:
            _plan(job, pictures=pictures)
        _read(chosen, perf_counter() + options.seconds, follow and partial(follow, jobs))
    return jobs


def finish_arrays(requests: Sequence[ArrayRequest], options: Options) -> list[Node]:
    """Summaries, and pictures where they are asked for, of all arrays that a walk met.

    Args:
        requests: The arrays.
        options: See `read_arrays`.

    Returns:
        For each request its summary, or a branch with summary and picture.
    """
    return [reading.node() for reading in read_arrays(requests, options)]


def _plan(job: Reading, *, pictures: bool) -> None:
    """Decides what is to be read of an array."""
    info, style = job.request.info, job.request.style()
    if not job.readable:
        return
    if shows_values(info):
        job.window = tuple(np.arange(size) for size in info.shape)
    else:
        job.counted = True
    job.drawn = style is not None
    if style is not None and job.window is None and (pictures or _says_values(info, style)):
        job.window = style.window(info.shape)


def _says_values(info: ArrayInfo, style: PictureStyle) -> bool:
    """Whether text output needs values, to tell tokens or whether there is a picture at all."""
    has_tokens = style.token_lookup is not None and info.dtype.startswith(("int", "uint", "<", ">"))
    return has_tokens or is_text(info)


def _read(jobs: list[Reading], deadline: float, follow: Callable[[], None] | None) -> None:
    waiting = [job for job in jobs if job.counted or job.window is not None]
    # Small arrays first: if time runs out, few are left without statistics.
    waiting.sort(key=lambda job: job.request.info.bytes)
    if follow is not None and waiting:
        follow()
        # Where somebody looks on, what is there already goes first.
        waiting.sort(key=lambda job: not _is_ready(job))
    while waiting:
        left = deadline - perf_counter()
        batch = _next_batch(waiting, left * _BYTES_PER_SECOND)
        if not batch:
            break
        del waiting[: len(batch)]
        if follow is not None:
            deadline += _wait_until_ready(batch)
        _read_batch(batch)
        if follow is not None and waiting:
            follow()
    for job in waiting:
        if job.counted:
            job.counted, job.skipped = False, "too large to read in time"
    late = [job for job in waiting if job.window is not None]
    if follow is not None:
        _wait_until_ready(late)
    _read_batch(late)


def _read_batch(jobs: list[Reading]) -> None:
    """Reads what is wanted of some arrays, and checks what adapters answer."""
    for job, answer in _ask(jobs):
        _take(job, *answer)
        job.answered = True


def _take(job: Reading, statistics: Any, values: Any) -> None:
    """Takes what an adapter answered, if it is what it was asked for."""
    if statistics is None or isinstance(statistics, Statistics):
        job.statistics = statistics
    else:
        job.failure = f"adapter gave {_what(statistics)} instead of statistics"
    if job.window is None:
        return
    shape = tuple(len(indices) for indices in job.window)
    if issubclass(type(values), np.ndarray) and values.shape == shape:
        job.values = values
    else:
        job.failure = f"adapter gave {_what(values)} instead of values of shape {shape}"


def _is_ready(job: Reading) -> bool:
    """Whether a device has made an array, as far as its adapter knows."""
    adapter, array = job.request.adapter, job.request.array
    try:
        while isinstance(adapter, DelegatingAdapter):
            adapter, array = adapter.inner(array)
        is_ready = getattr(adapter, "is_ready", None)
        return is_ready is None or bool(is_ready(array))
    except STOP:
        raise
    except BaseException:
        return True  # whatever is wrong with it shows when it is read


def _wait_until_ready(jobs: list[Reading]) -> float:
    """Waits here, where an interrupt is heard, and not where an adapter waits for its device.

    Returns:
        How many seconds that took, which are not spent on reading.
    """
    started = perf_counter()
    for job in jobs:
        while not _is_ready(job):
            sleep(_POLL)
    return perf_counter() - started


def _what(answer: object) -> str:
    shape = getattr(answer, "shape", None)
    return f"`{type_name(type(answer))}`" + ("" if shape is None else f" of shape {shape}")


def _look(adapter: ArrayAdapter, arrays: list[Any], jobs: list[Reading]) -> list[tuple[Any, Any]]:
    """Statistics and values of arrays, each as far as it is wanted."""
    read = getattr(adapter, "read", None)
    if read is not None:
        wanted = [(array, job.window, job.counted) for array, job in zip(arrays, jobs, strict=True)]
        return list(read(wanted))
    answers: list[list[Any]] = [[None, None] for _ in jobs]
    counted = [place for place, job in enumerate(jobs) if job.counted]
    if counted:
        found = adapter.statistics([arrays[place] for place in counted])
        for place, statistics in zip(counted, found, strict=True):
            answers[place][0] = statistics
    windows = [(place, job.window) for place, job in enumerate(jobs) if job.window is not None]
    if windows:
        fetched = adapter.fetch([(arrays[place], window) for place, window in windows])
        for (place, _), values in zip(windows, fetched, strict=True):
            answers[place][1] = values
    return [(statistics, values) for statistics, values in answers]


def _next_batch(jobs: list[Reading], limit: float) -> list[Reading]:
    """The first jobs, about `_BATCH_BYTES` together, none of them larger than the limit."""
    batch: list[Reading] = []
    total = 0
    for job in jobs:
        size = job.request.info.bytes
        if size > limit or (batch and total + size > _BATCH_BYTES):
            break
        batch.append(job)
        total += size
    return batch


def _ask(jobs: list[Reading]) -> list[tuple[Reading, tuple[Any, Any]]]:
    """Asks every adapter about all its arrays; marks jobs whose arrays fail."""
    answers: list[tuple[Reading, tuple[Any, Any]]] = []
    sound: list[tuple[Reading, tuple[ArrayAdapter, Any]]] = []
    for job in jobs:
        pair = (job.request.adapter, job.request.array)
        if _attempt(job, partial(by_adapter, [pair])) is not None:
            sound.append((job, pair))
    for adapter, positions, arrays in by_adapter(pair for _, pair in sound):
        members = [sound[position][0] for position in positions]
        try:
            answers += zip(members, _look(adapter, arrays, members), strict=True)
        except STOP:
            raise
        except BaseException:
            for job, array in zip(members, arrays, strict=True):
                answer = _attempt(job, partial(_look, adapter, [array], [job]))
                if answer:
                    answers.append((job, answer[0]))
    return answers


def _attempt(job: Reading, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except STOP:
        raise
    except BaseException as error:
        job.failure = describe_error(error)
        return None


def _roundtrip_text(job: Reading) -> Text:
    """An expression that evaluates to the array, or a summary that shows it does not."""
    request = job.request
    expression = getattr(request.adapter, "expression", None)
    source = None
    short = request.info.size <= most_values.get()
    if job.readable and short and expression is not None:
        source = _attempt(job, partial(expression, request.array))
    if isinstance(source, str):
        return text((source, "array"))
    summary = summary_text(request.info, name=request.name, failure=job.failure)
    return text(("<", "muted"), summary, (">", "muted"))


def _safe_node(job: Reading) -> Node:
    try:
        return _node(job)
    except STOP:
        raise
    except BaseException as error:  # what the adapter said of the array cannot be written
        return text((f"<array: {describe_error(error)}>", "error"))


def _node(job: Reading) -> Node:
    request = job.request
    small = shows_values(request.info)
    summary = summary_text(
        request.info,
        name=request.name,
        statistics=job.statistics,
        values=job.values if small else None,
        failure=job.failure,
        skipped=job.skipped,
    )
    children = _figures(job)
    if job.pending:
        summary = text(summary, (" …", "muted"))
    if isinstance(request.extra, Text):
        summary = text(summary, " ", request.extra)
    elif request.extra is not None:
        children.append(request.extra)
    if not children:
        return summary
    return Branch(head=summary, values=children, folded=summary, inline=False)


def _figures(job: Reading) -> list[Node]:
    """The picture of an array, the tokens it stands for, and where its parts live."""
    values, info, style = job.values, job.request.info, job.request.style()
    if not job.drawn or style is None or job.failure:
        return []
    if job.pending:
        return [text(("a picture is to come …", "muted"))]
    if (values is None and job.skipped) or (is_text(info) and not _is_worth(info, values)):
        return []
    window = style.window(info.shape) if job.window is None else job.window
    description = brief_description(info, window, style)
    names: dict[int, str] = {}
    draw = _drawing(values, info, window, style, names)
    figures: list[Node] = [deferred_picture(description, draw)]
    if style.token_lookup is not None and values is not None and has_tokens(values):
        try:
            figures += token_lines(values, style.token_lookup, window)
            names |= token_names(values, style.token_lookup)
        except STOP:
            raise
        except BaseException as error:
            figures.append(text((f"<no tokens: {describe_error(error)}>", "error")))
    shards = find_shards(job.request.adapter, job.request.array) or ()
    return [*figures, shards_branch(info, shards)] if len(shards) > 1 else figures


def _is_worth(info: ArrayInfo, values: NumpyArray | None) -> bool:
    """Whether a picture tells more of texts than a summary that may show them."""
    if values is None or values.dtype.kind not in "US" or shows_values(info):
        return False
    return are_few(values)


def _drawing(
    values: NumpyArray | None,
    info: ArrayInfo,
    window: Window,
    style: PictureStyle,
    names: dict[int, str],
) -> Callable[[], Picture]:
    """What draws a picture later, with names of its integers; it must not keep the array itself."""

    def draw() -> Picture:
        if values is None:
            raise LookupError("nothing was read, for text was all that was wanted")
        picture = draw_picture(values, info, window, style)
        grids = tuple(replace(grid, value_labels=names) for grid in picture.grids)
        return replace(picture, grids=grids) if names else picture

    return draw
