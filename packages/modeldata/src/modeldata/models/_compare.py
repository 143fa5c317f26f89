"""Comparing a model with its reference, block by block."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from modeldata.models._blocks import without_stack
from modeldata.models._prompts import PADDING, read_prompt
from modeldata.models.checkpoints import import_extra, is_transformers_model
from modeldata.models.transformer import TransformerBlock, TransformerLM
from modeldata.named import NamedArray, arange, wrap

_LOGITS = "logits"
# What rounding alone may make of it, as a share of the greatest value.
_TOLERANCE, _TOLERANCE_OF_16_BITS = 1e-4, 5e-2


@dataclasses.dataclass(frozen=True)
class ComparedPart:
    """How much the output of a part differs.

    Attributes:
        name: `embedding`, what goes into the first block; `block 0` and so on; or `logits`.
        difference: The greatest difference over all prompts, divided by the greatest absolute value
            of the reference. NaN if there is a NaN.
    """

    name: str
    difference: float


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes:
        parts: The parts, in the order in which they run.
        tolerance: The greatest difference that counts as equal.
    """

    parts: tuple[ComparedPart, ...]
    tolerance: float

    @property
    def first_difference(self) -> ComparedPart | None:
        """The first part whose output differs by more than the tolerance, if any does."""
        return next((p for p in self.parts if not p.difference <= self.tolerance), None)

    @property
    def is_equal(self) -> bool:
        """Whether no part differs by more than the tolerance."""
        return self.first_difference is None

    @property
    def text(self) -> str:
        """A table of all parts."""
        first = self.first_difference
        said = "all parts are equal" if first is None else f"`{first.name}` differs first"
        width = max(len(part.name) for part in self.parts)
        lines = [f"With a tolerance of {self.tolerance:.0e}, {said}."]
        lines.append(f"{'output of':<{width}}  greatest difference")
        for part in self.parts:
            mark = "  <-" if part is first else ""
            lines.append(f"{part.name:<{width}}  {part.difference:.1e}{mark}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text


def compare(
    model: TransformerLM,
    reference: Any,
    prompts: Sequence[int] | Sequence[Sequence[int]],
    *,
    tolerance: float | None = None,
) -> Comparison:
    """Runs two models on the same prompts, and compares what each block puts out.

    A reference of PyTorch is run without dropout, and in float32 if its parameters are.

    Args:
        model: The model.
        reference: A model of the transformers library, or another `TransformerLM` of as many
            blocks.
        prompts: The tokens of a text, or a list of texts. Each is run alone.
        tolerance: The greatest difference that counts as equal, as a share of the greatest value;
            left out, 1e-4, or 5e-2 if `model` computes in 16 bits.

    Returns:
        The differences, which print as a table.

    Raises:
        TypeError: If a model or `prompts` is something else, or the reference makes no logits.
        ValueError: If there is no prompt, a prompt is empty or has ids outside the vocabulary,
            `tolerance` is no number of at least 0, the models have other vocabularies, numbers of
            blocks or outputs of other shapes, or the model is no `Sequential` with blocks.
    """
    if not isinstance(model, TransformerLM):
        raise TypeError(
            f"Expected `model` to be a `TransformerLM`, but got a `{type(model).__name__}`. A "
            "model of transformers is the second argument, the reference."
        )
    if tolerance is None:
        is_exact = jnp.finfo(model.metadata.activation_dtype).bits >= 32
        tolerance = _TOLERANCE if is_exact else _TOLERANCE_OF_16_BITS
    if not isinstance(tolerance, int | float) or not tolerance >= 0:
        raise ValueError(
            f"Expected `tolerance` to be a number of at least 0, but got {tolerance!r}. Leave it "
            "out for what rounding explains."
        )
    read = read_prompt(prompts, None, vocab_size=model.metadata.vocab_size, stop_tokens=())
    places = read.tokens.shape[-1]
    rows = zip(read.tokens.reshape(-1, places), read.positions.reshape(-1, places), strict=True)
    texts = [tokens[positions != PADDING] for tokens, positions in rows]
    model = without_stack(model)
    blocks = sum(isinstance(x, TransformerBlock) for x in _layers(model))
    run = _runner(reference, blocks, model.metadata.vocab_size)
    differences: dict[str, list[float]] = {}
    for tokens in texts:
        ours, theirs = _outputs(model, tokens), run(tokens)
        for name, values in theirs.items():
            differences.setdefault(name, []).append(_difference(name, ours[name], values))
    parts = [ComparedPart(name, float(np.max(found))) for name, found in differences.items()]
    return Comparison(tuple(parts), tolerance)


def _difference(name: str, found: np.ndarray, expected: np.ndarray) -> float:
    if found.shape != expected.shape:
        raise ValueError(
            f"Expected outputs of the shape {expected.shape} that the reference makes in `{name}`, "
            f"but the model makes {found.shape}. Are they models of the same sizes?"
        )
    scale = np.abs(expected).max() or 1.0
    return float(np.abs(found - expected).max() / scale)


def _layers(model: TransformerLM) -> list[Any]:
    layers = getattr(model.body, "sublayers", None)
    if not isinstance(layers, list) or not any(isinstance(x, TransformerBlock) for x in layers):
        raise ValueError(
            "Expected a model whose `body` is a `Sequential` with a `TransformerBlock` for each "
            f"block, but got a `{type(model.body).__name__}` without."
        )
    return layers


def _outputs(model: TransformerLM, tokens: np.ndarray) -> dict[str, np.ndarray]:
    """Runs our model layer by layer; returns what comes in, and what blocks put out."""
    outputs: dict[str, np.ndarray] = {}
    value = wrap(jnp.asarray(tokens), "seq")
    positions = arange("seq", len(tokens))
    blocks = 0
    for layer in _layers(model):
        is_block = isinstance(layer, TransformerBlock)
        if is_block and not blocks:
            outputs["embedding"] = _plain(value)
        value = layer(value, token_positions=positions)
        if is_block:
            outputs[f"block {blocks}"] = _plain(value)
            blocks += 1
    outputs[_LOGITS] = _plain(value)
    return outputs


def _plain(value: NamedArray) -> np.ndarray:
    last = [name for name in value.named_shape if name != "seq"]
    return np.asarray(value.astype(jnp.float32).unwrap("seq", *last))


def _runner(
    reference: Any, blocks: int, vocab_size: int
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    if isinstance(reference, TransformerLM):
        reference = without_stack(reference)
        found = sum(isinstance(layer, TransformerBlock) for layer in _layers(reference))
        _check_sizes(blocks, found, vocab_size, reference.metadata.vocab_size)
        return lambda tokens: _outputs(reference, tokens)
    if not is_transformers_model(reference):
        raise TypeError(
            "Expected `reference` to be a model of the transformers library or a `TransformerLM`, "
            f"but got a `{type(reference).__name__}`. Load the reference first."
        )
    torch: Any = import_extra("torch", "hf", "Running a model of transformers")
    lists = [m for m in reference.modules() if isinstance(m, torch.nn.ModuleList)]
    # Blocks are the outermost list of modules.
    modules = lists[0] if lists else []
    settings = reference.config.to_dict()
    _check_sizes(blocks, len(modules), vocab_size, settings.get("vocab_size"))

    def run(tokens: np.ndarray) -> dict[str, np.ndarray]:
        ids = torch.from_numpy(tokens.astype(np.int64))[None].to(reference.device)
        with torch.no_grad(), _without_dropout(reference), _kept_outputs(modules) as outputs:
            logits = getattr(reference(ids), "logits", None)
        if logits is None:
            raise TypeError(
                "Expected `reference` to be a model that makes logits, but a "
                f"`{type(reference).__name__}` makes none. Load it with "
                "`transformers.AutoModelForCausalLM`."
            )
        return {**outputs, _LOGITS: _values(logits)}

    return run


@contextlib.contextmanager
def _without_dropout(reference: Any) -> Iterator[None]:
    """Sets all modules to inference, and later those back that were training."""
    training = [module for module in reference.modules() if module.training]
    reference.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextlib.contextmanager
def _kept_outputs(modules: Any) -> Iterator[dict[str, np.ndarray]]:
    """Gives what comes into the first block, and what blocks put out, once they have run."""
    outputs: dict[str, np.ndarray] = {}

    def keep_input(_: Any, args: Any, kwargs: Any) -> None:
        outputs["embedding"] = _values(args[0] if args else kwargs["hidden_states"])

    def keep_output(name: str) -> Callable[..., None]:
        def keep(_: Any, __: Any, output: Any) -> None:
            outputs[name] = _values(output[0] if isinstance(output, tuple) else output)

        return keep

    hooks = [modules[0].register_forward_pre_hook(keep_input, with_kwargs=True)]
    for index, module in enumerate(modules):
        hooks.append(module.register_forward_hook(keep_output(f"block {index}")))
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


def _check_sizes(found: int, expected: int, vocab_size: int, expected_size: int | None) -> None:
    if found != expected:
        raise ValueError(
            f"Expected a model with as many blocks as the reference, {expected}, but it has "
            f"{found}. Compare models of the same sizes."
        )
    if expected_size not in (None, vocab_size):
        raise ValueError(
            f"Expected a model with the vocabulary of the reference, {expected_size} tokens, but "
            f"it has {vocab_size}. Compare models of the same sizes."
        )


def _values(tensor: Any) -> np.ndarray:
    """The values of a tensor of PyTorch that has one row."""
    return tensor.detach().float().cpu().numpy()[0]
