"""Making the parameters of layers."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jax
import numpy as np

from modeldata.variables import Parameter, ParameterSlot


class ParameterLike(Protocol):
    """Anything with a `value`: a parameter, its frozen value, its slot, or a wrapper."""

    @property
    def value(self) -> Any:
        """The value, most often a `NamedArray`."""
        ...


def derive_param_key(base_rng: jax.Array, name: str) -> jax.Array:
    """Returns the random key for the parameter of a given name.

    The key depends on nothing else, so adding a layer to a model changes no other layer. It is
    `base_rng` with the first four bytes of the SHA-1 of the name (big-endian) folded in.

    Args:
        base_rng: The random key of the whole model.
        name: The name of the parameter.
    """
    digest = hashlib.sha1(name.encode("utf-8"), usedforsecurity=False).digest()
    return jax.random.fold_in(base_rng, int.from_bytes(digest[:4], "big"))


def make_parameter(
    name: str,
    init_base_rng: jax.Array | None,
    initializer: Callable[..., Any],
    *init_args: Any,
    metadata: Mapping[Any, Any] | None = None,
    **init_kwargs: Any,
) -> Parameter | ParameterSlot:
    """Makes a parameter, or only a slot for it.

    Args:
        name: The label; unique within a model. By convention a path such as `mlp/in.weights`.
        init_base_rng: The random key of the whole model; None to make a slot.
        initializer: Called with a random key, `init_args` and `init_kwargs`; returns the value.
        *init_args: Arguments for the initializer.
        metadata: Metadata of the parameter.
        **init_kwargs: Keyword arguments for the initializer.

    Returns:
        A `Parameter`, or a `ParameterSlot` if there is no random key.

    Raises:
        TypeError: If the random key is something else.
    """
    if init_base_rng is None:
        return ParameterSlot(label=name)
    if not isinstance(init_base_rng, jax.Array | np.ndarray):
        raise TypeError(
            f"Expected a random key for the parameter `{name}`, but got {init_base_rng!r}. Pass "
            "`jax.random.key(0)`, or None for a slot in its place."
        )
    value = initializer(derive_param_key(init_base_rng, name), *init_args, **init_kwargs)
    return Parameter(value=value, label=name, metadata=metadata)


def assert_no_parameter_slots(tree: Any) -> None:
    """Checks that all parameters of a model are there.

    Args:
        tree: Any pytree with layers.

    Raises:
        ValueError: If there are slots for parameters.
    """
    nodes = jax.tree_util.tree_leaves(tree, is_leaf=lambda n: isinstance(n, ParameterSlot))
    labels = [repr(node.label) for node in nodes if isinstance(node, ParameterSlot)]
    if labels:
        raise ValueError(
            f"Expected a model with all its parameters, but {len(labels)} are missing: "
            f"{', '.join(labels[:5])}{', ...' if len(labels) > 5 else ''}. Bind them with "
            "`bind_variables`, or build the model with `init_base_rng`."
        )
