"""Comparing a model with its reference, block by block."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from modeldata.models._blocks import without_stack
from modeldata.models._prompts import PADDING, read_prompt
from modeldata.models.checkpoints import import_extra, is_transformers_model
from modeldata.models.transformer import TransformerBlock, TransformerLM
from modeldata.named import NamedArray, arange, wrap

_LOGITS = "logits"


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
    tolerance: float = 1e-4,
) -> Comparison:
    """Runs two models on the same prompts, and compares what each block puts out.

    Args:
        model: The model.
        reference: A model of the transformers library, or another `TransformerLM` of as many
            blocks.
        prompts: The tokens of a text, or a list of texts. Each is run alone.
        tolerance: The greatest difference that counts as equal, as a share of the greatest value.

    Returns:
        The differences, which print as a table.

    Raises:
        TypeError: If a model or `prompts` is something else.
        ValueError: If there is no prompt, a prompt is empty or has ids outside the vocabulary, the
            models have other numbers of blocks or outputs of other shapes, or the model is no
            `Sequential` with blocks.
    """
    if not isinstance(model, TransformerLM):
        raise TypeError(
            f"Expected `model` to be a `TransformerLM`, but got a `{type(model).__name__}`."
        )
    read = read_prompt(prompts, None, vocab_size=model.metadata.vocab_size, stop_tokens=())
    places = read.tokens.shape[-1]
    rows = zip(read.tokens.reshape(-1, places), read.positions.reshape(-1, places), strict=True)
    texts = [tokens[positions != PADDING] for tokens, positions in rows]
    model = without_stack(model)
    run = _runner(reference, sum(isinstance(x, TransformerBlock) for x in _layers(model)))
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


def _runner(reference: Any, blocks: int) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    if isinstance(reference, TransformerLM):
        reference = without_stack(reference)
        found = sum(isinstance(layer, TransformerBlock) for layer in _layers(reference))
        _check_blocks(blocks, found)
        return lambda tokens: _outputs(reference, tokens)
    if not is_transformers_model(reference):
        raise TypeError(
            "Expected `reference` to be a model of the transformers library or a `TransformerLM`, "
            f"but got a `{type(reference).__name__}`."
        )
    torch: Any = import_extra("torch", "hf", "Running a model of transformers")
    lists = [m for m in reference.modules() if isinstance(m, torch.nn.ModuleList)]
    # Blocks are the outermost list of modules.
    modules = lists[0] if lists else []
    _check_blocks(blocks, len(modules))

    def run(tokens: np.ndarray) -> dict[str, np.ndarray]:
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
            with torch.no_grad():
                ids = torch.from_numpy(tokens.astype(np.int64))[None]
                logits = reference(ids.to(reference.device)).logits
        finally:
            for hook in hooks:
                hook.remove()
        return {**outputs, _LOGITS: _values(logits)}

    return run


def _check_blocks(found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(
            f"Expected a model with as many blocks as the reference, {expected}, but it has "
            f"{found}."
        )


def _values(tensor: Any) -> np.ndarray:
    """The values of a tensor of PyTorch that has one row."""
    return tensor.detach().float().cpu().numpy()[0]
