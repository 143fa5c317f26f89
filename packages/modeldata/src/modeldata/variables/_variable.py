"""Variables, and their two forms that are plain data.

A variable is a mutable Python object, and a leaf to JAX: two places of a model that hold the same
object share it. Transformations of JAX need data without identity. So each kind of variable has a
frozen *value*, which is a pytree of arrays, and a *slot*, an empty place with a label:

=================  =======================  ======================
variable           value                    slot
=================  =======================  ======================
`Parameter`        `ParameterValue`         `ParameterSlot`
`StateVariable`    `StateVariableValue`     `StateVariableSlot`
=================  =======================  ======================
"""

import weakref
from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import wadler_lindig as wl

from modeldata._frozen_dict import FrozenDict
from modeldata._repr import struct_repr
from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.variables._labels import AutoStateVarLabel, next_label
from modeldata.variables._origin import Call, current_call, current_trace

# Stands for every automatic label in signatures.
_AUTOMATIC = object()


class Signature:
    """What compiled code depends on in a variable, apart from shapes and dtypes.

    There is only one for each content, so comparing them is comparing identities.

    Attributes:
        content: The kind of variable, the label, the metadata, the structure of the value. All
            labels that were made automatically are alike here.
    """

    __slots__ = ("__weakref__", "content")

    def __init__(self, content: tuple[Any, ...]) -> None:
        self.content = content


_signatures: "weakref.WeakValueDictionary[tuple[Any, ...], Signature]"
_signatures = weakref.WeakValueDictionary()


class Flat(NamedTuple):
    """A variable in the form in which compiled functions take it.

    Attributes:
        leaves: The leaves of its value.
        signature: What compiled code depends on besides them.
        number: The number in its label, if that was made automatically.
    """

    leaves: list[Any]
    signature: Signature
    number: int | None


class VariableConflictError(ValueError):
    """Two different variables of one tree have the same label."""


class UnboundVariableError(ValueError):
    """The value of a slot was read before a variable was bound to it."""


class AbstractVariableSlot(Struct):
    """An empty place for a variable; hashable, without children."""

    label: Any

    @property
    def value(self) -> Any:
        """Never returns.

        Raises:
            UnboundVariableError: Always: a slot has no value.
        """
        raise UnboundVariableError(
            f"`{self!r}` holds no value; put one in its place with `bind_variables`."
        )


class AbstractVariableValue(Struct):
    """The frozen value of a variable; a pytree, safe in every JAX transformation."""

    variable_type: ClassVar[Any]
    label: Any
    value: Any
    metadata: Any

    def unfreeze_as_copy(self) -> Any:
        """Returns a new variable, equal in value, label and metadata."""
        return self.variable_type(value=self.value, label=self.label, metadata=self.metadata)

    def get_slot(self) -> Any:
        """Returns the slot that this value belongs to."""
        return self.variable_type.slot_type(label=self.label)


class AbstractVariable:
    """Base of mutable variables.

    A variable is a leaf of the trees that hold it. It compares by identity, and copies and pickles
    with its label.

    A variable belongs to the JAX transformation that it was made in: under another one it may be
    read, but not assigned, because the new value would be a tracer that outlives its trace. Inside
    `variable_jit` and the other transforms that thread variables, one of the outside may not be
    read either: its value would be compiled in as a constant, its gradient would be lost.
    """

    value_type: ClassVar[Any]
    slot_type: ClassVar[Any]

    __slots__ = (
        "__weakref__",
        "_call",
        "_flat",
        "_frozen",
        "_label",
        "_metadata",
        "_slot",
        "_trace",
        "_value",
        "_watcher",
    )

    def __init__(
        self, *, value: Any, label: Hashable, metadata: Mapping[Hashable, Any] | None = None
    ) -> None:
        self._trace = current_trace()
        self._call = current_call()
        self._watcher: Call | None = None
        self._label = label
        self._slot = self.slot_type(label=label)
        self._metadata = _frozen_dict(metadata)
        self.replace_value(_as_arrays(value, self))

    @property
    def label(self) -> Hashable:
        """The name that finds this variable's slot; never changes."""
        self._note_label_seen()
        return self._label

    @property
    def value(self) -> Any:
        """A pytree of arrays. Numbers and NumPy arrays that are assigned become JAX arrays."""
        self._refuse_outside()
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        self.check_assignable()
        self.replace_value(_as_arrays(value, self))

    def set_value(self, value: Any) -> None:
        """Assigns `value`; for places where a statement cannot stand."""
        self.value = value

    @property
    def metadata(self) -> FrozenDict:
        """An immutable mapping of notes for tools; assign another mapping to change it."""
        return self._metadata

    @metadata.setter
    def metadata(self, metadata: Mapping[Hashable, Any]) -> None:
        self._metadata = _frozen_dict(metadata)
        self.replace_value(self._value)

    @property
    def description(self) -> str:
        """Kind and label of this variable, for messages."""
        return f"{type(self).__name__} `{self._label}`"

    def freeze(self) -> Any:
        """Returns the current value as a struct that no later assignment changes."""
        value = self.value
        self._note_label_seen()
        if self._frozen is None:
            self._frozen = self.value_type(label=self._label, value=value, metadata=self._metadata)
        return self._frozen

    def get_slot(self) -> Any:
        """Returns the empty place that this variable can be bound to."""
        self._note_label_seen()
        return self._slot

    @property
    def identity(self) -> tuple[type, Hashable]:
        """Kind of slot and label, for comparisons that nothing outside depends on."""
        return self.slot_type, self._label

    def update(self, frozen: AbstractVariableValue) -> None:
        """Takes over a frozen value.

        Args:
            frozen: A value of the same kind and label.

        Raises:
            ValueError: If `frozen` belongs to another slot.
        """
        self._note_label_seen()
        if not isinstance(frozen, AbstractVariableValue) or frozen.get_slot() != self._slot:
            raise ValueError(
                f"Expected a `{self.value_type.__name__}` with label {self._label!r} to update "
                f"{self.description}, but got {_brief(frozen)}."
            )
        self.value = frozen.value

    def copied(self, value: Any, watcher: Call | None = None) -> Any:
        """Returns a variable that stands for this one inside the call of a transform.

        Args:
            value: Its value, a pytree of arrays.
            watcher: The call to tell when something looks at the label.
        """
        copy = object.__new__(type(self))
        if hasattr(self, "__dict__"):  # of a subclass without slots
            vars(copy).update(vars(self))
        copy._trace, copy._call = current_trace(), current_call()
        copy._watcher = watcher
        copy._label, copy._slot, copy._metadata = self._label, self._slot, self._metadata
        copy.replace_value(value)
        return copy

    @property
    def watcher(self) -> Call | None:
        """The call that wants to know when something looks at the label."""
        return self._watcher

    @property
    def has_automatic_label(self) -> bool:
        """Whether nobody chose the label, so that compiled code need not depend on it."""
        return type(self._label) is AutoStateVarLabel

    def _note_label_seen(self) -> None:
        if self._watcher is not None:
            self._watcher.labels_seen = True

    def _refuse_outside(self) -> None:
        call = current_call()
        if call is not None and call is not self._call:
            place = "in `args`" if call.transform == "variable_scan" else "as an argument"
            raise RuntimeError(
                f"{self.description} was read inside `{call.transform}` but is not part of its "
                "arguments, so the transform does not know of it. Pass it, or the model that "
                f"holds it, {place}."
            )

    def check_assignable(self) -> None:
        """Raises if an assignment here and now would leak a tracer.

        Raises:
            RuntimeError: If another JAX transformation is running than the one in which this
                variable was made.
        """
        if current_trace() != self._trace or current_call() is not self._call:
            raise RuntimeError(
                f"{self.description} was assigned inside a JAX transformation that it does not "
                "belong to, so a tracer would leak into it. Pass it, or the model that holds it, "
                "as an argument to `variable_jit`, `variable_grad`, `variable_vmap`, "
                "`variable_scan` or `variable_checkpoint`; or hand its value in and out with "
                "`unbind_variables` and `bind_variables`."
            )

    def replace_value(self, value: Any) -> None:
        """Puts in a pytree of arrays as it is; `check_assignable` is the caller's duty."""
        self._value = value
        self._frozen = None
        self._flat: Flat | None = None

    def flatten(self) -> "Flat":
        """Returns the value as leaves, and what compiled code depends on besides them."""
        if self._flat is None or current_call() is not None:
            self._refuse_outside()
            flat = self._flattened()
            # Arrays cannot change behind our back, as lists can.
            self._flat = flat if isinstance(self._value, jax.Array | NamedArray) else None
            return flat
        return self._flat

    def _flattened(self) -> "Flat":
        leaves, treedef = jax.tree_util.tree_flatten(self._value)
        label, number = self._label, None
        if type(label) is AutoStateVarLabel:
            label, number = _AUTOMATIC, label.var_id
        return Flat(leaves, _signature(type(self), label, self._metadata or None, treedef), number)

    @property
    def __jax_array__(self) -> Any:
        # JAX looks here when it meets an object that it does not know. Its own message would not
        # say what to do; it would hide a TypeError, but lets a ValueError through.
        raise ValueError(
            f"{self.description} is not an array. Use its `.value`; or, to pass a model with "
            "variables through a JAX transformation, use the transform that threads them "
            "(`variable_jit`, `variable_grad`, `variable_vmap`, `variable_scan`, "
            "`variable_checkpoint`), or take them out first with `unbind_variables` or "
            "`freeze_variables`."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        state = (type(self), self.value, self.label, dict(self._metadata))
        return _rebuild, state

    def __pdoc__(self, **kwargs: Any) -> wl.AbstractDoc:
        """Returns the document of this variable, by the protocol of wadler-lindig."""
        fields = {"label": self._label, "value": self._value, "metadata": self._metadata}
        docs = [
            wl.TextDoc(f"{name}=") + wl.pdoc(field, **kwargs)
            for name, field in fields.items()
            if name != "metadata" or field
        ]
        begin = wl.TextDoc(f"{type(self).__name__}(")
        return wl.bracketed(begin, docs, wl.comma, wl.TextDoc(")"), kwargs.get("indent", 2))

    def __repr__(self) -> str:
        return struct_repr(self)


def _frozen_dict(items: Mapping[Hashable, Any] | None) -> FrozenDict:
    return items if isinstance(items, FrozenDict) else FrozenDict(items)


def _signature(*content: Any) -> Signature:
    found = _signatures.get(content)
    return _signatures.setdefault(content, Signature(content)) if found is None else found


def _brief(frozen: Any) -> str:
    if isinstance(frozen, AbstractVariableValue):
        return f"a `{type(frozen).__name__}` with label {frozen.label!r}"
    return f"`{type(frozen).__name__}`"


def _rebuild(cls: type[AbstractVariable], value: Any, label: Hashable, metadata: Any) -> Any:
    return cls(value=value, label=label, metadata=metadata)


def _as_arrays(tree: Any, variable: AbstractVariable) -> Any:
    def convert(leaf: Any) -> Any:
        if isinstance(leaf, bool | int | float | complex | np.ndarray | np.generic):
            return jnp.asarray(leaf)
        if hasattr(leaf, "shape"):  # arrays, tracers, and stand-ins such as ShapeDtypeStruct
            return leaf
        raise TypeError(
            f"Expected arrays and numbers in the value of {variable.description}, but got "
            f"{leaf!r}, a `{type(leaf).__name__}`."
        )

    return jax.tree.map(convert, tree)


@pytree_dataclass
class ParameterSlot(AbstractVariableSlot):
    """An empty place for a `Parameter`.

    Attributes:
        label: The label of the parameter that belongs here.
    """

    label: Hashable = static_field()


@pytree_dataclass
class ParameterValue(AbstractVariableValue):
    """The frozen value of a `Parameter`.

    Attributes:
        label: The label of the parameter.
        value: A pytree of arrays, most often a `NamedArray`.
        metadata: Notes for tools.
    """

    label: Hashable = static_field()
    value: Any
    metadata: Mapping[Hashable, Any] = static_field(default_factory=FrozenDict)


class Parameter(AbstractVariable):
    """A variable that optimizers change and the model itself does not.

    Args:
        value: A pytree of arrays, most often a `NamedArray`.
        label: A name, unique among the parameters of a model.
        metadata: Notes for tools.
    """

    __slots__ = ()
    value_type = ParameterValue
    slot_type = ParameterSlot


@pytree_dataclass
class StateVariableSlot(AbstractVariableSlot):
    """An empty place for a `StateVariable`.

    Attributes:
        label: The label of the state variable that belongs here.
    """

    label: Hashable = static_field()


@pytree_dataclass
class StateVariableValue(AbstractVariableValue):
    """The frozen value of a `StateVariable`.

    Attributes:
        label: The label of the state variable.
        value: A pytree of arrays.
        metadata: Notes for tools.
    """

    label: Hashable = static_field()
    value: Any
    metadata: Mapping[Hashable, Any] = static_field(default_factory=FrozenDict)


class StateVariable(AbstractVariable):
    """A variable that the model changes while it runs.

    Args:
        value: A pytree of arrays; None for nothing yet.
        label: A name, unique among the state variables of a model; a new one if not given.
        metadata: Notes for tools.
    """

    __slots__ = ()
    value_type = StateVariableValue
    slot_type = StateVariableSlot

    def __init__(
        self,
        value: Any,
        *,
        label: Hashable | None = None,
        metadata: Mapping[Hashable, Any] | None = None,
    ) -> None:
        label = next_label() if label is None else label
        super().__init__(value=value, label=label, metadata=metadata)


ParameterValue.variable_type = Parameter
StateVariableValue.variable_type = StateVariable
