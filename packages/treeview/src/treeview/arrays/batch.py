"""All arrays of a display at once.

Each adapter is asked once for statistics and once for values, so that an accelerator gets all its
work before anybody waits for it. What goes wrong with one array stays with it: a batch that fails
is repeated array by array.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from treeview._document import Branch, Foreign, Node, Picture, Text, text
from treeview._guard import STOP, describe_error
from treeview._names import type_name
from treeview._options import Options
from treeview.arrays.autovisualizer import ArrayAutovisualizer
from treeview.arrays.delegate import by_adapter
from treeview.arrays.drawing import draw_picture
from treeview.arrays.expressions import most_values
from treeview.arrays.protocol import ArrayAdapter, ArrayInfo, Statistics, Window
from treeview.arrays.statistics import NumpyArray, array_statistics
from treeview.arrays.style import PictureStyle
from treeview.arrays.summary import shows_values, summary_text
from treeview.arrays.tokens import has_tokens, token_lines

_BATCH_BYTES = 1 << 28  # between batches of this size the clock is read
_BYTES_PER_SECOND = 1e9  # a careful guess of how fast statistics are made

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
    """One array on its way to a node; `failure` and `skipped` say why its values are missing."""

    request: ArrayRequest
    options: Options
    statistics: Statistics | None = None
    values: NumpyArray | None = None
    window: Window = field(default_factory=tuple[np.ndarray[Any, np.dtype[np.intp]], ...])
    failure: str = ""
    skipped: str = ""

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
    requests: Sequence[ArrayRequest], options: Options, *, wanted: Collection[int] | None = None
) -> list[Reading]:
    """Reads what is to be said of all arrays that a walk met.

    Args:
        requests: The arrays.
        options: `statistics` says whether values are read at all, `seconds` for how long at most.
        wanted: The positions of the arrays whose values are to be read; None for all.

    Returns:
        For each request what was read.
    """
    jobs = [Reading(request, options) for request in requests]
    if options.statistics and not options.roundtrip:
        chosen = jobs if wanted is None else [jobs[position] for position in sorted(wanted)]
        deadline = perf_counter() + options.seconds
        _fetch_values(chosen)
        _add_statistics(chosen, deadline)
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


def _fetch_values(jobs: list[Reading]) -> None:
    wanted: list[Reading] = []
    for job in jobs:
        info = job.request.info
        if not job.readable:
            continue
        if shows_values(info):
            job.window = tuple(np.arange(size) for size in info.shape)
            wanted.append(job)
        elif (style := job.request.style()) is not None:
            job.window = style.window(info.shape)
            wanted.append(job)
    values: Any
    for job, values in _ask(wanted, _fetch):
        shape = tuple(len(indices) for indices in job.window)
        if issubclass(type(values), np.ndarray) and values.shape == shape:
            job.values = values
        else:
            job.failure = f"adapter gave {_what(values)} instead of values of shape {shape}"


def _what(answer: object) -> str:
    shape = getattr(answer, "shape", None)
    return f"`{type_name(type(answer))}`" + ("" if shape is None else f" of shape {shape}")


def _fetch(adapter: ArrayAdapter, arrays: list[Any], jobs: list[Reading]) -> Sequence[Any]:
    return adapter.fetch([(array, job.window) for array, job in zip(arrays, jobs, strict=True)])


def _statistics(adapter: ArrayAdapter, arrays: list[Any], _: list[Reading]) -> Sequence[Any]:
    return adapter.statistics(arrays)


def _add_statistics(jobs: list[Reading], deadline: float) -> None:
    wanted = [job for job in jobs if job.readable and not shows_values(job.request.info)]
    # Small arrays first: if time runs out, few are left without statistics.
    wanted.sort(key=lambda job: job.request.info.bytes)
    while wanted:
        left = deadline - perf_counter()
        batch = _next_batch(wanted, left * _BYTES_PER_SECOND)
        if not batch:
            break
        del wanted[: len(batch)]
        for job, statistics in _ask(batch, _statistics):
            if statistics is None or isinstance(statistics, Statistics):
                job.statistics = statistics
            else:
                job.failure = f"adapter gave {_what(statistics)} instead of statistics"
    for job in wanted:
        job.skipped = "too large to read in time"


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


def _ask(
    jobs: list[Reading], question: Callable[[ArrayAdapter, list[Any], list[Reading]], Sequence[Any]]
) -> list[tuple[Reading, Any]]:
    """Asks every adapter about all its arrays; marks jobs whose arrays fail."""
    answers: list[tuple[Reading, Any]] = []
    sound: list[tuple[Reading, tuple[ArrayAdapter, Any]]] = []
    for job in jobs:
        pair = (job.request.adapter, job.request.array)
        if _attempt(job, partial(by_adapter, [pair])) is not None:
            sound.append((job, pair))
    for adapter, positions, arrays in by_adapter(pair for _, pair in sound):
        members = [sound[position][0] for position in positions]
        try:
            found = list(question(adapter, arrays, members))
            answers += zip(members, found, strict=True)
        except STOP:
            raise
        except BaseException:
            for job, array in zip(members, arrays, strict=True):
                answer = _attempt(job, partial(question, adapter, [array], [job]))
                if not job.failure:
                    answers.append((job, answer[0] if answer else None))
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
    children: list[Node] = []
    style = request.style()
    if style is not None and job.values is not None:
        children = [*_drawn(job.values, job, style)]
    if isinstance(request.extra, Text):
        summary = text(summary, " ", request.extra)
    elif request.extra is not None:
        children.append(request.extra)
    if not children:
        return summary
    return Branch(head=summary, values=children, folded=summary, inline=False)


def _drawn(values: NumpyArray, job: Reading, style: PictureStyle) -> Iterator[Node]:
    """The picture of an array, and the tokens it stands for."""
    try:
        yield draw_picture(values, job.request.info, job.window, style)
    except Exception as error:
        yield text((f"<no picture: {describe_error(error)}>", "error"))
    if style.token_lookup is None or not has_tokens(values):
        return
    try:
        yield from token_lines(values, style.token_lookup, job.window)
    except STOP:
        raise
    except BaseException as error:
        yield text((f"<no tokens: {describe_error(error)}>", "error"))
