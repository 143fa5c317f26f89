"""Several pictures as one: the fields of a structured array, one below the other."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from treeview._document import ColorScale, EdgeLabel, Picture

_GAP = 14  # CSS pixels


def stack_pictures(names: Sequence[str], pictures: Sequence[Picture], description: str) -> Picture:
    """Puts pictures below each other, each with its name at the left.

    Args:
        names: What the pictures are called.
        pictures: The pictures; where one takes more pixels for a cell than another, it takes a
            whole multiple of them.
        description: A text alternative.

    Returns:
        One picture, with the labels along the top of the first one and all legends.
    """
    scale = min(picture.scale for picture in pictures)
    parts = [_enlarged(picture, round(picture.scale / scale)) for picture in pictures]
    gap = max(round(_GAP / scale), 1)
    height = sum(len(part.pixels) for part in parts) + gap * (len(parts) - 1)
    canvas = np.zeros((height, max(part.pixels.shape[1] for part in parts), 4), np.uint8)
    outside = 1 + max((one.level for part in parts for one in part.labels), default=-1)
    labels = [label for label in parts[0].labels if label.side == "top"]
    legends: list[ColorScale] = []
    grids = list(parts[0].grids[:0])
    top = 0
    for name, part in zip(names, parts, strict=True):
        rows, columns = part.pixels.shape[:2]
        canvas[top : top + rows, :columns] = part.pixels
        labels += [_moved(label, top) for label in part.labels if label.side == "left"]
        labels.append(EdgeLabel("left", top, top + rows, name, outside))
        legends += [replace(one, low=f"{name}: {one.low}".rstrip()) for one in part.legends]
        grids += [replace(grid, top=grid.top + top, part=name) for grid in part.grids]
        top += rows + gap
    return Picture(
        canvas,
        scale,
        description,
        tuple(labels),
        tuple(legends),
        pictures[0].caption,
        tuple(grids),
    )


def _enlarged(picture: Picture, factor: int) -> Picture:
    if factor == 1:
        return picture
    labels = tuple(
        replace(label, start=label.start * factor, stop=label.stop * factor)
        for label in picture.labels
    )
    pixels = picture.pixels.repeat(factor, 0).repeat(factor, 1)
    grids = tuple(
        replace(grid, cell=grid.cell * factor, top=grid.top * factor) for grid in picture.grids
    )
    return replace(picture, pixels=pixels, scale=picture.scale / factor, labels=labels, grids=grids)


def _moved(label: EdgeLabel, down: float) -> EdgeLabel:
    return replace(label, start=label.start + down, stop=label.stop + down)
