"""How modeldata's objects look through treeview."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import treeview

import modeldata as md
from modeldata import nn, nx
from modeldata.nn import Sequential


@pytest.fixture
def mlp():
    key = jax.random.key(0)
    return Sequential(
        [
            nn.Linear.from_config("first", key, {"x": 3}, {"y": 2}),
            nn.AddBias.from_config("bias", key, {"y": 2}),
        ]
    )


def test_a_model_reads_as_the_calls_that_make_it(mlp):
    assert treeview.render_text(md.unbind_params(mlp)[0], width=90) == (
        "Sequential(\n"
        "  sublayers=[\n"
        "    Linear(\n"
        "      weights=ParameterSlot(label='first.weights'),\n"
        "      in_axis_names=('x',),\n"
        "      out_axis_names=('y',),\n"
        "    ),\n"
        "    AddBias(bias=ParameterSlot(label='bias.bias'), new_axis_names=()),\n"
        "  ],\n"
        ")"
    )


def test_a_roundtrip_rebuilds_an_equal_model(mlp):
    unbound, _ = md.unbind_params(mlp)
    text = treeview.render_text(unbound, roundtrip=True)
    assert eval(text, {"modeldata": md}) == unbound


def test_a_parameter_shows_value_and_label():
    parameter = md.Parameter(value=nx.wrap(jnp.array([1.0, 2.0]), "y"), label="p")
    assert (
        treeview.render_text(parameter, width=80)
        == "Parameter(value=NamedArray float32[y:2] [1, 2], label='p')"
    )


def test_metadata_shows_only_where_there_is_some():
    parameter = md.Parameter(value=jnp.array(1.0), label="p", metadata={"trainable": False})
    assert "metadata={'trainable': False}" in treeview.render_text(parameter, width=120)


def test_a_named_array_names_its_axes_in_the_order_of_its_data():
    array = nx.wrap(jnp.zeros((2, 3, 4)), "a", "b", "c")
    text = treeview.render_text(array.untag("b"), statistics=False)
    assert text == "NamedArray float32[a:2, 3, c:4]"


def test_totals_count_parameters_once_however_often_they_are_used(mlp):
    twice = Sequential([mlp, mlp])
    first_line = treeview.render_text(twice, totals=True).splitlines()[0]
    assert first_line == "Sequential(  # 8 parameters, 32 B"


def test_a_layer_used_twice_is_shown_once(mlp):
    shared = md.Parameter(value=jnp.ones(3), label="shared")
    text = treeview.render_text([shared, shared], width=80)
    assert text == (
        "[\n"
        "  Parameter(value=jax.Array float32[3] [1, 1, 1], label='shared'),\n"
        "  <same Parameter as [0]>,\n"
        "]"
    )


def test_static_fields_are_styled_as_settings(mlp):
    html = treeview.render_html(md.unbind_params(mlp)[0])
    assert "in_axis_names" in html
    document = treeview.render(md.unbind_params(mlp)[0].sublayers[0]).document
    styles = {label.plain: label.spans[0][1] for label in document.labels}
    assert styles == {"weights": "field", "in_axis_names": "static", "out_axis_names": "static"}


def test_a_selection_marks_its_places_and_opens_the_way_to_them(mlp):
    many = Sequential([md.unbind_params(mlp)[0] for _ in range(3)])
    biases = md.select(many).at_instances_of(nn.AddBias).pick_nth_selected(2)
    lines = treeview.render_text(biases, width=80, max_lines=5).splitlines()
    assert lines[0] == "select(  # 1 selected"
    marked = [line for line in lines if "◆" in line]
    assert len(marked) == 1
    assert marked[0].strip().startswith("◆ AddBias(")


@pytest.mark.parametrize("value", [3, "text", None, (1, 2), np.arange(3)])
def test_selected_leaves_of_any_kind_are_marked(value):
    text = treeview.render_text(md.select([value, 0]).at(lambda tree: tree[0]), width=100)
    assert text.count("◆") == 1


def test_an_invalid_named_array_shows_what_it_holds():
    invalid = nx.NamedArray.from_attributes(data_array=jnp.ones(3), dims=("a", "b"))
    text = treeview.render_text([invalid, 1], width=400)
    assert text == "[NamedArray(data_array=jax.Array float32[3] [1, 1, 1], dims=('a', 'b')), 1]"


def test_derivatives_show_the_named_arrays_in_named_arrays():
    jacobian = jax.jacobian(lambda x: x * x)(nx.ones({"a": 2}))
    text = treeview.render_text(jacobian, width=400)
    assert text.startswith("NamedArray(data_array=NamedArray float32[2, a:2]")


def test_none_can_be_the_name_of_an_axis():
    assert treeview.render_text(nx.zeros({None: 2, "a": 1})).startswith(
        "NamedArray float32[None:2, a:1]"
    )


def test_models_can_be_shown_while_they_are_traced(mlp):
    shown = []

    @md.variable_jit
    def call(model, x):
        shown.append(treeview.render_text([model, x], width=120))
        return model(x)

    call(mlp, nx.wrap(jnp.ones(3), "x"))
    assert "float32[x:3]" in shown[0]
    assert "Linear(" in shown[0]


def test_values_and_slots_of_variables_show_their_kind():
    state = md.StateVariable(jnp.array(0), label="count")
    slot, values = md.unbind_variables([state], freeze=True)
    assert treeview.render_text(slot) == "[StateVariableSlot(label='count')]"
    assert treeview.render_text(values[0]).startswith("StateVariableValue(value=")


def test_shape_stand_ins_show_without_values():
    structure = jax.eval_shape(lambda: nx.wrap(jnp.ones((2, 3)), "a", "b"))
    assert treeview.render_text(structure) == "NamedArray float32[a:2, b:3] <abstract>"


@pytest.mark.parametrize("held", [None, "nothing", jax.sharding.PartitionSpec("a")])
def test_a_named_array_that_holds_no_array_shows_what_it_holds(held):
    array = nx.NamedArray.from_attributes(data_array=held, dims=("a",))
    text = treeview.render_text(array, width=100)
    assert text == f"NamedArray(data_array={held!r}, dims=('a',))"


def test_a_roundtrip_rebuilds_a_named_array():
    array = nx.wrap(jnp.arange(6).reshape(2, 3), "a", "b").untag("b")
    text = treeview.render_text(array, roundtrip=True)
    rebuilt = eval(text, {"modeldata": md, "jax": jax})
    assert rebuilt.dims == array.dims
    assert (rebuilt == array).data_array.all()


def test_patterns_of_shapes_read_as_they_are_written():
    spec = md.shapecheck.ArraySpec(
        named_shape={**md.shapecheck.var("b"), "c": 3}, dtype=np.floating
    )
    assert treeview.render_text(spec, width=100) == repr(spec)
    assert treeview.render_text([md.shapecheck.ANY]) == f"[{md.shapecheck.ANY!r}]"


def test_subclasses_of_groups_say_what_they_are():
    @md.pytree_dataclass(has_implicitly_inherited_fields=True)
    class Head(nn.CheckedSequential):
        pass

    any_ = md.shapecheck.ANY
    text = treeview.render_text(Head(any_, any_, [nn.Identity()]))
    assert text.splitlines()[0].endswith("# CheckedSequential")


@md.pytree_dataclass
class Scaled(md.Struct):
    by: float

    def __init__(self, percent):
        self.by = percent / 100


def test_a_roundtrip_goes_around_an_init_that_does_not_take_the_fields(monkeypatch):
    monkeypatch.setattr("modeldata.Scaled", Scaled, raising=False)
    monkeypatch.setattr(Scaled, "__module__", "modeldata")
    text = treeview.render_text(Scaled(50), roundtrip=True)
    assert text == "modeldata.Scaled.from_attributes(by=0.5)"
    assert eval(text, {"modeldata": md}) == Scaled(50)
