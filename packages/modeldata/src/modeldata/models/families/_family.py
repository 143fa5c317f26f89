"""The list of model families."""

import copy
import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
from jax.typing import DTypeLike

from modeldata.models.checkpoints import Checkpoint, LoadError, WeightRule, text_part
from modeldata.models.families import (
    _bert,
    _gemma,
    _gemma3,
    _gpt,
    _llama,
    _mixtures,
    _olmo2,
    _phi3,
    _qwen,
)
from modeldata.models.families._gguf_settings import gguf_architecture, gguf_settings
from modeldata.models.families._llamalike import LLAMA_ROWS
from modeldata.models.families._rows import Row, weight_rules
from modeldata.models.transformer import (
    ModelOrigin,
    TransformerEncoder,
    TransformerLM,
    build_encoder_transformer,
    build_gpt_transformer,
    build_llamalike_transformer,
)
from modeldata.variables import ParameterSlot

Model = TransformerLM | TransformerEncoder


@dataclasses.dataclass(frozen=True)
class Family:
    """One family of models.

    Attributes:
        name: What it is called.
        architectures: What Hugging Face calls it.
        read: Reads the settings of a checkpoint.
        rows: Where the parts of a model are stored, or what returns this from the settings.
        build: Builds a model with slots for its parameters.
        prefix: A beginning of names of tensors that files may leave out.
        bare_class: The class of Hugging Face whose files leave it out.
        ignored: Names of tensors that hold no weights, as a pattern.
        gguf_architectures: What GGUF files call it, if these can be read.
        gguf_settings: Returns what such a file says, as a `config.json` would.
    """

    name: str
    architectures: tuple[str, ...]
    read: Callable[[Checkpoint], Any]
    rows: Mapping[str, Row] | Callable[[Any], Mapping[str, Row]] = dataclasses.field(
        default_factory=lambda: LLAMA_ROWS
    )
    build: Callable[[Any], Model] = build_llamalike_transformer
    prefix: str = ""
    bare_class: str = ""
    ignored: str = r".*\.rotary_emb\.inv_freq|rope_(freqs|factors_long|factors_short)\.weight"
    gguf_architectures: tuple[str, ...] = ()
    gguf_settings: Callable[[Checkpoint], dict[str, Any]] = gguf_settings

    def read_config(self, checkpoint: Checkpoint, dtype: DTypeLike) -> Any:
        """Reads the settings of a checkpoint.

        Args:
            checkpoint: The checkpoint.
            dtype: The type of the parameters and of the computation.

        Raises:
            LoadError: If a setting is missing, damaged or not supported.
        """
        config = self.read(checkpoint)
        return dataclasses.replace(config, parameter_dtype=dtype, activation_dtype=dtype)

    def with_common_names(self, checkpoint: Checkpoint) -> Checkpoint:
        """Returns a checkpoint whose settings have the names of Hugging Face.

        Of a model that reads images too, it is the part that reads text.

        Args:
            checkpoint: The checkpoint.

        Raises:
            LoadError: If a setting is missing, damaged or not supported.
        """
        if checkpoint.naming != "gguf":
            return text_part(checkpoint)
        renamed = copy.copy(checkpoint)
        renamed.config = {"model_type": self.architectures[0], **self.gguf_settings(checkpoint)}
        return renamed

    def build_slots(self, config: Any, checkpoint_config: str | None = None) -> Model:
        """Builds a model without parameters that knows where it comes from.

        Args:
            config: The settings.
            checkpoint_config: The `config.json` of the checkpoint.
        """
        model = self.build(config)
        origin = ModelOrigin(self.name, config, checkpoint_config)
        return model.replace(metadata=dataclasses.replace(model.metadata, origin=origin))

    def weight_rules(
        self, config: Any, model: Model, tensors: Iterable[str] | None = None
    ) -> list[WeightRule]:
        """Lists where the parameters are stored.

        Args:
            config: The settings.
            model: A model of these settings, with slots for its parameters.
            tensors: The names of the tensors that there are, if it is known.
        """
        is_bare = self.prefix and tensors is not None
        is_bare = is_bare and not any(name.startswith(self.prefix) for name in tensors or ())
        rows = self.rows(config) if callable(self.rows) else self.rows
        return weight_rules(slot_labels(model), rows, config, self.prefix if is_bare else "")

    def is_ignored(self, name: str, *, tied: bool) -> bool:
        """Returns whether a tensor holds no weights, or repeats others.

        Args:
            name: The name of the tensor.
            tied: Whether the embedding table also makes the logits.
        """
        heads = ("lm_head.weight", "embed_out.weight", "output.weight")
        return bool(re.fullmatch(self.ignored, name)) or (tied and name in heads)


def slot_labels(model: Model) -> list[str]:
    """Returns the labels of the slots for parameters in a model, in order.

    Args:
        model: The model.
    """
    nodes = jax.tree_util.tree_leaves(model, is_leaf=lambda node: isinstance(node, ParameterSlot))
    labels = [str(node.label) for node in nodes if isinstance(node, ParameterSlot)]
    return list(dict.fromkeys(labels))


def _from_gguf(model_type: str, name: str, **constants: Any) -> dict[str, Any]:
    """The last fields of a family whose GGUF files have nothing special."""
    names = {"model_type": model_type, "architectures": [f"{name}ForCausalLM"]}
    read = functools.partial(gguf_settings, **names, **constants)
    return {"gguf_architectures": (model_type,), "gguf_settings": read}


FAMILIES = (
    Family("llama", ("llama",), _llama.read_llama, _llama.ROWS, **_from_gguf("llama", "Llama")),
    Family("mistral", ("mistral",), _llama.read_mistral),
    Family(
        "mixtral",
        ("mixtral",),
        _mixtures.read_mixtral,
        _mixtures.MIXTRAL_ROWS,
        gguf_architectures=("mixtral",),
        gguf_settings=_mixtures.mixtral_gguf,
    ),
    Family("qwen2", ("qwen2",), _qwen.read_qwen2, **_from_gguf("qwen2", "Qwen2")),
    Family("qwen3", ("qwen3",), _qwen.read_qwen3, **_from_gguf("qwen3", "Qwen3")),
    Family(
        "gemma",
        ("gemma",),
        _gemma.read_gemma,
        _gemma.GEMMA_ROWS,
        **_from_gguf("gemma", "Gemma", hidden_act="gelu_pytorch_tanh"),
    ),
    Family(
        "gemma2",
        ("gemma2",),
        _gemma.read_gemma2,
        _gemma.POST_NORM_ROWS,
        gguf_architectures=("gemma2",),
        gguf_settings=_gemma.gemma2_gguf,
    ),
    Family(
        "gemma3",
        ("gemma3", "gemma3_text"),
        _gemma3.read_gemma3,
        _gemma.POST_NORM_ROWS,
        gguf_architectures=("gemma3",),
        gguf_settings=_gemma3.gemma3_gguf,
    ),
    Family(
        "phi3",
        ("phi3",),
        _phi3.read_phi3,
        _phi3.rows,
        gguf_architectures=("phi3",),
        gguf_settings=_phi3.phi3_gguf,
    ),
    Family(
        "olmo2",
        ("olmo2",),
        _olmo2.read_olmo2,
        _olmo2.OLMO2_ROWS,
        **_from_gguf("olmo2", "Olmo2"),
    ),
    Family(
        "gpt_oss",
        ("gpt_oss",),
        _mixtures.read_gpt_oss,
        _mixtures.GPT_OSS_ROWS,
        gguf_architectures=("gpt-oss",),
        gguf_settings=_mixtures.gpt_oss_gguf,
    ),
    Family(
        "gpt_neox",
        ("gpt_neox",),
        _gpt.read_gpt_neox,
        _gpt.NEOX_ROWS,
        build=build_gpt_transformer,
        prefix="gpt_neox.",
        bare_class="GPTNeoXModel",
        ignored=r".*\.(rotary_emb\.inv_freq|attention\.(bias|masked_bias))",
    ),
    Family(
        "gpt2",
        ("gpt2",),
        _gpt.read_gpt2,
        _gpt.GPT2_ROWS,
        build=build_gpt_transformer,
        prefix="transformer.",
        bare_class="GPT2Model",
        ignored=r".*\.attn\.(bias|masked_bias)",
        gguf_architectures=("gpt2",),
        gguf_settings=_gpt.gpt2_gguf,
    ),
    Family(
        "bert",
        ("bert",),
        _bert.read_bert,
        _bert.BERT_ROWS,
        build=build_encoder_transformer,
        prefix=_bert.PREFIX,
        bare_class="BertModel",
        # Heads for other tasks are not part of an encoder.
        ignored=r"(bert\.)?embeddings\.position_ids|cls\..*|classifier\..*",
    ),
)


# Those that were registered, by name.
_registered: dict[str, Family] = {}


def register_family(family: Family) -> None:
    """Makes a family known, so that `models.load` and `models.save` read and write its models.

    Args:
        family: The family. `unregister_family` removes it again.

    Raises:
        TypeError: If it is something else.
        ValueError: If there is a family of this name already, or one of its architectures.
    """
    if not isinstance(family, Family):
        raise TypeError(
            f"Expected a `Family`, but got a `{type(family).__name__}`. Describe the models with "
            "`Family(name, architectures, read, rows)`."
        )
    for other in _families():
        both = {*family.architectures} & {*other.architectures}
        both |= {*family.gguf_architectures} & {*other.gguf_architectures}
        if family.name == other.name or both:
            shared = f"the name `{family.name}`" if family.name == other.name else f"`{min(both)}`"
            raise ValueError(
                f"Expected a family that differs from those there are, but {shared} belongs to "
                f"`{other.name}` already. Choose another, or remove a registered one first "
                f"(`unregister_family('{other.name}')`)."
            )
    _registered[family.name] = family


def unregister_family(name: str) -> None:
    """Removes a family that `register_family` has added.

    Args:
        name: Its name.

    Raises:
        ValueError: If no family of this name was added.
    """
    if name not in _registered:
        known = ", ".join(f"`{family}`" for family in _registered) or "there are none"
        raise ValueError(
            f"Expected the name of a registered family ({known}), but got {name!r}. Families of "
            "modeldata itself stay."
        )
    del _registered[name]


def family_named(name: str) -> Family:
    """Returns the family of a name.

    Args:
        name: The name of a family in `FAMILIES`, or of a registered one.

    Raises:
        ValueError: If there is none.
    """
    for family in _families():
        if family.name == name:
            return family
    known = ", ".join(f"`{family.name}`" for family in _families())
    raise ValueError(
        f"Expected the name of a family ({known}), but got {name!r}. Register the family first "
        "(`models.register_family`)."
    )


def _families() -> tuple[Family, ...]:
    return (*FAMILIES, *_registered.values())


def find_family(checkpoint: Checkpoint) -> Family:
    """Returns the family that a checkpoint belongs to.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If the family is not supported.
    """
    names = {
        name: family
        for family in _families()
        for name in (
            family.gguf_architectures if checkpoint.naming == "gguf" else family.architectures
        )
    }
    is_gguf = checkpoint.naming == "gguf"
    architecture = gguf_architecture(checkpoint) if is_gguf else checkpoint.architecture
    if architecture in names:
        return names[architecture]
    known = ", ".join(map(repr, names))
    raise LoadError(
        f"Expected a model of a supported architecture ({known}), but {checkpoint.source} has "
        f"{checkpoint.architecture!r}. Convert the weights to a supported one, or describe it in a "
        "few lines (`models.register_family`)."
    )
