"""Configurations and outputs of transformers; its models are modules of PyTorch."""

# pyright: standard, reportMissingImports=false
# transformers is not installed where types are checked.

from typing import Any

from transformers.configuration_utils import PretrainedConfig
from transformers.utils.generic import ModelOutput

from treeview._guard import Damage, guarded
from treeview._names import class_of, type_name
from treeview._registry import Registry
from treeview._view import Sketch, View
from treeview.adapters._settings import chosen, settings_note
from treeview.handlers.objects import not_rebuilt


def show_config(config: PretrainedConfig, view: View) -> Sketch:
    """A configuration by what differs from the defaults of its class.

    Args:
        config: Any configuration.
        view: The builder.
    """
    settings = _settings(config)
    shown = settings if view.options.roundtrip else chosen(settings, _usual(class_of(config)))
    sketch = view.record(config, shown, static=list(shown))
    sketch.note = settings_note(len(settings) - len(shown))
    return not_rebuilt(sketch) if view.options.roundtrip else sketch


def _settings(config: PretrainedConfig) -> dict[str, Any]:
    state: dict[str, Any] = object.__getattribute__(config, "__dict__")
    return {name: value for name, value in state.items() if not name.startswith("_")}


def _usual(cls: Any) -> dict[str, Any]:
    """The settings of a configuration that was made without arguments, if there can be one."""
    try:
        return _settings(guarded(cls, doing=type_name(cls)))
    except Damage:
        return {}


def _show_output(output: Any, view: View) -> Sketch:
    """The outputs of a model by name, without those that it did not make."""
    state: dict[str, Any] = object.__getattribute__(output, "__dict__")
    made = {name: value for name, value in state.items() if value is not None}
    return view.record(output, made, name=view.type_name(class_of(output)))


def register(registry: Registry) -> None:
    """Tells a registry about transformers' types."""
    registry.register(PretrainedConfig, show_config)
    registry.register(ModelOutput, _show_output)
