"""Streams of random keys."""

from collections.abc import Hashable
from typing import Any

import jax

from modeldata._struct import Struct, pytree_dataclass
from modeldata.variables import StateVariable


@pytree_dataclass
class RandomStream(Struct):
    """A source of random keys that a model can draw from while it runs.

    The stream counts how many keys it has given in a state variable, so it works inside
    `variable_jit` and the other transforms that thread variables. Layers take one as the side
    input `random_stream`. The same base key gives the same keys in the same order; streams with
    different base keys are independent of each other.

    Attributes:
        base_key: The JAX random key that all keys are derived from.
        offset: How many keys were taken; a `StateVariable` of a scalar integer.
    """

    base_key: Any
    offset: Any

    @classmethod
    def from_base_key(
        cls, base_key: jax.Array, offset_label: Hashable | None = None
    ) -> "RandomStream":
        """Returns a new stream.

        Args:
            base_key: A JAX random key.
            offset_label: The label of the variable that counts; a new one if not given.
        """
        return cls(base_key=base_key, offset=StateVariable(0, label=offset_label))

    def split(self, count: int) -> "RandomStream":
        """Returns a stream of its own for each copy of a function that `variable_vmap` maps.

        Pass it as a mapped argument: each copy draws from a base key of its own, and all copies
        share one count.

        Args:
            count: The number of copies.
        """
        return self.from_base_key(jax.random.split(self.next_key(), count))

    def next_key(self) -> jax.Array:
        """Returns the next key: the base key with the offset folded in. The offset grows by one."""
        key = jax.random.fold_in(self.base_key, self.offset.value)
        self.offset.value = self.offset.value + 1
        return key
