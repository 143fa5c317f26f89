"""Low-rank adapters (LoRA): fine-tuning a model by small additions to its linear maps.

Source: "LoRA: Low-Rank Adaptation of Large Language Models" (Hu et al., 2021).
"""

from collections.abc import Hashable
from typing import Any

import jax

from modeldata import nn
from modeldata._struct import pytree_dataclass
from modeldata._tree import pretty_keystr
from modeldata.named import contract
from modeldata.selectors import Selection
from modeldata.variables import Parameter, freeze_params


@pytree_dataclass(has_implicitly_inherited_fields=True)
class LowRankAdapter(nn.Sequential):
    """A linear map plus a learned one of low rank, which is a product of two small ones.

    At first the addition is zero, so the layer computes what the map alone does.
    """

    @classmethod
    def from_linear(
        cls,
        linear: nn.Linear,
        name: str,
        init_base_rng: jax.Array | None,
        rank: int,
        *,
        lowrank_axis: Hashable = "lowrank",
        alpha: float | None = None,
    ) -> "LowRankAdapter":
        """Makes an adapter for a linear map.

        Args:
            linear: The map, with weights. Parallel axes of it, as that of a `LayerStack` or of
                experts, are parallel in both factors too.
            name: The beginning of the labels, `name` with `/LoRA_A.weights` and `/LoRA_B.weights`.
            init_base_rng: The random key of the whole model; None for slots without values.
            rank: The size of the axis between the factors.
            lowrank_axis: The name of that axis.
            alpha: The addition is multiplied by `alpha / rank`; by 1 if left out.

        Raises:
            TypeError: If `linear` is something else.
            ValueError: If the rank is below 1, or the map has the axis `lowrank_axis`.
        """
        if not isinstance(linear, nn.Linear):
            raise TypeError(
                f"Expected a `Linear` to adapt, but got a `{type(linear).__name__}`. Of a group, "
                "adapt the `Linear` inside."
            )
        inner, shape = {lowrank_axis: rank}, linear.weights.value.named_shape
        if rank < 1 or lowrank_axis in shape:
            raise ValueError(
                f"Expected a `rank` of at least 1 and a `lowrank_axis` that the map does not have, "
                f"but got {rank} and {lowrank_axis!r} for {shape}."
            )
        parallel, dtype = linear.parallel_axes, linear.weights.value.dtype
        update: list[nn.Layer] = [
            nn.Linear.from_config(
                f"{name}/LoRA_A",
                init_base_rng,
                linear.input_axes,
                inner,
                parallel_axes=parallel,
                dtype=dtype,
            ),
            nn.Linear.from_config(
                f"{name}/LoRA_B",
                init_base_rng,
                inner,
                linear.output_axes,
                parallel_axes=parallel,
                initializer=nn.zero_initializer,
                dtype=dtype,
            ),
        ]
        if alpha is not None:
            update.append(nn.ConstantRescale(by=alpha / rank))
        groups = [nn.NamedGroup("Pretrained", [linear]), nn.NamedGroup("Update", update)]
        return cls([nn.BranchAndAddTogether(groups)])

    def merged(self) -> nn.Linear:
        """Returns one linear map that computes the same, with the label of the first.

        A model that is merged everywhere has its usual form, and can be saved in that of its
        checkpoint.

        Raises:
            ValueError: If the adapter was edited.
        """
        match self.sublayers:
            case [
                nn.BranchAndAddTogether(
                    branches=[
                        nn.NamedGroup(sublayers=[nn.Linear() as linear]),
                        nn.NamedGroup(sublayers=[nn.Linear() as into, nn.Linear() as out, *rest]),
                    ]
                )
            ] if all(isinstance(layer, nn.ConstantRescale) for layer in rest):
                pass
            case _:
                raise ValueError(
                    "Expected an adapter as `from_linear` makes it, but its layers are others. "
                    "Undo the edits inside before merging."
                )
        (axis,) = into.out_axis_names
        change = contract(axis, out.weights.value, into.weights.value)
        for scale in rest:
            change = scale(change)
        weights: Any = linear.weights
        old, frozen = weights.value, freeze_params(weights)
        new = frozen.replace(value=old + change.astype(old.dtype).order_like(old))
        merged = new.unfreeze_as_copy() if isinstance(weights, Parameter) else new
        return linear.replace(weights=merged)


def loraify_linears_in_selection(
    selection: Selection, rank: int, init_base_rng: jax.Array | None, *, alpha: float | None = None
) -> Any:
    """Puts an adapter in place of every `Linear` inside the selected nodes.

    To train the adapters alone, freeze the parameters of the model before:

        frozen = select(freeze_params(model)).at_instances_of(nn.Attention)
        adapted = loraify_linears_in_selection(frozen, rank=8, init_base_rng=key)

    Args:
        selection: The nodes. Everything but what is in them stays as it is.
        rank: The size of the axis between the factors of each adapter.
        init_base_rng: The random key of the whole model; None for slots without values.
        alpha: See `LowRankAdapter.from_linear`.

    Returns:
        The tree with adapters, whose labels begin with `LoRA:` and the path to the map.

    Raises:
        ValueError: If there is no `Linear`, or the rank is below 1.
    """
    linears = selection.at_instances_of(nn.Linear)
    if linears.is_empty():
        raise ValueError(
            "Expected at least one `Linear` inside of what is selected, but there is none. Select "
            "larger parts of the model."
        )
    tree = selection.deselect()

    def adapted(path: Any, linear: nn.Linear) -> LowRankAdapter:
        name = f"LoRA:{pretty_keystr(path, tree)}"
        return LowRankAdapter.from_linear(linear, name, init_base_rng, rank, alpha=alpha)

    return linears.apply(adapted, with_keypath=True)
