"""Text whose tokens carry numbers: scores as colours, attention from one token to the others."""

import base64
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from treeview._document import printable
from treeview._figures import Figure, Shading, colored_text
from treeview._inline import text_width
from treeview._markup import ATTENTION, PICTURES, TOKENS, Markup, escape
from treeview.arrays.colors import css_colors
from treeview.arrays.given import given_number, given_numbers, short_text

_WIDTH = 80
_MOST_WEIGHTS = 2_000_000
_TOP = 3
# Marks of vocabularies for a space before a word.
_SPACED = (" ", "\u2581", "\u0120", "\n")


def token_scores(
    tokens: Sequence[str],
    scores: Any,
    *,
    vmax: float | None = None,
    vmin: float | None = None,
    colormap: Any = None,
) -> Figure:
    """Shows tokens as running text, each on a colour that stands for its score.

    As text each token stands above its score. Scores outside of the range and NaN are outlined.

    Args:
        tokens: The tokens, in reading order.
        scores: A number for each of them, in anything that `numpy.asarray` takes.
        vmax: The value of the last colour; None for the largest magnitude.
        vmin: The value of the first colour; None for `-vmax` if there are negative scores, else 0.
        colormap: Colours as `render_array` takes them. None for a map around zero if there are
            negative scores and a sequential one otherwise.

    Raises:
        TypeError: `tokens` are no strings.
        ValueError: There are not as many scores as tokens, or the range is empty.

    Example:
        >>> print(token_scores(["The", "cat", "sat"], [0.25, -0.5, 1]))
        The   cat   sat
        0.25  -0.5  1
    """
    tokens = _checked_tokens(tokens, "tokens")
    numbers = given_numbers(scores, "scores")
    if numbers.shape != (len(tokens),):
        raise ValueError(
            f"Expected a score for each of the {len(tokens)} `tokens`, got scores of shape"
            f" {numbers.shape}; pass an array with one axis."
        )
    values: list[float] = numbers.tolist()
    finite = [value for value in values if math.isfinite(value)]
    signed = min(finite, default=0.0) < 0
    largest = max(map(abs, finite), default=0.0) or 1.0
    high = largest if vmax is None else given_number(vmax, "vmax")
    usual = -high if signed else min(0.0, high)
    low = usual if vmin is None else given_number(vmin, "vmin")
    shading = Shading(low, high, colormap, diverging=vmin is None and signed)
    texts = [printable(token) for token in tokens]
    gap = _gap(tokens)
    spans = [
        shading.span(text, value) + ("\n" if token.endswith("\n") else gap)
        for text, token, value in zip(texts, tokens, values, strict=True)
    ]
    colors = ",".join(css_colors(shading.table, 17))
    legend = (
        f"<div class=le><span>{low:.3g}</span>"
        f'<span style="background:linear-gradient(90deg,{colors})"></span>'
        f"<span>{high:.3g}</span></div>"
    )
    html = f"<div class=tv-text>{''.join(spans)}</div>{legend}"
    plain = _above(texts, [f"{value:.3g}" for value in values])
    colored = gap.join(
        colored_text(text, *shading.colors(value))
        for text, value in zip(texts, values, strict=True)
    )
    return Figure(plain, Markup(html, frozenset({TOKENS, PICTURES})), colored)


def token_attention(
    tokens: Sequence[str],
    weights: Any,
    *,
    queries: Sequence[str] | None = None,
    vmax: float | None = None,
) -> Figure:
    """Shows attention over text: how much each token looks at each of the others.

    On a page, the token under the pointer or the keyboard's focus is the one that looks, and the
    others are coloured by their weights. Without scripts it is the last one. As text, each token
    names those that it looks at most.

    Args:
        tokens: The tokens that are looked at (the keys), in reading order.
        weights: Numbers that are not negative, `[query, key]` or `[head, query, key]`, in anything
            that `numpy.asarray` takes. With heads the page lets the reader choose, and begins with
            their mean.
        queries: The tokens that look, where these are others.
        vmax: The weight of the full colour; None for the largest one of the token that looks.

    Raises:
        TypeError: `tokens` or `queries` are no strings.
        ValueError: The shape is another one, a weight is negative or not finite, or there are more
            than 2,000,000 of them.

    Example:
        >>> print(token_attention(["The", "cat"], [[1, 0], [0.25, 0.75]]))
        The -> The 1
        cat -> cat 0.75, The 0.25
    """
    tokens = _checked_tokens(tokens, "tokens")
    looking = tokens if queries is None else _checked_tokens(queries, "queries")
    array = _checked_weights(weights, len(looking), len(tokens))
    vmax = None if vmax is None else given_number(vmax, "vmax")
    if vmax is not None and not 0 < vmax < math.inf:
        raise ValueError(
            f"Expected `vmax` to be positive, got {vmax!r}; leave it out for the largest weight."
        )
    heads = len(array) if len(array) > 1 else 0
    if heads:
        array = np.concatenate([array.mean(0, keepdims=True), array])
    keys, names = list(map(printable, tokens)), list(map(printable, looking))
    last: list[float] = array[0, -1].tolist() if names else [0.0] * len(keys)
    full = vmax if vmax is not None else max(last, default=0.0) or 1.0
    shown = f"{names[-1].strip()} looks at {_most(keys, last)}" if names else ""
    html = (
        f"<div class=tv-attention>{_choice_html(heads)}"
        f"{'' if queries is None else _queries_html(names, queries)}"
        f"{_keys_html(keys, tokens, last, full, is_self=queries is None)}"
        f"<div class=le><span>0</span><span class=tv-heat></span><span>{full:.3g}</span></div>"
        f"<p role=status>{escape(shown)}</p>{_weights_element(array, vmax)}</div>"
    )
    rows = zip(names, array[0], strict=True)
    plain = "\n".join(f"{name.strip()} -> {_most(keys, row)}" for name, row in rows)
    markup = Markup(html, frozenset({TOKENS, PICTURES}), scripts=frozenset({ATTENTION}))
    return Figure(plain, markup)


def _checked_tokens(tokens: Sequence[str], argument: str) -> list[str]:
    found: list[Any] = list(tokens) if np.iterable(tokens) else [None]
    for place, token in enumerate(found):
        if not isinstance(token, str):
            what = short_text(token if np.iterable(tokens) else tokens)
            raise TypeError(
                f"Expected `{argument}` to be strings, got {what} at position {place}; decode"
                " numbers and bytes first."
            )
    return found


def _checked_weights(weights: Any, queries: int, keys: int) -> Any:
    array = given = given_numbers(weights, "weights")
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or array.shape[1:] != (queries, keys) or not len(array):
        raise ValueError(
            f"Expected `weights` of shape ({queries}, {keys}) or (heads, {queries}, {keys}) for"
            f" {queries} tokens that look at {keys}, got {given.shape}; choose one layer and"
            " one example first."
        )
    if not np.all(np.isfinite(array) & (array >= 0)):
        raise ValueError(
            "Expected `weights` to be finite and not negative, got others among them; pass the"
            " weights after the softmax."
        )
    if array.size > _MOST_WEIGHTS:
        raise ValueError(
            f"Expected at most {_MOST_WEIGHTS:,} weights, for all of them go into the page, got"
            f" {array.size:,}; pass fewer heads or a part of the text."
        )
    return array


def _choice_html(heads: int) -> str:
    if not heads:
        return ""
    names = ("mean of heads", *(f"head {number}" for number in range(heads)))
    options = "".join(f"<option>{name}</option>" for name in names)
    return f"<label>Attention of <select>{options}</select></label>"


def _queries_html(names: list[str], tokens: Sequence[str]) -> str:
    last, gap = len(names) - 1, _gap(tokens)
    spans = (
        f"<span{_asking(place, last)}>{escape(name)}</span>" for place, name in enumerate(names)
    )
    return f"<div class=tv-text role=group aria-label=From>{gap.join(spans)}</div>"


def _keys_html(
    keys: list[str], tokens: Sequence[str], row: list[float], full: float, *, is_self: bool
) -> str:
    gap, parts = _gap(tokens), list[str]()
    for place, (text, token, weight) in enumerate(zip(keys, tokens, row, strict=True)):
        asks = _asking(place, len(keys) - 1) if is_self else ""
        share, title = f"--w:{min(weight / full, 1):.0%}", f"{escape(text.strip())} {weight:.3g}"
        end = "\n" if token.endswith("\n") else gap
        parts.append(
            f'<span data-k{asks} style="{share}" title="{title}">{escape(text)}</span>{end}'
        )
    name = "Tokens" if is_self else "To"
    return f"<div class=tv-text role=group aria-label={name}>{''.join(parts)}</div>"


def _weights_element(array: Any, full: float | None) -> str:
    """All weights as shares of the largest, for the script."""
    top = float(array.max(initial=0.0)) or 1.0
    shares = np.rint(array / top * 65_535).astype("<u2")
    data = {
        "rows": array.shape[1],
        "columns": array.shape[2],
        "top": top,
        "full": None if full is None else float(full),
        "values": base64.b64encode(shares.tobytes()).decode("ascii"),
    }
    return f'<script type="application/json">{json.dumps(data)}</script>'


def _asking(place: int, first: int) -> str:
    chosen = place == first
    return f" data-q role=button tabindex={0 if chosen else -1} aria-pressed={str(chosen).lower()}"


def _most(keys: list[str], row: Any) -> str:
    """The tokens with the largest weights, and these."""
    order = sorted(range(len(keys)), key=lambda place: -row[place])[:_TOP]
    return ", ".join(f"{keys[place].strip()} {row[place]:.3g}" for place in order if row[place] > 0)


def _gap(tokens: Sequence[str]) -> str:
    """What stands between tokens: nothing where they carry their spaces themselves."""
    carried = any(token.startswith(_SPACED) or token.endswith(_SPACED) for token in tokens)
    return "" if carried else " "


def _above(texts: list[str], below: list[str]) -> str:
    """Words above their numbers, in columns, as many to a line as fit."""
    lines: list[str] = []
    upper = lower = ""
    for text, number in zip(texts, below, strict=True):
        width = max(text_width(text), len(number))
        if upper and text_width(upper) + width > _WIDTH:
            lines += (upper.rstrip(), lower.rstrip(), "")
            upper = lower = ""
        upper += text + " " * (width - text_width(text) + 2)
        lower += number.ljust(width + 2)
    return "\n".join([*lines, upper.rstrip(), lower.rstrip()])
