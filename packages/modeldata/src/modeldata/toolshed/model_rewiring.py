"""Changing what reaches which part of a model."""

from typing import Any

import jax
import jax.numpy as jnp

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.named import NamedArray, stack, unstack
from modeldata.nn import Layer
from modeldata.variables import freeze_variables


@pytree_dataclass
class KnockOutAttentionHeads(Layer):
    """Makes chosen heads attend to the first key only, which for most heads does nothing.

    Insert it after the softmax of an attention layer. A head with mask 1 is kept, one with mask 0
    puts all weight on key 0, and values between interpolate. Axes of the mask that the attention
    does not have are added: a mask with an axis of experiments runs them all at once.

    Attributes:
        head_mask: An array with the axes that count heads, and any others.
        kv_seq_axis: The axis of keys.
    """

    head_mask: NamedArray
    kv_seq_axis: str = static_field(default="kv_seq")

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the attention with some heads knocked out, in the input's dtype.

        Raises:
            ValueError: If the input does not have the axis of keys, or sizes differ.
        """
        del side_inputs
        if self.kv_seq_axis not in argument.named_shape:
            raise ValueError(
                f"`KnockOutAttentionHeads` needs attention with the axis `{self.kv_seq_axis}`, but "
                f"got {argument.named_shape}. Insert it after the softmax."
            )
        count = argument.named_shape[self.kv_seq_axis]
        first = jnp.zeros(count, argument.dtype).at[0].set(1)
        knocked_out = NamedArray(data_array=first, dims=(self.kv_seq_axis,))
        mask = self.head_mask.astype(argument.dtype)
        return argument * mask + knocked_out * (1 - mask)


@pytree_dataclass
class From(Struct):
    """Where a world takes its values from, and with which weight.

    Attributes:
        source: The name of a world.
        weight: A factor; a number, or an array whose axes the values get if they lack them.
    """

    source: str = static_field()
    weight: Any = 1.0


@pytree_dataclass
class RewireComputationPaths(Layer):
    """Mixes the values of several runs of a model that it computes side by side ("worlds").

    Insert it wherever one run shall see the activations of another, as in activation patching. The
    model's input has an axis whose indices are the worlds.

    Attributes:
        worlds_axis: The axis that counts worlds.
        world_ordering: The names of the worlds, in the order of that axis.
        taking: For each world a `From`, or a tuple of them to add; an empty tuple gives zeros.
    """

    worlds_axis: str = static_field()
    world_ordering: tuple[str, ...] = static_field()
    taking: dict[str, From | tuple[From, ...]]

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the mixed values, with the same worlds.

        Raises:
            ValueError: If `taking` does not fit `world_ordering`, or the input has another number
                of worlds.
        """
        del side_inputs
        self._check(argument)
        worlds = dict(zip(self.world_ordering, unstack(argument, self.worlds_axis), strict=True))
        zero = worlds[self.world_ordering[0]] * 0
        mixed: list[NamedArray] = []
        for world in self.world_ordering:
            sources = self.taking[world]
            total = zero
            for term in (sources,) if isinstance(sources, From) else sources:
                total = total + worlds[term.source] * term.weight
            mixed.append(total)
        return stack(mixed, self.worlds_axis).astype(argument.dtype)

    def _check(self, argument: NamedArray) -> None:
        worlds = set(self.world_ordering)
        if self.taking.keys() != worlds:
            raise ValueError(
                f"`RewireComputationPaths` needs one entry of `taking` for each of the worlds "
                f"{sorted(worlds)}, but got {sorted(self.taking)}."
            )
        terms = jax.tree_util.tree_leaves(self.taking, is_leaf=lambda x: isinstance(x, From))
        unknown = sorted({term.source for term in terms} - worlds)
        if unknown:
            raise ValueError(
                f"`RewireComputationPaths` knows the worlds {sorted(worlds)}, but takes from "
                f"{unknown}."
            )
        if argument.named_shape.get(self.worlds_axis) != len(self.world_ordering):
            raise ValueError(
                f"`RewireComputationPaths` needs the axis `{self.worlds_axis}` of size "
                f"{len(self.world_ordering)}, one for each world, but got {argument.named_shape}."
            )


@pytree_dataclass
class LinearizeAndAdjust(Layer):
    """Replaces a layer by its linear approximation around one input, evaluated at another.

    The output is `f(p) + f'(p) (e - p)`, where `f` is the layer, `p` the point to linearize around
    and `e` the point to evaluate at, both made of the input. Variables are read, not changed.

    Attributes:
        linearize_around: Makes `p` of the input; a layer, or any function with side inputs.
        evaluate_at: Makes `e` of the input.
        target: The layer `f`.
    """

    linearize_around: Any
    evaluate_at: Any
    target: Any

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the linear approximation, which has the axes of both points."""
        point = self.linearize_around(argument, **side_inputs)
        other = self.evaluate_at(argument, **side_inputs)
        point = _map_named(_broadcast, point, other)
        change = _map_named(_difference, other, point)
        target = freeze_variables(self.target)
        value, adjustment = jax.jvp(lambda x: target(x, **side_inputs), (point,), (change,))
        return _map_named(lambda v, a: v + a, value, adjustment)


def _map_named(fun: Any, *trees: Any) -> Any:
    return jax.tree_util.tree_map(fun, *trees, is_leaf=lambda x: isinstance(x, NamedArray))


def _broadcast(array: Any, other: Any) -> Any:
    if isinstance(array, NamedArray):
        return array.broadcast_like(other)
    return jnp.broadcast_to(array, jnp.broadcast_shapes(jnp.shape(array), jnp.shape(other)))


def _difference(other: Any, point: Any) -> Any:
    """Returns `other - point` with the type, and for named arrays the layout, of `point`."""
    change = (_broadcast(other, point) - point).astype(point.dtype)
    return change.order_like(point) if isinstance(change, NamedArray) else change
