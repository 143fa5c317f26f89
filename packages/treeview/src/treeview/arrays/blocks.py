"""Pictures in terminals: two pixels in each character, as a half block in two colours."""

from collections.abc import Sequence

import numpy as np

from treeview._document import ColorScale, printable
from treeview.arrays.colors import Colors


def block_lines(pixels: Colors, columns: int) -> list[str]:
    """Lines of half blocks with 24-bit ANSI colours.

    Args:
        pixels: `uint8[rows, columns, 4]`.
        columns: How many characters a line may have; larger pictures are averaged down.

    Returns:
        Lines that end by switching colours off. Transparent pixels show the background.
    """
    small = _shrunk(pixels, -(-pixels.shape[1] // max(columns, 1)))
    if len(small) % 2:
        small = np.concatenate([small, np.zeros_like(small[:1])])
    return [_line(*pair) for pair in zip(small[::2].tolist(), small[1::2].tolist(), strict=True)]


def _shrunk(pixels: Colors, factor: int) -> Colors:
    if factor == 1:
        return pixels
    height, width = (-(-side // factor) for side in pixels.shape[:2])
    padded = np.zeros((height * factor, width * factor, 4))
    padded[: pixels.shape[0], : pixels.shape[1]] = pixels
    padded[..., :3] *= padded[..., 3:] / 255  # what is transparent has no weight
    sums = padded.reshape(height, factor, width, factor, 4).sum(axis=(1, 3))
    weights = np.maximum(sums[..., 3:] / 255, 1e-9)
    result = np.zeros((height, width, 4), np.uint8)
    result[..., :3] = np.rint(sums[..., :3] / weights)
    result[..., 3] = np.where(weights[..., 0] * 2 >= factor * factor, 255, 0)
    return result


def _line(upper: list[list[int]], lower: list[list[int]]) -> str:
    parts: list[str] = []
    before = ""
    for top, bottom in zip(upper, lower, strict=True):
        codes, block = _codes(top, bottom)
        parts.append(block if codes == before else f"\x1b[{codes}m{block}")
        before = codes
    return "".join([*parts, "\x1b[0m"])


def _codes(top: list[int], bottom: list[int]) -> tuple[str, str]:
    """What to set before a character, and the character."""
    if not top[3] and not bottom[3]:
        return "0", " "
    if not bottom[3]:
        return f"0;38;2;{top[0]};{top[1]};{top[2]}", "▀"
    if not top[3]:
        return f"0;38;2;{bottom[0]};{bottom[1]};{bottom[2]}", "▄"
    upper, lower = (";".join(map(str, color[:3])) for color in (top, bottom))
    return f"38;2;{upper};48;2;{lower}", "▀"


def legend_lines(legends: Sequence[ColorScale]) -> list[str]:
    """What legends say in words: notes, categories, and ranges where there are several."""
    lines: list[str] = []
    for scale in legends:
        # A legend of a single colour explains a category, others a range.
        category = len(set(scale.colors)) == 1
        span = f"{scale.low}{' ' if category else ' to '}{scale.high}".strip()
        words = [span if category or len(legends) > 1 else "", scale.note]
        lines.append(printable(", ".join(filter(None, words))))
    return [line for line in lines if line]
