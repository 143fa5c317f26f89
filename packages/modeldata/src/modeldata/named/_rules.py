"""JAX functions whose meaning for named arrays is known, so that `jax.vmap` is not needed.

Three kinds: elementwise functions, functions that remove axes (`jnp.sum`), and functions that work
along axes and keep them (`jax.nn.softmax`). The latter two get the numbers of the stored axes.
"""

import functools
import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np

from modeldata.named._aligned import elementwise, is_arraylike
from modeldata.named._base import Named
from modeldata.named._dims import Dims, Labels, dims_of, layout_of
from modeldata.named._vectorized import vectorized

_Rule = Callable[[Callable[..., Any], Sequence[Any], Mapping[str, Any]], Any]


def call(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], cls: type[Named]
) -> Any:
    """Calls a function on the positional axes of named arrays, in the cheapest way known.

    Args:
        function: A function of arrays.
        args: Positional arguments.
        kwargs: Keyword arguments.
        cls: The class of named arrays to make.

    Returns:
        What `vectorized` would return, though axes may be stored in another order.

    Raises:
        ValueError: If an axis name has two sizes, or an axis number is out of range.
    """
    rule = _rule_for(function)
    if rule is not None:
        result = rule(function, args, kwargs)
        if result is not NotImplemented:
            return result
    return vectorized(function, args, kwargs, cls)


def _rule_for(function: Callable[..., Any]) -> _Rule | None:
    try:
        return _RULES.get(function)
    except TypeError:  # callables need not be hashable
        return None


def _map_elements(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    if len(args) == 1 and not kwargs and isinstance(args[0], Named):
        return _map_one(function, args[0])
    if any(map(_is_dynamic, kwargs.values())):
        return NotImplemented
    if not any(isinstance(arg, Named) for arg in args) or (function is jnp.where and len(args) < 3):
        return NotImplemented
    if not all(isinstance(arg, Named) or is_arraylike(arg) for arg in args):
        return NotImplemented
    return elementwise(function, args, kwargs)


def _map_one(function: Callable[..., Any], x: Named) -> Any:
    if function is jnp.where:
        return NotImplemented
    outputs = function(x.data_array)
    if isinstance(outputs, tuple):
        return tuple(x._make(output, x.dims) for output in outputs)
    return x._make(outputs, x.dims)


def _reduce(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Removes positional axes, all of them by default."""
    bound = _bind(function, args, kwargs)
    if bound is None:
        return NotImplemented
    x, axis, options = bound
    stored, kept = _reduction(x.dims, len(x.layout.labels), axis)
    if function in _ONE_AXIS:
        if len(stored) != 1:
            return NotImplemented
        stored = stored[0]
    output = function(x.data_array, axis=stored, **options)
    return x._make(output, x.dims if options.get("keepdims") else kept)


@functools.lru_cache(4096)
def _reduction(dims: Dims, ndim: int, axis: Any) -> tuple[tuple[int, ...], Dims]:
    """Returns the stored axes that a reduction removes, and the dims that are left."""
    layout = layout_of(dims, ndim)
    numbers = tuple(range(layout.rank)) if axis is None else _numbers(axis, layout.rank)
    stored = tuple(layout.positional[number] for number in numbers)
    return stored, dims_of(_without(layout.labels, numbers))


def _work_along(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Works along positional axes and keeps them."""
    bound = _bind(function, args, kwargs)
    if bound is None:
        return NotImplemented
    x, axis, options = bound
    layout = x.layout
    if axis is None and layout.rank == 1:
        axis = 0
    if axis is None:
        return NotImplemented
    stored = tuple(layout.positional[number] for number in _numbers(axis, layout.rank))
    output = (_FUSED.get(function, function) if not options else function)(
        x.data_array, axis=stored if isinstance(axis, tuple) else stored[0], **options
    )
    return x._make(output, x.dims)


def _bind(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Named, Any, dict[str, Any]] | None:
    """Returns the array, the axis and the other options; None if the call is an unusual one."""
    if not args or not isinstance(args[0], Named) or len(args) > 2:
        return None
    if "axis" in kwargs and len(args) == 2:
        return None  # let the function itself complain
    options = dict(kwargs)
    axis = args[1] if len(args) == 2 else options.pop("axis", _default_axis(function))
    if isinstance(axis, (list, np.ndarray, jax.Array)) or any(map(_is_dynamic, options.values())):
        return None
    return args[0], axis, options


@functools.cache
def _default_axis(function: Callable[..., Any]) -> Any:
    return inspect.signature(function).parameters["axis"].default


def _is_dynamic(value: Any) -> bool:
    """Returns whether an option is an array, or holds some."""
    return any(
        isinstance(leaf, (Named, jax.Array, np.ndarray))
        for leaf in jax.tree_util.tree_leaves(value, is_leaf=lambda x: isinstance(x, Named))
    )


def _numbers(axis: Any, rank: int) -> tuple[int, ...]:
    entries = axis if isinstance(axis, tuple) else (axis,)
    names = [entry for entry in entries if not isinstance(entry, SupportsIndex)]
    if names:
        raise TypeError(
            f"Expected `axis` to number positional axes, got {names[0]!r}. Functions see "
            f"positional axes only: `untag` the axis first, as in `x.untag({names[0]!r}).sum()`."
        )
    numbers = tuple(map(operator.index, entries))
    bad = [number for number in numbers if not -rank <= number < rank]
    if bad:
        raise ValueError(
            f"Expected `axis` to number positional axes, of which there are {rank}, got {bad[0]}. "
            "Named axes are not numbered: `untag` those that the function should see."
        )
    return tuple(number % rank for number in numbers)


def _without(labels: Labels, numbers: tuple[int, ...]) -> Labels:
    kept = sorted(label for label in labels if isinstance(label, int) and label not in numbers)
    renumbered = {label: number for number, label in enumerate(kept)}
    return tuple(
        renumbered[label] if isinstance(label, int) else label
        for label in labels
        if not isinstance(label, int) or label in renumbered
    )


def _functions(module: Any, names: str) -> list[Callable[..., Any]]:
    """Returns the functions that this version of JAX has."""
    return [getattr(module, name) for name in names.split() if hasattr(module, name)]


_ELEMENTWISE = [
    *_functions(
        jnp,
        "abs absolute acos acosh add angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh "
        "asin asinh atan atan2 atanh bitwise_and bitwise_invert bitwise_left_shift bitwise_not "
        "bitwise_or bitwise_right_shift bitwise_xor cbrt ceil clip conj conjugate copysign cos "
        "cosh deg2rad degrees divide divmod equal exp exp2 expm1 fabs float_power floor "
        "floor_divide fmax fmin fmod gcd greater greater_equal heaviside hypot imag invert isclose "
        "isfinite isinf isnan isneginf isposinf lcm ldexp left_shift less less_equal log log10 "
        "log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor maximum "
        "minimum mod modf multiply nan_to_num negative nextafter not_equal positive pow power "
        "rad2deg radians real reciprocal remainder right_shift rint round sign signbit sin sinc "
        "sinh sqrt square subtract tan tanh true_divide trunc where",
    ),
    *_functions(
        jax.nn,
        "celu elu gelu hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid mish "
        "relu relu6 selu sigmoid silu soft_sign softplus squareplus swish tanh",
    ),
    *_functions(
        jax.lax, "erf exp log logistic rsqrt sqrt square stop_gradient tanh sin cos integer_pow"
    ),
]
_REDUCTIONS = [
    *_functions(
        jnp,
        "all amax amin any argmax argmin count_nonzero max mean median min nanargmax nanargmin "
        "nanmax nanmean nanmin nanprod nanstd nansum nanvar prod ptp std sum var",
    ),
    *_functions(jax.nn, "logsumexp"),
]
_ONE_AXIS = frozenset(_functions(jnp, "argmax argmin nanargmax nanargmin"))
_ALONG = [
    *_functions(jnp, "argsort cumprod cumsum flip nancumprod nancumsum sort"),
    *_functions(jax.nn, "log_softmax softmax standardize"),
]
# JAX runs these as many small operations; compiled as a whole they take a fraction of the time.
_FUSED = {
    function: jax.jit(function, static_argnames="axis", inline=True)
    for function in _functions(jax.nn, "log_softmax softmax")
}
_RULES: dict[Any, _Rule] = {
    **dict.fromkeys(_ELEMENTWISE, _map_elements),
    **dict.fromkeys(_REDUCTIONS, _reduce),
    **dict.fromkeys(_ALONG, _work_along),
}
