"""Rich output that objects bring along for notebooks: HTML, images, Markdown and LaTeX.

It is asked for only where nothing better is known of an object, and stands beside the object's own
text, never instead of it. Pages show it in a sandbox.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, NamedTuple, cast

from treeview._document import EMPTY, Foreign, Text, text
from treeview._guard import Damage, guarded, plain_string
from treeview._markup import escape_markup
from treeview._names import class_of, type_attribute, type_module, type_mro, type_name
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


def _source_markup(source: str) -> str:
    """Text that nothing here can typeset, as it is written."""
    return (
        f'<pre style="white-space:pre-wrap;margin:8px">{escape_markup(plain_string(source))}</pre>'
    )


# The best one first.
_FORMATS = (
    _Format("_repr_html_", "text/html", str, "HTML", plain_string),
    _Format("_repr_svg_", "image/svg+xml", str, "SVG", plain_string),
    _Format("_repr_png_", "image/png", bytes, "PNG image", _image_markup("image/png")),
    _Format("_repr_jpeg_", "image/jpeg", bytes, "JPEG image", _image_markup("image/jpeg")),
    _Format("_repr_markdown_", "text/markdown", str, "Markdown", _source_markup),
    _Format("_repr_latex_", "text/latex", str, "LaTeX", _source_markup),
)
_BUNDLE = "_repr_mimebundle_"
# A page that is itself complete may hold output that is not, as that of plotly and altair.
_ELSEWHERE = re.compile(r"""<script[^>]*\ssrc=["']https?://([\w.-]+)|["']https?://(cdn[\w.-]+)/""")
_METHODS = (_BUNDLE, *(form.method for form in _FORMATS))
# Notebooks draw Matplotlib's figures by functions that its back ends register.
_DRAWN = _Format("savefig", "image/png", bytes, "PNG image", _image_markup("image/png"))
_DRAWN_BY = ("matplotlib.figure", "seaborn.axisgrid")
_MOST_PIXELS = 4_000_000


def offers_rich(cls: type) -> bool:
    """Whether objects of a class may have rich output."""
    return any(type_attribute(cls, method) is not None for method in _METHODS) or _is_drawn(cls)


def _is_drawn(cls: type) -> bool:
    return any(type_module(base) in _DRAWN_BY for base in type_mro(cls))


def _drawn_png(obj: Any) -> bytes:
    """A figure as a PNG of reasonable size; neither its canvas nor what pyplot shows changes."""
    figure = obj if type_attribute(class_of(obj), "get_size_inches") else obj.figure
    width, height = figure.get_size_inches()
    dpi = min(figure.dpi, (_MOST_PIXELS / (width * height)) ** 0.5)
    buffer = BytesIO()
    obj.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight")
    return buffer.getvalue()


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
    if elsewhere := _ELSEWHERE.search(html):
        name = f"{name} that loads {elsewhere[1] or elsewhere[2]}"
    if len(html) > LARGEST:
        return _with_problem(shown, f"{name} of {len(html):,} characters is left out")
    if isinstance(shown, Text):
        note = (f" <{name}>", "muted") if elsewhere else ""
        return Foreign(html, text(shown, note))
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
    if _is_drawn(kind):
        offers.append((_DRAWN, lambda: _drawn_png(obj)))
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
