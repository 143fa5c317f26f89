"""The language model inside a model that reads images as well."""

import numpy as np
from numpy.typing import DTypeLike

from modeldata.models.checkpoints._base import Checkpoint

# Where the tensors of the language model are: in published files, in version 5 of transformers, and
# in files that hold no other part.
_PREFIXES = ("language_model.model.", "model.language_model.", "model.")
_OTHER_PARTS = ("model.vision_tower.", "model.multi_modal_projector.")
_HEADS = ("language_model.lm_head.weight", "lm_head.weight")


def text_part(checkpoint: Checkpoint) -> Checkpoint:
    """Returns the language model of a checkpoint, if its settings say that it has other parts too.

    Args:
        checkpoint: A checkpoint with the names of Hugging Face.
    """
    return (
        TextPart(checkpoint)
        if isinstance(checkpoint.config.get("text_config"), dict)
        else checkpoint
    )


class TextPart(Checkpoint):
    """The language model of a checkpoint, under the names that it has on its own.

    The settings are those of the language model alone, so that it is saved as what it has become.
    """

    def __init__(self, whole: Checkpoint) -> None:
        """Wraps a checkpoint.

        Args:
            whole: The checkpoint, with `text_config` among its settings.
        """
        self.source, self.naming = whole.source, whole.naming
        text = whole.config["text_config"]
        self.architecture = str(text.get("model_type", whole.architecture))
        self.config = {"model_type": self.architecture, **text}
        self._whole = whole
        self._names = {_own_name(name): name for name in whole.tensors if not _is_other(name)}
        self.tensors = {own: whole.tensors[name] for own, name in self._names.items()}

    def read(self, name: str, dtype: DTypeLike = np.float32) -> np.ndarray:
        """Reads one tensor; see `Checkpoint.read`."""
        return self._whole.read(self._names.get(name, name), dtype)


def _is_other(name: str) -> bool:
    is_text = name.startswith(_PREFIXES) and not name.startswith(_OTHER_PARTS)
    return not is_text and name not in _HEADS


def _own_name(name: str) -> str:
    if name in _HEADS:
        return _HEADS[-1]
    prefix = next(prefix for prefix in _PREFIXES if name.startswith(prefix))
    return f"model.{name.removeprefix(prefix)}"
