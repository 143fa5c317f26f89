"""Stacks of layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import modeldata as md
from modeldata import nn, nx
from modeldata.nn._stack_labels import joined_label, split_label
from modeldata.toolshed.save_intermediates import SaveIntermediate

KEY = jax.random.key(0)
SHARED, PER_LAYER = nn.LayerStackVarBehavior.SHARED, nn.LayerStackVarBehavior.PER_LAYER


def block(name, key=KEY, activation=jnp.tanh):
    return nn.Residual(
        nn.Sequential(
            [
                nn.RMSLayerNorm.from_config(f"{name}/norm", key, {"f": 4}),
                nn.Affine.from_config(f"{name}/in", key, {"f": 4}, {"n": 6}),
                nn.Elementwise(activation),
                nn.Affine.from_config(f"{name}/out", key, {"n": 6}, {"f": 4}),
            ]
        )
    )


def blocks(count, activations=(jnp.tanh,)):
    chosen = [activations[i % len(activations)] for i in range(count)]
    return [block(f"block_{i}", activation=chosen[i]) for i in range(count)]


def example():
    return nx.wrap(jax.random.normal(jax.random.key(1), (3, 4)), "b", "f")


def same(a, b):
    assert a.named_shape.keys() == b.named_shape.keys()
    np.testing.assert_allclose(a.order_like(b).data_array, b.data_array, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("activations", [(jnp.tanh,), (jnp.tanh, jnp.sin)])
def test_a_stack_computes_what_the_list_does_and_so_do_its_gradients(activations):
    layers, x = blocks(6, activations), example()
    stack = nn.LayerStack.from_sublayers(layers)
    assert stack.stack_axis_size == 6 // len(activations)
    same(stack(x), nn.Sequential(layers)(x))

    def loss(model, x):
        return (md.freeze_variables(model)(x) ** 2).untag("b", "f").sum().unwrap()

    listed = jax.grad(loss)(md.freeze_variables(nn.Sequential(layers)), x)
    stacked = jax.grad(loss)(md.freeze_variables(stack), x)
    unstacked = [layer for step in stacked.unstack() for layer in flat(step, len(activations))]
    for one, other in zip(
        jax.tree_util.tree_leaves(unstacked), jax.tree_util.tree_leaves(listed), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=1e-5)


def flat(step, period):
    return [step] if period == 1 else step.sublayers


def test_unstacking_is_the_inverse_of_stacking():
    layers = blocks(3)
    back = nn.LayerStack.from_sublayers(layers).unstack()
    for old, new in zip(layers, back, strict=True):
        old, new = md.freeze_variables(old), md.freeze_variables(new)
        assert jax.tree_util.tree_structure(old) == jax.tree_util.tree_structure(new)
        jax.tree_util.tree_map(np.testing.assert_array_equal, old, new)


def test_labels_of_stacked_parameters_tell_those_of_all_layers():
    stack = nn.LayerStack.from_sublayers(blocks(4, (jnp.tanh, jnp.sin)))
    labels = [variable.label for variable in md.unbind_params(stack)[1]]
    assert labels[0] == "block_{0:4:2}/norm/scale.weights"
    assert labels[-1] == "block_{1:5:2}/out/AddBias.bias"


@given(st.lists(st.text("ab/_0123", max_size=6), min_size=2, max_size=5, unique=True))
def test_joined_labels_can_be_split_again(labels):
    assert split_label(joined_label(labels), len(labels)) == labels


@pytest.mark.parametrize(
    ("labels", "joined"),
    [
        (["block_9/w", "block_10/w"], "block_{9:11}/w"),
        (["l0/x", "l4/x", "l8/x"], "l{0:12:4}/x"),
        (["l4", "l1"], "l{4,1}"),
        (["in/w", "out/w"], "{in,out}/w"),
        (["a{0}", "a{1}"], ("a{0}", "a{1}")),
        ([1, 2], (1, 2)),
        (["same", "same"], "same"),
    ],
)
def test_labels_join_as_a_range_a_list_or_a_tuple(labels, joined):
    assert joined_label(labels) == joined


@pytest.mark.parametrize(
    ("label", "labels"),
    [("blocks/w", ["blocks/w[0]", "blocks/w[1]"]), (7, [(7, 0), (7, 1)])],
)
def test_a_label_that_was_not_joined_gets_indices(label, labels):
    assert split_label(label, 2) == labels


def test_what_is_traced_does_not_grow_with_the_number_of_layers():
    def size(count):
        stack = md.freeze_variables(nn.LayerStack.from_sublayers(blocks(count)))
        return str(jax.make_jaxpr(lambda x: stack(x).unwrap("b", "f"))(example())).count("\n")

    assert size(2) == size(7)


def test_a_second_call_outside_compiled_code_compiles_nothing():
    traced = []

    def activation(x):
        traced.append(x)
        return jnp.tanh(x)

    stack = nn.LayerStack.from_sublayers([block(f"b{i}", activation=activation) for i in range(3)])
    first = stack(example())
    count = len(traced)
    same(stack(example()), first)
    assert len(traced) == count > 0


def test_a_parameter_that_all_layers_share_stays_one():
    shared = md.Parameter(value=nx.wrap(jnp.arange(4.0), "f"), label="shared")
    layers = [nn.Sequential([block(f"b{i}"), nn.AddBias(shared, ())]) for i in range(3)]
    stack = nn.LayerStack.from_sublayers(layers)
    assert md.select(stack).at_instances_of(nn.AddBias).get_sequence()[-1].bias is shared
    same(stack(example()), nn.Sequential(layers)(example()))
    assert all(layer.sublayers[1].bias is shared for layer in stack.unstack())


def test_a_variable_in_two_places_of_a_layer_is_one_in_the_stack():
    def layer(i):
        bias = md.Parameter(value=nx.wrap(jnp.arange(4.0) + i, "f"), label=f"bias{i}")
        return nn.Sequential([nn.AddBias(bias, ()), nn.AddBias(bias, ())])

    layers = [layer(i) for i in range(3)]
    stack = nn.LayerStack.from_sublayers(layers)
    one, other = stack.stacked_sublayers.sublayers
    assert one.bias is other.bias
    same(stack(example()), nn.Sequential(layers)(example()))
    one, other = stack.unstack()[1].sublayers
    assert one.bias is other.bias


def test_a_random_stream_gives_each_layer_what_it_gives_in_a_list():
    layers = [nn.Sequential([block(f"b{i}"), nn.StochasticDropout(0.5)]) for i in range(4)]
    streams = [md.RandomStream.from_base_key(KEY) for _ in range(2)]
    same(
        nn.LayerStack.from_sublayers(layers)(example(), random_stream=streams[0]),
        nn.Sequential(layers)(example(), random_stream=streams[1]),
    )
    assert int(streams[0].offset.value) == 4


@md.pytree_dataclass
class Count(nn.Layer):
    state: md.StateVariable

    def __call__(self, argument, /, **side_inputs):
        self.state.value = self.state.value + 1
        return argument * 1.0


def counter(value, behavior, axis="blocks", label="count"):
    metadata = {} if behavior is None else {"layerstack_axes": {axis: behavior}}
    return Count(md.StateVariable(value, label=label, metadata=metadata))


@pytest.mark.parametrize("behavior", [SHARED, None])
@pytest.mark.parametrize("compiled", [False, True])
def test_shared_state_is_handed_from_layer_to_layer(behavior, compiled):
    layer = counter(nx.wrap(jnp.zeros(())), behavior)
    stack = nn.LayerStack(layer, "blocks", 5)
    call = md.variable_jit(lambda model, x: model(x)) if compiled else (lambda model, x: model(x))
    call(stack, example())
    assert float(layer.state.value) == 5


@pytest.mark.parametrize("behavior", [PER_LAYER, None])
def test_state_of_each_layer_is_kept_apart_and_stored_as_before(behavior):
    start = nx.wrap(jnp.arange(6.0).reshape(2, 3), "x", "blocks")
    stack = nn.LayerStack(counter(start, behavior), "blocks", 3)
    stack(example())
    value = stack.stacked_sublayers.state.value
    assert value.dims == ("x", "blocks")
    np.testing.assert_array_equal(value.data_array, start.data_array + 1)


def test_what_is_saved_inside_a_stack_has_its_axis():
    layers, x = blocks(3), example()
    stack = nn.LayerStack.from_sublayers(layers)
    watched = md.select(stack).at_instances_of(nn.Elementwise).insert_after(SaveIntermediate())
    for _ in range(2):  # the second time there is something already
        watched(x)
        (saver,) = md.select(watched).at_instances_of(SaveIntermediate).get_sequence()
        assert dict(saver.saved.value.named_shape) == {"blocks": 3, "b": 3, "n": 6}


@md.pytree_dataclass
class AddToTotal(nn.Layer):
    def __call__(self, argument, /, **side_inputs):
        side_inputs["total"].value = side_inputs["total"].value + 1
        return argument


def test_a_variable_among_the_side_inputs_is_shared():
    total = md.StateVariable(0, label="total")
    nn.LayerStack(nn.Sequential([block("b"), AddToTotal()]), "blocks", 3)(example(), total=total)
    assert int(total.value) == 3


def test_stacks_can_be_nested():
    def row(i):
        return nn.LayerStack.from_sublayers([block(f"b{i}_{j}") for j in range(2)], "inner")

    rows = [row(i) for i in range(3)]
    nested = nn.LayerStack.from_sublayers(rows, "outer")
    same(nested(example()), nn.Sequential(rows)(example()))
    path, _ = next(
        (path, leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(nested)
        if isinstance(leaf, md.Parameter)
    )
    assert nn.layerstack_axes_from_keypath(path, nested) == {"outer": 3, "inner": 2}


# ---- Building ----


def build(init_base_rng):
    return nn.Sequential([block("blocks", init_base_rng), counter(nx.wrap(jnp.zeros(())), None)])


def test_a_builder_makes_layers_with_keys_of_their_own():
    stack = nn.LayerStack.from_sublayer_builder(build, "blocks", 3, KEY)
    for layer, key in zip(stack.unstack(), jax.random.split(KEY, 3), strict=True):
        expected = md.unbind_params(build(key), freeze=True)[1]
        for one, other in zip(md.unbind_params(layer)[1], expected, strict=True):
            np.testing.assert_allclose(
                one.value.data_array, other.value.data_array, rtol=1e-6, atol=1e-7
            )
    state = md.unbind_state_vars(stack)[1][0]
    assert state.metadata["layerstack_axes"] == {"blocks": PER_LAYER}
    assert dict(state.value.named_shape) == {"blocks": 3}


def test_a_stack_without_parameters_has_the_structure_of_one_with():
    empty = nn.LayerStack.from_sublayer_builder(build, "blocks", 3, None)
    stack = nn.LayerStack.from_sublayer_builder(build, "blocks", 3, KEY)
    filled = empty.bind_variables(md.unbind_params(stack)[1])
    one, other = (md.unbind_variables(model)[0] for model in (filled, stack))
    assert jax.tree_util.tree_structure(one) == jax.tree_util.tree_structure(other)
    same(filled(example()), stack(example()))


def test_arguments_of_the_builder_and_values_that_are_no_arrays_are_kept():
    def affine(init_base_rng, scale):
        return nn.Sequential([block("b", init_base_rng), nn.ConstantRescale(by=scale)])

    stack = nn.LayerStack.from_sublayer_builder(affine, "blocks", 2, KEY, {"scale": 0.5})
    assert stack.stacked_sublayers.sublayers[1] == nn.ConstantRescale(by=0.5)


OUTSIDE = md.Parameter(value=nx.wrap(jnp.zeros(4), "f"), label="outside")


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        (
            lambda init_base_rng: nn.AddBias(OUTSIDE, ()),
            "make all variables that it returns, but Parameter `outside` was there before",
        ),
        (
            lambda init_base_rng: nn.AddBias(md.Parameter(value=jnp.zeros(4), label="p"), ()),
            "Expected only named arrays in variables that are stacked, but the value of Parameter",
        ),
        (
            lambda init_base_rng: nn.ConstantRescale(by=jax.random.normal(init_base_rng)),
            "returned plain arrays that depend on its random key",
        ),
        (
            lambda init_base_rng: counter(nx.wrap(jnp.zeros(())), SHARED),
            "Expected state variables without an entry for the axis `blocks` in the metadata",
        ),
    ],
)
def test_a_builder_of_what_cannot_be_stacked_is_refused(builder, message):
    with pytest.raises(ValueError, match=message):
        nn.LayerStack.from_sublayer_builder(builder, "blocks", 2, KEY)


# ---- What is refused ----


def biased(*biases):
    return [nn.AddBias(bias, ()) for bias in biases]


def parameter(i, value=None):
    value = nx.wrap(jnp.zeros(4), "f") if value is None else value
    return md.Parameter(value=value, label=f"p{i}")


FIRST = parameter(0)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "at least one layer to stack, but got an empty list"),
        ([nn.Identity(), nn.Softmax("f")], "no pattern fits these 2: numbers 0 and 1 consist of"),
        (
            biased(parameter(0), parameter(1, nx.wrap(jnp.zeros(3), "f"))),
            r"numbers 0 and 1 differ, such as in .*'f': 4.* and .*'f': 3",
        ),
        (
            biased(FIRST, parameter(1), FIRST),
            r"but Parameter `p0` at `layer\.bias` is in some of them only",
        ),
        (
            biased(parameter(0, jnp.zeros(4)), parameter(1, jnp.zeros(4))),
            r"but the value of `p0` at `layer\.bias` is f32\[4\]",
        ),
        (
            [nn.ConstantRescale(by=jnp.ones(())), nn.ConstantRescale(by=jnp.zeros(()))],
            r"but `layer\.by` has other contents in each",
        ),
    ],
)
def test_layers_that_cannot_be_stacked_are_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        nn.LayerStack.from_sublayers(layers)


def test_a_period_that_does_not_fit_is_refused():
    for period in (0, 2, 4):
        with pytest.raises(ValueError, match=f"whose structure repeats after {period}, but"):
            nn.LayerStack.from_sublayers(blocks(6, (jnp.tanh, jnp.sin, jnp.cos)), period=period)


@pytest.mark.parametrize(
    ("value", "behavior", "message"),
    [
        (nx.wrap(jnp.zeros(3), "blocks"), SHARED, "Expected no arrays with the axis `blocks`"),
        (nx.wrap(jnp.zeros(3), "x"), PER_LAYER, "Expected named arrays with the axis `blocks`"),
        (jnp.zeros(3), PER_LAYER, "in StateVariable `count`, which is per layer in a"),
        (
            [nx.wrap(jnp.zeros(3), "blocks"), nx.wrap(jnp.zeros(3), "x")],
            None,
            "Expected no arrays with the axis `blocks`",
        ),
        (jnp.zeros(()), "shared", "Expected a `LayerStackVarBehavior` for the axis `blocks`"),
    ],
)
def test_state_that_does_not_fit_its_metadata_is_refused(value, behavior, message):
    with pytest.raises(ValueError, match=message):
        nn.LayerStack(counter(value, behavior), "blocks", 3)(example())


def test_a_side_input_with_a_value_for_each_layer_is_refused():
    state = md.StateVariable(nx.wrap(jnp.zeros(3), "blocks"), label="s")
    with pytest.raises(ValueError, match="side inputs of a `LayerStack` to be shared by its layer"):
        nn.LayerStack(block("b"), "blocks", 3)(example(), extra=state)


def test_an_output_that_cannot_be_the_next_input_is_refused():
    affine = nn.Affine.from_config("a", KEY, {"f": 4}, {"g": 4})
    with pytest.raises(ValueError, match=r"to keep their output as it came in, .*f:4.*g:4"):
        nn.LayerStack(affine, "blocks", 2)(example())
    with pytest.raises(ValueError, match=r"keep their output as it came in, .*f16.*f32"):
        nn.LayerStack(block("b"), "blocks", 2)(example().astype(jnp.float16))


def test_shared_state_that_changes_its_shape_is_refused():
    @md.pytree_dataclass
    class Grow(nn.Layer):
        state: md.StateVariable

        def __call__(self, argument, /, **side_inputs):
            self.state.value = jnp.zeros(2)
            return argument

    layer = Grow(md.StateVariable(jnp.zeros(1), label="grows"))
    with pytest.raises(ValueError, match="keep the value of the shared StateVariable `grows` as"):
        nn.LayerStack(layer, "blocks", 2)(example())
    assert layer.state.value.shape == (1,)


def test_arrays_with_another_number_of_layers_are_refused():
    stack = nn.LayerStack.from_sublayers(blocks(3)).replace(stack_axis_size=2)
    for use in (lambda: stack(example()), stack.unstack):
        with pytest.raises(ValueError, match=r"Expected 2 layers along .*scale` has 3"):
            use()
