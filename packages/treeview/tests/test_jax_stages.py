"""Stages of compilation and sparse arrays of JAX."""

import pytest

import treeview

jax = pytest.importorskip("jax")
jnp = jax.numpy


@pytest.fixture(scope="module")
def traced():
    return jax.jit(lambda x: x * 2, donate_argnums=0).trace(jnp.ones((2, 3)))


def test_traced_functions_show_arguments_and_results_and_no_workings(traced):
    assert treeview.render_text(traced) == "\n".join(
        [
            "<Traced(",
            "  fun_name='<lambda>',",
            "  args_info=((float32[2, 3] donated,), {}),",
            "  out_info=jax.ShapeDtypeStruct float32[2, 3] <abstract>,",
            ")>",
        ]
    )


def test_lowered_and_compiled_functions_are_not_run(traced):
    lowered = traced.lower()
    for stage, name in ((lowered, "Lowered"), (lowered.compile(), "Compiled")):
        assert treeview.render_text(stage) == "\n".join(
            [
                f"<{name}(",
                "  args_info=((float32[2, 3] donated,), {}),",
                "  out_info=jax.ShapeDtypeStruct float32[2, 3] <abstract>,",
                ")>",
            ]
        )


def test_sparse_arrays_show_what_is_stored_and_the_whole_shape():
    from jax.experimental import sparse

    shown = treeview.render_text(sparse.BCOO.fromdense(jnp.eye(3)), width=70)
    assert shown == "\n".join(
        [
            "BCOO(",
            "  data=jax.Array float32[3] [1, 1, 1],",
            "  indices=jax.Array int32[3, 2] ≈1 ±0.82 [0, 2] zero:2,",
            "  shape=(3, 3),",
            ")",
        ]
    )
    for cls in (sparse.BCSR, sparse.COO, sparse.CSR, sparse.CSC):
        assert "shape=(3, 3)" in treeview.render_text(cls.fromdense(jnp.eye(3)))
    assert treeview.render_text(sparse.BCOO.fromdense(jnp.eye(3)), roundtrip=True).startswith("<")
