"""Multilayer perceptrons over one named axis."""

import itertools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import jax

from modeldata import nn
from modeldata._struct import pytree_dataclass


@pytree_dataclass(has_implicitly_inherited_fields=True)
class MLP(nn.Sequential):
    """Affine maps with an activation function between them."""

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        feature_sizes: Sequence[int],
        *,
        activation_fn: Callable[[Any], Any] = jax.nn.relu,
        feature_axis: Hashable = "features",
        dtype: Any = "float32",
    ) -> "MLP":
        """Makes a perceptron with new parameters.

        Args:
            name: The beginning of the labels: `name` with `/Affine_0/Linear.weights` and so on.
            init_base_rng: The random key of the whole model; None for slots without values.
            feature_sizes: The size of the features of the input, of each layer within, and of the
                output.
            activation_fn: What is applied between the maps.
            feature_axis: The name of the axis of features.
            dtype: The type of the parameters.

        Raises:
            ValueError: If there are fewer than two sizes.
        """
        maps = _affine_maps(name, init_base_rng, feature_sizes, feature_axis, dtype)
        return cls(_between(maps, lambda: [nn.Elementwise(activation_fn)]))


@pytree_dataclass(has_implicitly_inherited_fields=True)
class DropoutMLP(nn.Sequential):
    """Affine maps with dropout and an activation function between them."""

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        feature_sizes: Sequence[int],
        drop_rate: float,
        *,
        activation_fn: Callable[[Any], Any] = jax.nn.relu,
        feature_axis: Hashable = "features",
        dtype: Any = "float32",
    ) -> "DropoutMLP":
        """Makes a perceptron with new parameters.

        Dropout draws from the side input `random_stream`.

        Args:
            name: The beginning of the labels.
            init_base_rng: The random key of the whole model; None for slots without values.
            feature_sizes: The size of the features of the input, of each layer within, and of the
                output.
            drop_rate: The share of features that is dropped.
            activation_fn: What is applied between the maps.
            feature_axis: The name of the axis of features.
            dtype: The type of the parameters.

        Raises:
            ValueError: If there are fewer than two sizes, or the rate is none.
        """
        maps = _affine_maps(name, init_base_rng, feature_sizes, feature_axis, dtype)

        def steps() -> list[nn.Layer]:
            return [nn.StochasticDropout(drop_rate), nn.Elementwise(activation_fn)]

        return cls(_between(maps, steps))


def _affine_maps(
    name: str, rng: jax.Array | None, sizes: Sequence[int], axis: Hashable, dtype: Any
) -> list[nn.Affine]:
    if len(sizes) < 2:
        raise ValueError(
            "Expected at least two `feature_sizes`, of the input and of the output, but got "
            f"{list(sizes)}."
        )
    return [
        nn.Affine.from_config(f"{name}/Affine_{i}", rng, {axis: before}, {axis: after}, dtype=dtype)
        for i, (before, after) in enumerate(itertools.pairwise(sizes))
    ]


def _between(maps: list[nn.Affine], steps: Callable[[], list[nn.Layer]]) -> list[nn.Layer]:
    layers: list[nn.Layer] = [maps[0]]
    for affine in maps[1:]:
        layers += [*steps(), affine]
    return layers
