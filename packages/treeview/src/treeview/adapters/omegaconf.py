"""OmegaConf: configurations as they are written; nothing is resolved to be shown."""

# pyright: standard, reportMissingImports=false
# OmegaConf is not installed where types are checked.

from typing import Any

import omegaconf

from treeview._document import Text, text
from treeview._names import class_of
from treeview._registry import Registry
from treeview._view import Sketch, View

_MISSING = "???"


def show_mapping(config: omegaconf.DictConfig, view: View) -> Sketch | Text:
    """A configuration with its keys: `DictConfig({'a': 1, 'b': '${a}'})`.

    Args:
        config: Any mapping of OmegaConf.
        view: The builder.
    """
    content = _content(config)
    if not isinstance(content, dict):
        return _special(config, content, view)
    pairs = [(key, _plain(node, view)) for key, node in content.items()]
    name = view.type_name(class_of(config))
    return view.mapping(config, pairs, brackets=("({", "})"), name=name, note=_note(config))


def show_list(config: omegaconf.ListConfig, view: View) -> Sketch | Text:
    """A list of a configuration: `ListConfig([1, '${a}'])`.

    Args:
        config: Any list of OmegaConf.
        view: The builder.
    """
    content = _content(config)
    if not isinstance(content, list):
        return _special(config, content, view)
    values = [_plain(node, view) for node in content]
    name = view.type_name(class_of(config))
    return view.sequence(config, values, brackets=("([", "])"), name=name, note=_note(config))


def _content(node: Any) -> Any:
    return object.__getattribute__(node, "__dict__").get("_content")


def _special(config: Any, content: Any, view: View) -> Text:
    """A whole container that is None, missing or an interpolation."""
    name = view.type_name(class_of(config))
    return view.text((name, "type"), "(", _written(content), ")")


def _plain(node: Any, view: View) -> Any:
    """The value in a leaf as it is written; containers as they are."""
    if not isinstance(node, omegaconf.Node) or isinstance(node, omegaconf.Container):
        return node
    value = object.__getattribute__(node, "__dict__").get("_val")
    missing = isinstance(value, str) and value == _MISSING
    return _written(value) if missing and not view.options.roundtrip else value


def _written(value: Any) -> Text:
    if isinstance(value, str) and value == _MISSING:
        return text(("<missing>", "error"))
    return text((repr(value), "string" if isinstance(value, str) else "keyword"))


def _note(config: Any) -> str | None:
    metadata = object.__getattribute__(config, "__dict__").get("_metadata")
    kind = getattr(metadata, "object_type", None)
    words = [] if kind in (None, dict, list) else [getattr(kind, "__name__", "")]
    flags = getattr(metadata, "flags", None) or {}
    words += [word for word in ("readonly", "struct") if flags.get(word)]
    return ", ".join(filter(None, words)) or None


def register(registry: Registry) -> None:
    """Tells a registry about OmegaConf's types."""
    registry.register(omegaconf.DictConfig, show_mapping)
    registry.register(omegaconf.ListConfig, show_list)
