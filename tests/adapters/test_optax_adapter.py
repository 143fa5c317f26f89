"""Transformations and states of optax, and dataclasses of chex."""

import chex
import jax
import jax.numpy as jnp
import optax


def test_importing_treeview_imports_no_optax(imported_by_treeview):
    assert imported_by_treeview("optax", "chex", "treeview.adapters.optax") == []


def test_a_transformation_shows_what_made_it(shown):
    made = optax.chain(optax.clip(1.0), optax.sgd(optax.constant_schedule(0.5)))
    assert shown(made) == "\n".join(
        [
            "chain(  # GradientTransformationExtraArgs",
            "  clip(max_delta=1.0),",
            "  chain(",
            "    identity(),",
            "    scale_by_schedule(",
            "      step_size_fn=scale_by_learning_rate(",
            "        learning_rate=constant_schedule(value=0.5),",
            "        m=-1,",
            "      ),",
            "    ),",
            "  ),",
            ")",
        ]
    )


def test_a_transformation_of_ones_own_shows_its_functions(shown):
    def start(params):
        return params

    made = optax.GradientTransformation(start, start)
    assert shown(made, width=200).startswith("GradientTransformation(init=<function test_a_")


def test_states_are_trees_with_names(lines):
    state = optax.adam(0.1).init({"w": jnp.ones((2, 9))})
    assert lines(state) == [
        "(",
        "  ScaleByAdamState(",
        "    count=jax.Array int32[] 0,",
        "    mu={'w': jax.Array float32[2, 9] all 0},",
        "    nu={'w': jax.Array float32[2, 9] all 0},",
        "  ),",
        "  EmptyState(),",
        ")",
    ]
    masked = optax.masked(optax.sgd(0.1), {"w": True}).init({"w": jnp.ones(2)})
    assert lines(masked) == ["MaskedState(inner_state=(EmptyState(), EmptyState()))"]


def test_broken_transformations_are_shown_as_tuples(survives):
    assert survives(optax.GradientTransformation(None, 3)) == (
        "GradientTransformation(init=None, update=3)"
    )

    class Lying(optax.GradientTransformation):
        def __getitem__(self, index):
            raise ValueError("boom")

    assert survives(Lying(1, 2)) == (
        "Lying(init=1, update=2)  # handler `show_transformation` raised ValueError: boom"
    )


def test_dataclasses_of_chex_show_their_fields(shown):
    @chex.dataclass
    class Mappable:
        array: jax.Array
        size: int

    @chex.dataclass(frozen=True, mappable_dataclass=False)
    class Plain:
        size: int

    assert shown(Mappable(array=jnp.ones((2, 9)), size=2)) == (
        "Mappable(array=jax.Array float32[2, 9] all 1, size=2)"
    )
    assert shown(Plain(size=2)) == "Plain(size=2)"
