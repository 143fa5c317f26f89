"""Checkpoints: files and models whose tensors are read one at a time."""

from modeldata.models.checkpoints._base import Checkpoint as Checkpoint, TensorInfo as TensorInfo
from modeldata.models.checkpoints._errors import (
    LoadError as LoadError,
    import_extra as import_extra,
)
from modeldata.models.checkpoints._gguf import GGUFCheckpoint as GGUFCheckpoint
