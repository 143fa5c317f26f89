"""Images of Pillow: mode and size, and a small copy on pages."""

# pyright: standard, reportMissingImports=false
# Pillow is not installed where types are checked.

from base64 import b64encode
from io import BytesIO

from PIL import Image

from treeview._document import Foreign, Text
from treeview._guard import Damage, guarded
from treeview._names import class_of, type_name
from treeview._registry import Registry
from treeview._view import View

LARGEST = 256
"""Pixels along the longer side of the copy."""

_MODES = {"1", "L", "LA", "P", "RGB", "RGBA"}


def show_image(image: Image.Image, view: View) -> Foreign | Text:
    """An image by its mode and size; one that was only opened is not read.

    Args:
        image: Any image.
        view: The builder.
    """
    width, height = image.size
    facts = f" {image.mode} {width}x{height}"
    loaded = object.__getattribute__(image, "__dict__").get("_im") is not None
    words = view.text(
        "<", (f"PIL.{_kind(image)}", "type"), facts, ("" if loaded else " not loaded", "muted"), ">"
    )
    if view.options.roundtrip or not loaded or not width or not height:
        return words
    try:
        copy = guarded(_png, image, doing="a copy")
    except Damage as damage:
        return view.text(words, (f" <{damage}>", "error"))
    markup = f'<img alt="{width}x{height}" src="data:image/png;base64,{copy}">'
    return view.foreign(markup, words)


def _kind(image: Image.Image) -> str:
    name = type_name(class_of(image))
    return "Image" if name == "Image" else name


def _png(image: Image.Image) -> str:
    factor = max(1, -(-max(image.size) // LARGEST))
    small = image.reduce(factor) if factor > 1 else image
    if small.mode not in _MODES:
        small = small.convert("L" if small.mode in ("I", "F", "I;16") else "RGB")
    buffer = BytesIO()
    small.save(buffer, format="PNG")
    return b64encode(buffer.getvalue()).decode("ascii")


def register(registry: Registry) -> None:
    """Tells a registry about Pillow's types."""
    registry.register(Image.Image, show_image)
