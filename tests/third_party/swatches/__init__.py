"""Colours to paint with. It knows nothing of treeview; `swatches.display` does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Swatch:
    """One colour.

    Attributes:
        name: What painters call it.
        hue: Angle on the colour wheel, in degrees.
    """

    name: str
    hue: float
