"""Modules, variables and states of flax.nnx."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import treeview
from flax import nnx


class Net(nnx.Module):
    def __init__(self, rngs):
        ones = nnx.initializers.ones
        self.width = 4
        self.first = nnx.Linear(3, 4, kernel_init=ones, rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.layers = nnx.List([nnx.Linear(4, 2, use_bias=False, kernel_init=ones, rngs=rngs)])
        self.tied = self.first.kernel


@pytest.fixture
def net():
    return Net(nnx.Rngs(0))


def test_importing_treeview_imports_no_flax(imported_by_treeview):
    assert imported_by_treeview("flax.nnx", "treeview.adapters.nnx") == []


def test_a_module_shows_settings_first_and_then_its_variables(shown, net):
    assert shown(net) == "\n".join(
        [
            "Net(",
            "  width=4,",
            "  first=Linear(  # 6 more settings",
            "    in_features=3,",
            "    out_features=4,",
            "    use_bias=True,",
            "    kernel=Param float32[3, 4] all 1,",
            "    bias=Param float32[4] [0, 0, 0, 0],",
            "  ),",
            "  norm=BatchNorm(  # 5 more settings",
            "    num_features=4,",
            "    use_running_average=False,",
            "    axis=-1,",
            "    momentum=0.99,",
            "    epsilon=1e-05,",
            "    use_bias=True,",
            "    use_scale=True,",
            "    use_fast_variance=True,",
            "    mean=BatchStat float32[4] [0, 0, 0, 0],",
            "    var=BatchStat float32[4] [1, 1, 1, 1],",
            "    scale=Param float32[4] [1, 1, 1, 1],",
            "    bias=Param float32[4] [0, 0, 0, 0],",
            "  ),",
            "  layers=List([",
            "    Linear(  # 6 more settings",
            "      in_features=4,",
            "      out_features=2,",
            "      use_bias=False,",
            "      kernel=Param float32[4, 2] all 1,",
            "      bias=None,",
            "    ),",
            "  ]),",
            "  tied=Param float32[3, 4] all 1 <same as .first.kernel>,",
            ")",
        ]
    )


def test_totals_tell_parameters_from_state(lines, net):
    assert lines(net, totals=True)[0] == "Net(  # 32 parameters, 128 B; 8 state values, 32 B"


def test_variables_are_called_by_their_kind_and_show_what_is_noted_on_them(shown):
    assert shown(nnx.Param(jnp.ones((2, 3)))) == "Param float32[2, 3] all 1"
    assert shown(nnx.BatchStat(np.ones((2, 3)))) == "BatchStat float64[2, 3] all 1"
    assert shown(nnx.Variable({"a": 1})) == "Variable(value={'a': 1})"
    assert shown(nnx.Param(jnp.ones((2, 3)), role="embedding")) == (
        "Param(value=jax.Array float32[2, 3] all 1, role='embedding')"
    )


def test_states_graphs_and_keys_are_shown(shown, net):
    graph, state = nnx.split(net.first)
    assert shown(state) == (
        "State({\n  'bias': Param float32[4] [0, 0, 0, 0],\n"
        "  'kernel': Param float32[3, 4] all 1,\n})"
    )
    assert shown(nnx.to_flat_state(state)) == (
        "FlatState({\n  ('bias',): Param float32[4] [0, 0, 0, 0],\n"
        "  ('kernel',): Param float32[3, 4] all 1,\n})"
    )
    assert shown(graph).endswith(" nodes, 13 attributes")
    assert shown(nnx.Rngs(0).default) == (
        "RngStream(tag='default', key=RngKey key<fry>[], count=RngCount uint32[] 0)"
    )
    assert shown(nnx.Dict(a=1, b=jnp.ones(1))) == "Dict(a=1, b=jax.Array float32[1] [1])"


def test_an_optimizer_shows_its_transformation(lines, net):
    optimizer = nnx.Optimizer(net.first, optax.sgd(0.5), wrt=nnx.Param)
    assert lines(optimizer, 100)[1] == (
        "  tx=chain(identity(), scale(step_size=-0.5)),  # GradientTransformationExtraArgs"
    )


def test_abstract_and_traced_modules_are_shown(shown, net):
    abstract = nnx.eval_shape(lambda: nnx.Linear(2, 3, rngs=nnx.Rngs(0)))
    assert "kernel=Param float32[2, 3] <abstract>" in shown(abstract)
    seen = []
    nnx.jit(lambda module: seen.append(shown(module)))(net.first)
    assert "kernel=Param float32[3, 4] <traced>" in seen[0]


def test_flax_own_printer_is_not_called(shown, net, monkeypatch):
    def boom(*_, **__):
        raise RuntimeError("called")

    monkeypatch.setattr(nnx.Module, "__treescope_repr__", boom, raising=False)
    monkeypatch.setattr(nnx.Pytree, "__treescope_repr__", boom, raising=False)
    assert shown(net).startswith("Net(\n  width=4,")


def test_a_module_within_itself_ends(shown, net):
    object.__setattr__(net.first, "up", net)
    assert "up=<back to the Net at the root>" in shown(net)


def test_roundtrip_text_of_a_module_is_marked(shown):
    assert shown(nnx.Dict(a=1), roundtrip=True) == "<flax.nnx.Dict(a=1)>"
    rebuilt = eval(
        shown(nnx.Param(jnp.ones(2)), roundtrip=True), {"flax": __import__("flax"), "jax": jax}
    )
    assert isinstance(rebuilt, nnx.Param)
    np.testing.assert_array_equal(rebuilt[...], jnp.ones(2))


def test_a_broken_variable_or_module_says_so(survives):
    class Sour(nnx.Param):
        def get_metadata(self, *_):
            raise ValueError("boom")

    class Half(nnx.Module):
        def __repr__(self):
            raise ValueError("boom")

    assert "boom" in survives(Sour(jnp.ones(2)))
    assert survives(Half()) == "Half()"


def test_deleted_values_are_said(shown):
    value = jnp.ones(4)
    variable = nnx.Param(value)
    value.delete()
    assert shown(variable) == "Param float32[4] <deleted>"
