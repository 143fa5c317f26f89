"""How treeview draws swatches."""

from swatches import Swatch


def register(registry):
    """Called by treeview once `swatches` is imported."""
    registry.register(Swatch, show_swatch)


def show_swatch(swatch, view):
    """A record that shows degrees as turns, so that nothing but this handler can have made it."""
    return view.record(swatch, fields={"turn": swatch.hue / 360}, note="drawn by swatches.display")
