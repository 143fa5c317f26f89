"""One row for each part of a model: where its weight and its bias are stored."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from modeldata.models.checkpoints import Place, Portion, WeightRule

Group = str | tuple[str | Portion, ...]

# A label: the block, the part, what of it, and which kind of parameter.
_LABEL = re.compile(
    r"(?P<model>[^/]+)/(block_(?P<block>\d+)/)?(?P<part>.+?)"
    r"(/(Linear|AddBias|scale|shift))?\.(?P<kind>weights|bias|embeddings)"
)
_EXPERTS = "experts"


@dataclasses.dataclass(frozen=True)
class Row:
    """Where the weight of a part is stored, and its bias if it has one.

    The groups say which named axes an axis of the stored tensor holds, outermost first: words in a
    string, or a tuple of words and portions. `query` and `key` are the head axes of queries and of
    keys; all other words are axes.

    Attributes:
        name: The name of the tensor without its ending. `{block}` is the number of the block,
            `{experts}` that of an expert.
        axes: The groups of the weight.
        gguf: The name of the tensor in GGUF files, if there are any; or a row, where more than the
            name differs there.
        bias_axes: The groups of the bias; left out, the first of the weight.
        endings: The endings of the names of the weight and of the bias.
        shift: What is added to values that Hugging Face stores.
        is_paired_in_gguf: Whether the two halves of the axis `projection` take turns in GGUF files.
        others: Other places of Hugging Face, which are read but not written.
    """

    name: str
    axes: tuple[Group, ...]
    gguf: "str | Row | None" = None
    bias_axes: tuple[Group, ...] | None = None
    endings: tuple[str, str] = (".weight", ".bias")
    shift: float = 0.0
    is_paired_in_gguf: bool = False
    others: "tuple[Row, ...]" = ()


def weight_rules(
    labels: Iterable[str], rows: Mapping[str, Row], config: Any, removed_prefix: str = ""
) -> list[WeightRule]:
    """Returns where the parameters of a model are stored.

    Args:
        labels: The labels of its parameters.
        rows: Where its parts are stored.
        config: The settings of the model, for the sizes of axes.
        removed_prefix: A beginning that names of Hugging Face have in the rows, and not here.

    Raises:
        ValueError: If a part has no row, or a row has an axis that models do not have.
    """
    sizes = _sizes(config)
    return [_rule(label, rows, sizes, removed_prefix) for label in labels]


def _rule(
    label: str, rows: Mapping[str, Row], sizes: Mapping[str, Mapping[str, int]], prefix: str
) -> WeightRule:
    match = _LABEL.fullmatch(label)
    assert match, f"no label of a model: {label}"
    if match["part"] not in rows:
        raise ValueError(
            f"Expected a row for the part `{match['part']}`, which the parameter `{label}` belongs "
            f"to, but the table has only {', '.join(f'`{part}`' for part in rows)}. Add the row."
        )
    row, block = rows[match["part"]], match["block"] or ""
    is_bias = match["kind"] == "bias"
    places = [_place(each, block, sizes, prefix, is_bias=is_bias) for each in (row, *row.others)]
    if row.gguf is not None:
        own = row.gguf
        if isinstance(own, str):
            own = dataclasses.replace(row, name=own, shift=0.0)
        place = _place(own, block, sizes, "", is_bias=is_bias)
        paired = "projection" if row.is_paired_in_gguf else None
        places.append(dataclasses.replace(place, naming="gguf", paired=paired))
    return WeightRule(label, tuple(places))


def _place(
    row: Row, block: str, sizes: Mapping[str, Mapping[str, int]], prefix: str, *, is_bias: bool
) -> Place:
    groups = row.axes[:1] if row.bias_axes is None else row.bias_axes
    return Place(
        naming="huggingface",
        name=f"{row.name}{row.endings[is_bias]}".replace("{block}", block).removeprefix(prefix),
        axes=tuple(_parts(group, sizes) for group in (groups if is_bias else row.axes)),
        shift=row.shift,
        apart=(_EXPERTS, sizes[_EXPERTS][_EXPERTS]) if "{experts}" in row.name else None,
    )


def _parts(group: Group, sizes: Mapping[str, Mapping[str, int]]) -> tuple[Portion, ...]:
    words = group.split() if isinstance(group, str) else group
    unknown = [word for word in words if isinstance(word, str) and word not in sizes]
    if unknown:
        raise ValueError(
            f"Expected each axis of a row to be one that this model has, but got `{unknown[0]}`. "
            f"Use {', '.join(f'`{name}`' for name in sizes)}, or a `Portion`."
        )
    return tuple(word if isinstance(word, Portion) else Portion(sizes[word]) for word in words)


def _sizes(config: Any) -> dict[str, dict[str, int]]:
    single = {
        "vocabulary": config.vocab_size,
        "embedding": config.embedding_dim,
        "embedding_out": config.embedding_dim,
        "projection": config.projection_dim,
        "neurons": config.mlp_hidden_dim,
        _EXPERTS: getattr(config, "num_experts", None),
        "positions": getattr(config, "num_positions", None),
        "token_types": getattr(config, "num_token_types", None),
    }
    return {
        "query": {**config.common_head_axes, **config.query_only_head_axes},
        "key": dict(config.common_head_axes),
        **{name: {name: size} for name, size in single.items() if size},
    }
