"""Rich output that objects bring along for notebooks: HTML, SVG and images.

It is asked for only where nothing better is known of an object, and stands beside the object's own
text, never instead of it. Pages show it in a sandbox.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from treeview._document import EMPTY, Foreign, Text, text
from treeview._guard import Damage, guarded, plain_string
from treeview._names import class_of, type_attribute, type_name
from treeview._paths import Opaque
from treeview._view import Shown, Sketch

LARGEST = 1_000_000
"""Rich output of more characters is left out."""


class _Format(NamedTuple):
    """A way in which objects offer rich output."""

    method: str
    mime: str
    kind: type
    name: str
    markup: Callable[[Any], str]


def _image_markup(mime: str) -> Callable[[bytes | str], str]:
    def markup(data: bytes | str) -> str:
        encoded = data if isinstance(data, str) else b64encode(data).decode("ascii")
        return f'<img src="data:{mime};base64,{encoded}">'

    return markup


_FORMATS = (
    _Format("_repr_html_", "text/html", str, "HTML", plain_string),
    _Format("_repr_svg_", "image/svg+xml", str, "SVG", plain_string),
    _Format("_repr_png_", "image/png", bytes, "PNG image", _image_markup("image/png")),
    _Format("_repr_jpeg_", "image/jpeg", bytes, "JPEG image", _image_markup("image/jpeg")),
)
_BUNDLE = "_repr_mimebundle_"
_METHODS = (_BUNDLE, *(form.method for form in _FORMATS))


def offers_rich(cls: type) -> bool:
    """Whether objects of a class may have rich output."""
    return any(type_attribute(cls, method) is not None for method in _METHODS)


def add_rich(obj: object, shown: Shown) -> Shown:
    """What is shown of an object, together with the rich output that it offers.

    Args:
        obj: An object whose class has such a method.
        shown: Its text, or its fields.
    """
    found, problem = _find(obj)
    if found is None:
        return _with_problem(shown, problem) if problem else shown
    name, html = found
    if len(html) > LARGEST:
        return _with_problem(shown, f"{name} of {len(html):,} characters is left out")
    if isinstance(shown, Text):
        return Foreign(html, shown)
    if isinstance(shown, Sketch):
        foreign = Foreign(html, text((f"<{name}>", "muted")))
        children = [*shown.children, foreign]
        shown.children, shown.count = children, len(children)
        if shown.labels is not None:
            shown.labels = [*shown.labels, EMPTY]
        if isinstance(shown.steps, list):
            shown.steps = [*shown.steps, Opaque(name)]
    return shown


def _find(obj: object) -> tuple[tuple[str, str] | None, str]:
    """Name and markup of the first rich output that works, or what went wrong."""
    kind, problem = class_of(obj), ""
    for form, call in _offers(obj, kind):
        try:
            data = guarded(call, doing=_BUNDLE if form is None else form.method)
            found = _from_bundle(data) if form is None else _from_data(form, data)
        except Damage as damage:
            problem = problem or str(damage)
            continue
        if found is not None:
            return found, ""
    return None, problem


def _offers(obj: object, kind: type) -> list[tuple[_Format | None, Callable[[], Any]]]:
    offers: list[tuple[_Format | None, Callable[[], Any]]] = []
    bundle = type_attribute(kind, _BUNDLE)
    if callable(bundle):
        offers.append((None, lambda: bundle(obj, include=None, exclude=None)))
    for form in _FORMATS:
        method = type_attribute(kind, form.method)
        if callable(method):
            offers.append((form, lambda method=method: method(obj)))
    return offers


def _from_bundle(data: Any) -> tuple[str, str] | None:
    data = _without_metadata(data)
    if not isinstance(data, Mapping):
        return None
    bundle = cast("Mapping[str, Any]", data)
    for form in _FORMATS:
        content = guarded(bundle.get, form.mime, doing=_BUNDLE)
        if isinstance(content, str) or (content and isinstance(content, form.kind)):
            return form.name, form.markup(content)
    return None


def _from_data(form: _Format, data: Any) -> tuple[str, str] | None:
    data = _without_metadata(data)
    if data is None:
        return None
    if not isinstance(data, form.kind):
        what = type_name(class_of(data))
        raise Damage(f"{form.method} returned `{what}`, not `{form.kind.__name__}`")
    return form.name, form.markup(data)


def _without_metadata(data: Any) -> Any:
    return data[0] if class_of(data) is tuple and len(data) == 2 else data


def _with_problem(shown: Shown, problem: str) -> Shown:
    if isinstance(shown, Sketch):
        gap = ("  ",) if shown.note.spans else ()
        shown.note = text(shown.note, *gap, (f"# {problem}", "error"))
    if isinstance(shown, Text):
        return text(shown, (f" <{problem}>", "error"))
    return shown
