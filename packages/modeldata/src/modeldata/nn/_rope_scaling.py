"""Rotary embeddings for texts that are longer than those of the training.

Each scaling says how fast the pairs of features turn. Without one, pair `i` of `d` features turns
by `wavelength ** (-2 * i / d)` radians for each position. All is computed in float32, as in the
reference implementations of transformers.
"""

import abc
import dataclasses
import math
from typing import Any

import jax.numpy as jnp
import numpy as np


def plain_frequencies(size: int, wavelength: float) -> np.ndarray:
    """Returns how many radians each pair of features turns for each position.

    Args:
        size: The number of features, twice the number of pairs.
        wavelength: The base of the geometric series.
    """
    exponents = np.arange(0, size, 2, dtype=np.float32) / np.float32(size)
    return np.float32(1) / np.float32(wavelength) ** exponents


@dataclasses.dataclass(frozen=True)
class RoPEScaling(abc.ABC):
    """How the frequencies of a rotary embedding are changed."""

    @property
    def depends_on_length(self) -> bool:
        """Whether frequencies depend on the length of the text."""
        return False

    @property
    def amplitude(self) -> float:
        """What rotated features are multiplied by."""
        return 1.0

    @abc.abstractmethod
    def frequencies(self, size: int, wavelength: float, length: Any = None) -> Any:
        """Returns how many radians each pair of features turns for each position.

        Args:
            size: The number of features, twice the number of pairs.
            wavelength: The base of the geometric series.
            length: For a scaling that depends on it, the number of tokens of the text: a number, or
                an array whose last axis has size one and becomes that of the pairs.
        """


@dataclasses.dataclass(frozen=True)
class LinearScaling(RoPEScaling):
    """Divides all positions by a factor (Chen et al., 2023).

    Attributes:
        factor: The factor.
    """

    factor: float

    def frequencies(self, size: int, wavelength: float, length: Any = None) -> Any:
        """See `RoPEScaling.frequencies`."""
        del length
        return plain_frequencies(size, wavelength) / np.float32(self.factor)


@dataclasses.dataclass(frozen=True)
class Llama3Scaling(RoPEScaling):
    """Slows down the slow pairs only, as Llama 3.1 does.

    A pair that turns fewer than `low_frequency_factor` times in `original_length` positions is
    slowed down by `factor`, one that turns more than `high_frequency_factor` times stays, and
    between the two the frequency is interpolated.

    Attributes:
        factor: The factor.
        low_frequency_factor: Turns up to which a pair counts as slow.
        high_frequency_factor: Turns from which on a pair counts as fast.
        original_length: The length of the texts of the training.
    """

    factor: float
    low_frequency_factor: float
    high_frequency_factor: float
    original_length: int

    def frequencies(self, size: int, wavelength: float, length: Any = None) -> Any:
        """See `RoPEScaling.frequencies`."""
        del length
        plain = plain_frequencies(size, wavelength)
        low, high = self.low_frequency_factor, self.high_frequency_factor
        turns = self.original_length * plain / np.float32(2 * math.pi)
        share = np.clip((turns - low) / (high - low), 0, 1).astype(np.float32)
        return (1 - share) * plain / np.float32(self.factor) + share * plain


@dataclasses.dataclass(frozen=True)
class YarnScaling(RoPEScaling):
    """Slows down the slow pairs, over a ramp of pairs (YaRN, Peng et al., 2023).

    Attributes:
        factor: The factor.
        original_length: The length of the texts of the training.
        fast_rotations: Turns in `original_length` positions at which the ramp begins.
        slow_rotations: Turns at which it ends.
        attention_factor: What rotated features are multiplied by; left out,
            `0.1 * log(factor) + 1`, as the paper suggests.
        truncate: Whether the ramp begins and ends at whole pairs.
    """

    factor: float
    original_length: int
    fast_rotations: float = 32.0
    slow_rotations: float = 1.0
    attention_factor: float | None = None
    truncate: bool = True

    @property
    def amplitude(self) -> float:
        """What rotated features are multiplied by."""
        if self.attention_factor is not None:
            return self.attention_factor
        return 1.0 if self.factor <= 1 else 0.1 * math.log(self.factor) + 1

    def frequencies(self, size: int, wavelength: float, length: Any = None) -> Any:
        """See `RoPEScaling.frequencies`."""
        del length
        plain = plain_frequencies(size, wavelength)
        first = self._pair_with(self.fast_rotations, size, wavelength)
        last = self._pair_with(self.slow_rotations, size, wavelength)
        if self.truncate:
            first, last = math.floor(first), math.ceil(last)
        first, last = max(first, 0), min(last, size - 1)
        # A ramp of no width is a step.
        width = last - first or 0.001
        ramp = np.clip((np.arange(size // 2, dtype=np.float32) - first) / width, 0, 1)
        share = np.float32(1) - ramp.astype(np.float32)
        return plain / np.float32(self.factor) * (1 - share) + plain * share

    def _pair_with(self, rotations: float, size: int, wavelength: float) -> float:
        """Which pair turns a number of times, as a number between pairs."""
        ratio = self.original_length / (rotations * 2 * math.pi)
        return size * math.log(ratio) / (2 * math.log(wavelength))


@dataclasses.dataclass(frozen=True)
class DynamicScaling(RoPEScaling):
    """Makes the wavelength longer for longer texts ("dynamic NTK").

    Texts of at most `original_length` tokens are not changed. With a cache, the keys of a longer
    text keep the frequencies that they were made with, as in transformers, so results then differ
    a little from those of the whole text at once.

    Attributes:
        factor: The factor.
        original_length: The length of the texts of the training.
    """

    factor: float
    original_length: int

    @property
    def depends_on_length(self) -> bool:
        """Whether frequencies depend on the length of the text."""
        return True

    def frequencies(self, size: int, wavelength: float, length: Any = None) -> Any:
        """See `RoPEScaling.frequencies`."""
        longer = jnp.maximum(jnp.asarray(length, jnp.float32), self.original_length)
        stretch = self.factor * longer / self.original_length - (self.factor - 1)
        base = wavelength * stretch ** (size / (size - 2))
        exponents = np.arange(0, size, 2, dtype=np.float32) / np.float32(size)
        return 1 / base**exponents


@dataclasses.dataclass(frozen=True)
class LongScaling(RoPEScaling):
    """Divides each frequency by a factor of its own, one for short and one for long texts.

    Source: LongRoPE (Ding et al., 2024), as Phi 3 uses it. With a cache, the keys of a text that
    grows over `original_length` keep the frequencies that they were made with, as in transformers.

    Attributes:
        short_factors: A factor for each pair, for texts of at most `original_length` tokens.
        long_factors: A factor for each pair, for longer texts.
        original_length: The length of the texts of the training.
        attention_factor: What rotated features are multiplied by.
    """

    short_factors: tuple[float, ...]
    long_factors: tuple[float, ...]
    original_length: int
    attention_factor: float = 1.0

    @property
    def depends_on_length(self) -> bool:
        """Whether frequencies depend on the length of the text."""
        return True

    @property
    def amplitude(self) -> float:
        """What rotated features are multiplied by."""
        return self.attention_factor

    def frequencies(self, size: int, wavelength: float, length: Any = None) -> Any:
        """See `RoPEScaling.frequencies`."""
        short, long = (
            np.asarray(factors, np.float32) for factors in (self.short_factors, self.long_factors)
        )
        if len(short) != size // 2 or len(long) != size // 2:
            raise ValueError(
                f"Expected {size // 2} factors, one for each pair of {size} features, but got "
                f"{len(short)} in `short_factors` and {len(long)} in `long_factors`."
            )
        factors = jnp.where(jnp.asarray(length) > self.original_length, long, short)
        return plain_frequencies(size, wavelength) / factors
