"""Colours of array pictures.

The maps are computed in OKLab (Björn Ottosson, "A perceptual color space for image processing",
2020), where equal distances look about equal. Lightness rises evenly along the sequential map, so
it reads the same in print and with any colour vision; the diverging map is lightest at its middle
and equally dark at its blue and red ends.
"""

import importlib
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

Colors = np.ndarray[Any, np.dtype[np.uint8]]
"""Red, green, blue and alpha, `uint8[..., 4]`."""

NAN = (20, 20, 20)
NAN_MARK = (255, 64, 255)
POSITIVE_INFINITY = (255, 255, 255)
NEGATIVE_INFINITY = (60, 0, 90)
INFINITY_MARK = (255, 120, 0)
MASKED = (150, 150, 150)
MASKED_MARK = (205, 205, 205)

# Lightness, chroma and hue in degrees at even steps along each map.
_SEQUENTIAL = [
    (0.24, 0.11, 300.0),
    (0.38, 0.12, 280.0),
    (0.51, 0.11, 240.0),
    (0.64, 0.11, 185.0),
    (0.78, 0.16, 145.0),
    (0.92, 0.18, 108.0),
]
_NEGATIVE = [(0.30, 0.13, 265.0), (0.46, 0.16, 258.0), (0.68, 0.11, 245.0), (0.86, 0.05, 238.0)]
_POSITIVE = [(0.86, 0.05, 45.0), (0.68, 0.13, 35.0), (0.46, 0.17, 25.0), (0.30, 0.11, 20.0)]
_NEUTRAL = [(0.97, 0.0, 0.0)]

_TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def oklch_colors(points: Sequence[tuple[float, float, float]], count: int) -> Colors:
    """`count` opaque colours on the straight lines between points in OKLab.

    Args:
        points: Lightness (0 to 1), chroma (0 to about 0.3) and hue (degrees), evenly spaced.
        count: How many colours.

    Returns:
        `uint8[count, 4]`.
    """
    lightness, chroma, hue = np.array(points).T
    angle = np.deg2rad(hue)
    corners = np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)])
    places = np.linspace(0, len(points) - 1, count)
    lab: np.ndarray[Any, np.dtype[np.float64]] = np.stack(
        [np.interp(places, np.arange(len(points)), corner) for corner in corners]  # pyright: ignore[reportUnknownArgumentType] - rows of an array
    )
    linear = np.clip(_TO_LINEAR @ (_TO_CONES @ lab) ** 3, 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return opaque(np.rint(255 * curved.T))


@cache
def sequential_map() -> Colors:
    """256 colours from dark violet to light yellow."""
    return oklch_colors(_SEQUENTIAL, 256)


@cache
def diverging_map() -> Colors:
    """257 colours from blue (negative) over near white (zero) to red (positive)."""
    return oklch_colors([*_NEGATIVE, *_NEUTRAL, *_POSITIVE], 257)


@cache
def digit_colors() -> Colors:
    """A colour for each decimal digit; zero is a light grey."""
    hues = [0.0, 255.0, 45.0, 145.0, 325.0, 95.0, 200.0, 20.0, 290.0, 125.0]
    points = [(0.66 if k % 2 else 0.74, 0.14, hue) for k, hue in enumerate(hues)]
    colors = np.concatenate([oklch_colors([point], 1) for point in points])
    colors[0, :3] = 238
    return colors


def opaque(rgb: Any) -> Colors:
    """Colours with full alpha from red, green and blue between 0 and 255."""
    rgb = np.asarray(rgb)
    result = np.full((*rgb.shape[:-1], 4), 255, np.uint8)
    result[..., :3] = rgb
    return result


def css_colors(colors: Colors, count: int = 17) -> tuple[str, ...]:
    """Evenly spaced colours of a map as CSS, both ends included."""
    return _css_colors(colors.tobytes(), min(count, len(colors)))


@lru_cache(maxsize=32)
def _css_colors(data: bytes, count: int) -> tuple[str, ...]:
    colors = np.frombuffer(data, np.uint8).reshape(-1, 4)
    chosen = colors[np.rint(np.linspace(0, len(colors) - 1, count)).astype(int)]
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b, _ in chosen.tolist())


@cache
def own_map(*, centred: bool, steps: int | None = None) -> Colors:
    """The diverging or the sequential map.

    Args:
        centred: Whether zero is in the middle.
        steps: How many of its colours to use, evenly spaced, both ends included; None for all.
    """
    table = diverging_map() if centred else sequential_map()
    if steps is None or steps >= len(table):
        return table
    return table[np.rint(np.linspace(0, len(table) - 1, steps)).astype(np.intp)]


def css_steps(colors: Colors) -> tuple[str, ...]:
    """Each colour several times, so that a gradient through them shows steps."""
    return tuple(color for color in css_colors(colors, len(colors)) for _ in range(4))


def parse_colormap(colormap: Any) -> Colors:
    """A map given by the user as opaque colours.

    Args:
        colormap: Colours as `#rrggbb` or `#rgb`, as triples of integers from 0 to 255, or as
            triples of floats from 0 to 1; or a map of Matplotlib, itself or by its name.

    Returns:
        `uint8[count, 4]`.

    Raises:
        ValueError: It is none of these, or Matplotlib is not installed or has no such map.
    """
    if isinstance(colormap, str):
        colormap = _matplotlib_map(colormap)
    if hasattr(colormap, "N") and callable(colormap):
        colormap = _sampled(colormap)
    try:
        entries = [_parse_color(color) for color in colormap]
    except (TypeError, ValueError):
        entries = []
    if not entries:
        raise ValueError(
            "Expected `colormap` to be a sequence of colours (`'#rrggbb'`, three integers from 0 "
            f"to 255, or three floats from 0 to 1), or a map of Matplotlib, got {_short(colormap)}."
        )
    return opaque(entries)


def _sampled(colormap: Any) -> Any:
    """The colours of a map of Matplotlib: all it has, or 256 of them."""
    count = int(colormap.N)
    places = np.arange(count) if count <= 256 else np.arange(256) * (count - 1) // 255
    return np.asarray(colormap(places))[:, :3]


def _matplotlib_map(name: str) -> Any:
    try:
        maps: Any = importlib.import_module("matplotlib").colormaps
    except ImportError:
        raise ValueError(
            f"Expected Matplotlib to be installed for `colormap={name!r}`, found none; install "
            "`matplotlib`, or give `colormap` as a sequence of colours."
        ) from None
    if name not in maps:
        from difflib import get_close_matches  # noqa: PLC0415 - slow, and of use in errors only

        close = get_close_matches(name, list(maps), 1)
        hint = f"did you mean {close[0]!r}?" if close else "`list(matplotlib.colormaps)` has all."
        raise ValueError(
            f"Expected `colormap` to be the name of a map of Matplotlib, got {name!r}; {hint}"
        )
    return maps[name]


def _parse_color(color: Any) -> list[int]:
    if isinstance(color, str):
        if len(color) == 4:  # `#rgb`
            color = "".join(2 * digit for digit in color)[1:]
        if len(color) != 7 or color[0] != "#":
            raise ValueError(color)
        return [int(color[start : start + 2], 16) for start in (1, 3, 5)]
    parts = np.asarray(color)
    scaled = parts * 255 if parts.dtype.kind == "f" else parts
    if parts.shape != (3,) or not ((scaled >= 0) & (scaled <= 255)).all():
        raise ValueError(color)
    return np.rint(scaled).astype(int).tolist()


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
