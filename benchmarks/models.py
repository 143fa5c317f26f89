"""Language models: the real Gemma 3 270M beside transformers, Penzai and what the memory allows.

`limit` stands for the time that reading all weights takes at the pace at which this machine reads
the largest of them, which is what each token needs at the least. llama.cpp is not here, because it
comes only as source.
"""

import functools
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

import modeldata as md
from benchmarks import core_models
from benchmarks import language_models as contestants
from benchmarks.core import frozen_penzai, traced
from benchmarks.timing import OURS, Row
from modeldata.models import transformer

PACKAGES = ("jax", "modeldata", "transformers", "torch", "penzai")
TOKENS = 16
PATIENCE = 400.0
DTYPES = ("float32", "bfloat16")
DEPTHS = (6, 12, 24, 48)
PARAMETERS, WIDTH = 268_098_176, 640


def rows() -> list[Row]:
    """What is compared."""
    return [*start_rows(), *text_rows(), *depth_rows()]


def start_rows() -> Iterator[Row]:
    """From nothing to the first token, in processes of their own."""
    for dtype in DTYPES:
        peers = [name for name in contestants.WRITERS if name != OURS]
        for index, what in enumerate(("import, load, compile, first token", "memory at most")):

            def taken(name: str, index: int = index, dtype: str = dtype) -> float:
                return contestants.fresh_start(name, dtype)[index]

            yield Row(
                what=f"Gemma 3 270M, {dtype}: {what}",
                ours=functools.partial(taken, OURS),
                peers={name: functools.partial(taken, name) for name in peers},
                measure=("seconds", "bytes")[index],
                limit=PATIENCE,
            )


def text_rows() -> Iterator[Row]:
    """Reading a prompt, and writing token after token."""
    for dtype in DTYPES:
        writers = {name: once(make, dtype) for name, make in contestants.WRITERS.items()}
        reading = {name: functools.partial(seconds_for, each, 1) for name, each in writers.items()}
        yield Row(
            what=f"Gemma 3 270M, {dtype}: prompt of {contestants.PROMPT_LEN} tokens",
            ours=reading.pop(OURS),
            peers=reading,
            goals={"transformers": 1.3},
            measure="seconds",
            limit=PATIENCE,
        )
        writing = {
            name: functools.partial(seconds_for_each, each) for name, each in writers.items()
        }
        size = jnp.dtype(dtype).itemsize
        yield Row(
            what=f"Gemma 3 270M, {dtype}: new tokens",
            ours=writing.pop(OURS),
            peers={**writing, "limit": functools.partial(least_seconds, PARAMETERS * size)},
            goals={"limit": 1 / 0.85} if dtype == "float32" else {"transformers": 1},
            measure="pace",
            limit=PATIENCE,
            why="XLA has no product of a bfloat16 matrix with a vector for this processor; it makes"
            " the weights float32 first.",
        )


def once(make: Callable[[str, str], contestants.Write], dtype: str) -> contestants.Write:
    """A writer whose model is loaded when it is first needed."""

    @functools.cache
    def made() -> contestants.Write:
        return make(dtype, contestants.checkpoint())

    return lambda count: made()(count)  # noqa: PLW0108  # made only when it is called


def seconds_for(write: contestants.Write, count: int) -> float:
    """Seconds for a prompt and some new tokens, once all is compiled."""
    if count not in compiled.setdefault(write, set()):
        write(count)
        compiled[write].add(count)
    start = time.perf_counter()
    write(count)
    return time.perf_counter() - start


compiled: dict[contestants.Write, set[int]] = {}


def seconds_for_each(write: contestants.Write) -> float:
    """Seconds for each further token."""
    return (seconds_for(write, TOKENS + 1) - seconds_for(write, 1)) / TOKENS


@functools.cache
def reader() -> tuple[Callable[[], Any], int]:
    """A compiled product of a large matrix with a vector, and the bytes that it reads."""
    matrix = jnp.ones((contestants.VOCABULARY, WIDTH))
    vector, product = jnp.ones(WIDTH), jax.jit(jnp.matmul)
    return lambda: jax.block_until_ready(product(matrix, vector)), matrix.nbytes


def least_seconds(size: int) -> float:
    """Seconds that reading so many bytes takes, once the code for it is compiled."""
    read, bytes_read = reader()
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        read()
        best = min(best, time.perf_counter() - start)
    return best * size / bytes_read


def depth_rows() -> Iterator[Row]:
    """Tracing and compiling, which should not depend on the number of equal blocks."""
    for depth in DEPTHS:
        sizes: Any = {**core_models.SIZES, "num_decoder_blocks": depth}
        listed = transformer.build_llamalike_transformer(
            transformer.LlamalikeTransformerConfig(**sizes), jax.random.key(0)
        )
        stacked = transformer.stack_blocks(listed)
        theirs = core_models.penzai_model(num_decoder_blocks=depth)
        ours_tokens, penzai_tokens = core_models.our_tokens(), core_models.penzai_tokens()
        yield Row(
            what=f"trace and compile a LayerStack of {depth} small blocks (list: our list of them)",
            ours=compiling(md.freeze_variables(stacked), ours_tokens),
            peers={
                "list": compiling(md.freeze_variables(listed), ours_tokens),
                "penzai": compiling(frozen_penzai(theirs), penzai_tokens),
            },
            limit=PATIENCE,
        )


def compiling(model: Any, tokens: Any) -> Callable[[], object]:
    """A function that compiles a model as if for the first time."""

    def call(model: Any, tokens: Any) -> Any:
        return model(tokens)

    return lambda: traced(call, model, tokens).lower().compile()
