"""Rich output that an object brings: as an image, or as a stranger in a sandbox."""

import re

from treeview._document import Foreign, Picture
from treeview._markup import BRANCHES, Markup, escape, escape_source

# Pixels and nothing else, which need no sandbox.
_IMAGE = re.compile(
    r'<img(?: alt="[^"<>&]*")? src="(data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=\s]*)">'
)
# What is in a sandbox cannot be measured from outside, so it says itself how high it is.
_MEASURE = (
    "<script>(()=>{const root=document.documentElement;const say=()=>parent.postMessage("
    "{treeviewHeight:root.getBoundingClientRect().height},'*');"
    "new ResizeObserver(say).observe(root);say()})()</script>"
)
# A fragment of ours has a background of its own, in the colours of the theme.
_OWN, _FILLED = '<div class="treeview"', "<style>body{margin:0}</style>"


def foreign_markup(foreign: Foreign) -> Markup:
    """Rich output alone, without a line that folds it."""
    html = foreign_html(foreign, 'style="--d:0"')
    return Markup(html, frozenset({BRANCHES}), framed=is_framed(foreign))


def foreign_html(foreign: Foreign, place: str) -> str:
    """Rich output as an element.

    Args:
        foreign: What an object offers.
        place: The attributes that say where it stands.
    """
    name = escape(foreign.fallback.plain)
    if image := _IMAGE.fullmatch(foreign.html):
        return f'<img class=tv-rich {place} alt="{name}" src="{image[1]}">'
    edge = _FILLED if foreign.html.startswith(_OWN) else ""
    # Scripts may run in there, but as a stranger: without `allow-same-origin` they reach
    # neither the page nor its storage.
    return (
        f'<iframe class=tv-rich sandbox="allow-scripts" loading="lazy" {place} title="{name}"'
        f' srcdoc="{escape_source(edge + foreign.html + _MEASURE)}"></iframe>'
    )


def is_framed(view: Picture | Foreign) -> bool:
    """Whether a script has to find out how high it is."""
    return isinstance(view, Foreign) and _IMAGE.fullmatch(view.html) is None
