"""Compiling functions whose arguments hold variables.

The arguments are flattened once, in C++: variables are leaves. What goes into the compiled function
is the list of other leaves and the list of the variables' values; the structure, and who is who, is
one static argument. No tree is rebuilt on a warm call, and only what the function changed comes out
of the compiled code. So parameters, which rarely change, cost nothing on the way back.
"""

import functools
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import jax

from modeldata.variables._arguments import chosen_arguments, put_back, refuse_other_leaves, take_out
from modeldata.variables._binding import refuse_conflicts
from modeldata.variables._plan import Plan, Planner
from modeldata.variables._threading import apply, commit, model_in, put_together, take_apart
from modeldata.variables._variable import AbstractVariable


class _Call(NamedTuple):
    """A call, ready to be made.

    Attributes:
        plan: What compiled code depends on.
        arrays: The arrays of arguments that are kept, those of donated ones, and, for each
            variable, the leaves of its value.
        variables: The variables.
    """

    plan: Plan
    arrays: tuple[list[Any], list[Any], tuple[list[Any], ...]]
    variables: list[AbstractVariable]


class VariableJit:
    """A compiled function that `variable_jit` has made; call it like the original.

    Args:
        fun: The function.
        donate_variables: Whether compiled code may reuse the memory of all variables.
        **jit_kwargs: Further keywords of `jax.jit`.
    """

    def __init__(
        self, fun: Callable[..., Any], *, donate_variables: bool = False, **jit_kwargs: Any
    ) -> None:
        functools.update_wrapper(self, fun, updated=())  # not the fields of a layer
        self._fun = fun
        self._model = model_in(fun)
        self._statics = chosen_arguments(fun, "static", jit_kwargs)
        self._donated = chosen_arguments(fun, "donate", jit_kwargs)
        self._returns_all = donate_variables
        self._planner = Planner("variable_jit")
        if "in_shardings" in jit_kwargs:
            raise ValueError(
                "`variable_jit` does not take `in_shardings`: compiled code follows the sharding "
                "of the arrays it is given. Place them with `jax.device_put` first."
            )
        if "out_shardings" in jit_kwargs:
            jit_kwargs["out_shardings"] = (jit_kwargs["out_shardings"], None)

        def traced(plan: Plan, kept: list[Any], donated: list[Any], leaves: Any) -> Any:
            return self._trace(plan, kept, donated, leaves)

        traced.__name__ = getattr(fun, "__name__", type(fun).__name__)  # shown in profiles
        donate = (2, 3) if donate_variables else (2,)
        self._compiled: Any = jax.jit(traced, static_argnums=0, donate_argnums=donate, **jit_kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        plan, arrays, variables = self._prepare(args, kwargs)
        try:
            result, changes = self._planner.call(self._compiled, plan, variables, *arrays)
        except TypeError as error:
            refuse_other_leaves(self._fun, self._statics, args, kwargs, error)
            raise
        if changes:
            commit(variables, changes)
        return result

    def __repr__(self) -> str:
        return f"<variable_jit of {self._fun!r}>"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def lower(self, *args: Any, **kwargs: Any) -> "VariableLowered":
        """Traces and lowers for these arguments, as the `lower` of a function of `jax.jit` does.

        No variable changes.

        Args:
            *args: Arguments as for a call.
            **kwargs: Keyword arguments as for a call.
        """
        plan, arrays, variables = self._prepare(args, kwargs)
        lowered = self._planner.call(self._compiled.lower, plan, variables, *arrays)
        return VariableLowered(lowered, self, self._planner.completed(plan, variables))

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Returns shapes and dtypes of the result, as that of a function of `jax.jit` does.

        Nothing is computed, and no variable changes. Values of variables may be stand-ins such as
        `jax.ShapeDtypeStruct`.

        Args:
            *args: Arguments as for a call.
            **kwargs: Keyword arguments as for a call.
        """
        plan, arrays, variables = self._prepare(args, kwargs)
        return self._planner.call(self._compiled.eval_shape, plan, variables, *arrays)[0]

    def call_compiled(
        self, compiled: Any, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Calls what `jax.stages.Lowered.compile` returned, and updates variables.

        Args:
            compiled: The compiled code.
            plan: What it depends on.
            args: Arguments as for a call.
            kwargs: Keyword arguments as for a call.

        Raises:
            TypeError: If the arguments do not fit the plan.
        """
        given, arrays, variables = self._prepare(args, kwargs)
        if plan.labels is not None:
            given = self._planner.completed(given, variables)
        if given != plan:
            raise TypeError(
                "Expected arguments of the structure that this function was compiled for, with "
                f"the same variables and static arguments; what differs: {given.difference(plan)}. "
                "Call the function of `variable_jit` itself, which compiles anew when it must."
            )
        result, changes = compiled(*arrays)
        commit(variables, changes)
        return result

    def clear_cache(self) -> None:
        """Forgets all compiled code."""
        self._compiled.clear_cache()

    def _cache_size(self) -> int:
        """Returns how many times this was compiled, as that of a function of `jax.jit` does."""
        return self._compiled._cache_size()  # noqa: SLF001  # JAX has no other name for it

    def _prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call:
        statics: tuple[tuple[int | str, Hashable], ...] = ()
        given: Any = None
        if self._statics:
            args, kwargs, chosen = take_out(self._statics, args, kwargs)
            statics = tuple(chosen.items())
        if self._donated:
            args, kwargs, chosen = take_out(self._donated, args, kwargs)
            # Keys of both kinds in one dictionary could not be sorted, as JAX does.
            given = [
                {key: value for key, value in chosen.items() if isinstance(key, kind)}
                for kind in (int, str)
            ]
        numbers: dict[AbstractVariable, int] = {}
        kept = take_apart((args, kwargs, self._model), numbers)
        donated = take_apart(given, numbers)
        variables = list(numbers)
        flat = [variable.flatten() for variable in variables]
        leaves, signatures, made = zip(*flat, strict=True) if flat else ((), (), ())
        if len(set(made) - {None}) < len(made) - made.count(None):  # which no plan shows
            refuse_conflicts(variables, (args, kwargs, self._model, given))
        plan = Plan(
            (kept.treedef, donated.treedef),
            (kept.layout, donated.layout),
            signatures,
            statics,
        )
        return _Call(plan, (kept.arrays, donated.arrays, leaves), variables)

    def _trace(
        self, plan: Plan, kept: list[Any], donated: list[Any], leaves: tuple[list[Any], ...]
    ) -> tuple[Any, dict[int, Any]]:
        treedefs = [signature.content[-1] for signature in plan.signatures]
        values = [treedef.unflatten(part) for treedef, part in zip(treedefs, leaves, strict=True)]

        def body(variables: list[Any]) -> Any:
            kept_tree, donated_tree = (
                put_together(treedef, layout, arrays, variables)
                for treedef, layout, arrays in zip(
                    plan.treedefs, plan.layouts, (kept, donated), strict=True
                )
            )
            refuse_conflicts(variables, (kept_tree, donated_tree))
            args, kwargs, model = kept_tree
            for chosen in (dict(plan.statics), *(donated_tree or ())):
                args, kwargs = put_back(args, kwargs, chosen)
            return apply(self._fun, (args, kwargs, model))

        result, changes = self._planner.trace(plan, body, values)
        if self._returns_all:
            changes = {**dict(enumerate(values)), **changes}
        return result, changes


class _Stage:
    """A stage of compilation: that of JAX, with the plan that it is good for."""

    def __init__(self, stage: Any, function: VariableJit, plan: Plan) -> None:
        self._stage = stage
        self._function = function
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._function!r}>"


class VariableLowered(_Stage):
    """A lowered function; all that is in `jax.stages.Lowered` is here, too."""

    def compile(self, **kwargs: Any) -> "VariableCompiled":
        """Compiles.

        Args:
            **kwargs: Keywords of `jax.stages.Lowered.compile`.

        Returns:
            A compiled function, to be called with variables.
        """
        return VariableCompiled(self._stage.compile(**kwargs), self._function, self._plan)


class VariableCompiled(_Stage):
    """A compiled function; all that is in `jax.stages.Compiled` is here, too.

    Call it with arguments of the structure, shapes and dtypes that it was compiled for. Variables
    in them are updated as by a function of `variable_jit`.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the compiled code.

        Raises:
            TypeError: If the arguments have another structure than those it was compiled for.
        """
        return self._function.call_compiled(self._stage, self._plan, args, kwargs)


def variable_jit(
    fun: Callable[..., Any] | None = None, *, donate_variables: bool = False, **jit_kwargs: Any
) -> Any:
    """Compiles a function whose arguments may hold variables, as `jax.jit` compiles others.

    Variables may appear anywhere in the arguments, also several times. The function may assign to
    them; the variables outside have the new values when the call returns. Only what it changed
    comes out of the compiled code. If it raises, no variable changes.

    Arguments with equal structure, shapes, dtypes and labels share compiled code. Labels of state
    variables that were made automatically count only if the function looks at them.

    The function may not use variables that it did not get as arguments, nor return any. If it is a
    model itself, as in `variable_jit(model)(x)`, the model counts as an argument.

    Args:
        fun: The function; leave it out to decorate with keywords.
        donate_variables: Whether compiled code may reuse the memory of the variables' old values.
            Arrays that anything else refers to, such as frozen values, are then lost. All
            variables, changed or not, come out of each call.
        **jit_kwargs: Keywords of `jax.jit`, such as `static_argnames` and `donate_argnums`, apart
            from `in_shardings`.

    Returns:
        The compiled function, or a decorator if `fun` is not given.

    Raises:
        ValueError: If `in_shardings` is given, or a name is not that of an argument.
    """
    if fun is None:
        return functools.partial(variable_jit, donate_variables=donate_variables, **jit_kwargs)
    return VariableJit(fun, donate_variables=donate_variables, **jit_kwargs)
