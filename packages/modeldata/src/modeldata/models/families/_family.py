"""The list of model families."""

import dataclasses
from collections.abc import Callable

from jax.typing import DTypeLike

from modeldata.models.checkpoints import Checkpoint, LoadError, WeightRule
from modeldata.models.families import _gemma3
from modeldata.models.transformer import LlamalikeTransformerConfig


@dataclasses.dataclass(frozen=True)
class Family:
    """One family of models.

    Attributes:
        architectures: What checkpoints call it.
        read_config: Reads the settings of a checkpoint, for parameters of some type.
        weight_rules: Lists where the parameters are stored, from the settings.
    """

    architectures: tuple[str, ...]
    read_config: Callable[[Checkpoint, DTypeLike], LlamalikeTransformerConfig]
    weight_rules: Callable[[LlamalikeTransformerConfig], list[WeightRule]]


FAMILIES = (
    Family(
        architectures=("gemma3", "gemma3_text"),
        read_config=_gemma3.config_from_checkpoint,
        weight_rules=_gemma3.weight_rules,
    ),
)


def find_family(checkpoint: Checkpoint) -> Family:
    """Returns the family that a checkpoint belongs to.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If the family is not supported.
    """
    for family in FAMILIES:
        if checkpoint.architecture in family.architectures:
            return family
    known = ", ".join(repr(name) for family in FAMILIES for name in family.architectures)
    raise LoadError(
        f"Expected a model of a supported architecture ({known}), but {checkpoint.source} has "
        f"{checkpoint.architecture!r}. Convert the weights to a supported one, or build the model "
        "from layers."
    )
