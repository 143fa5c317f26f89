"""Taking a part of a model out, together with what it was called with."""

from collections.abc import Callable
from typing import Any

import jax
from jax.core import Tracer

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.nn import Layer
from modeldata.selectors import Selection
from modeldata.variables import AbstractVariableValue, freeze_params, unbind_state_vars


@pytree_dataclass
class IsolatedSubmodel(Struct):
    """One call of a layer: the layer, what went in, and what came out.

    The layer is a pure function of what is saved here, so it can be studied on its own:

        output, final = isolated.submodel.stateless_call(
            isolated.initial_var_values, isolated.saved_arg, **isolated.saved_side_inputs
        )

    Attributes:
        submodel: The layer, with frozen parameters, and slots for state variables.
        saved_arg: Its input, with slots for state variables.
        saved_side_inputs: The side inputs of the model by name, with slots for state variables.
        saved_output: Its output.
        initial_var_values: The frozen values of all these state variables before the call.
        final_var_values: Their values afterwards, in the same order.
    """

    submodel: Layer
    saved_arg: Any
    saved_side_inputs: dict[str, Any]
    saved_output: Any
    initial_var_values: tuple[AbstractVariableValue, ...]
    final_var_values: tuple[AbstractVariableValue, ...]


def call_and_extract_submodel(
    selection: Selection, argument: Any, /, **side_inputs: Any
) -> IsolatedSubmodel | list[IsolatedSubmodel]:
    """Runs a model, and takes out one layer with what it was called with.

    State variables of the model change as in any call.

    Args:
        selection: A model in which one layer is selected.
        argument: The input of the model.
        **side_inputs: Its side inputs.

    Returns:
        The call of the layer; a list of calls, in order, if there were none or several.

    Raises:
        ValueError: If anything else than one layer is selected, or the tree cannot be called.
        RuntimeError: If the layer is called by compiled code.
    """
    if selection.count() != 1 or not isinstance(selection.get(), Layer):
        kinds = [type(node).__name__ for node in selection.get_sequence()]
        raise ValueError(
            f"Expected a selection of one `Layer`, but selected are {kinds or 'none'}. Narrow it, "
            "as with `pick_nth_selected`."
        )
    if not callable(model := selection.deselect()):
        raise ValueError(  # noqa: TRY004  # the same class as for other wrong selections
            f"Expected a selection in a model, which can be called, but the tree is a "
            f"`{type(model).__name__}`. Begin with the model: `select(model)`."
        )
    calls: list[IsolatedSubmodel] = []
    recording: Any = selection.apply(lambda layer: _Recording(layer, calls.append))
    recording(argument, **side_inputs)
    return calls[0] if len(calls) == 1 else calls


@pytree_dataclass
class _Recording(Layer):
    """Runs a layer and hands over what it was called with."""

    layer: Layer
    record: Callable[[IsolatedSubmodel], None] = static_field()

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        parts = freeze_params((self.layer, argument, side_inputs))
        (layer, arg, sides), variables = unbind_state_vars(parts)
        before = tuple(variable.freeze() for variable in variables)
        output = self.layer(argument, **side_inputs)
        after = tuple(variable.freeze() for variable in variables)
        call = IsolatedSubmodel(layer, arg, sides, output, before, after)
        if any(isinstance(leaf, Tracer) for leaf in jax.tree_util.tree_leaves(call)):
            raise RuntimeError(
                f"Expected to run the selected `{type(layer).__name__}` outside of compiled code, "
                "where its inputs are known. Take it out of `Jitted` and `LayerStack` "
                "(`LayerStack.unstack`, `models.unstack_blocks`), and call this without `jit`."
            )
        self.record(call)
        return output
