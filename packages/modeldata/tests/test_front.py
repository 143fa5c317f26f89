"""Promises of the package's front: its names, and what importing it costs."""

import subprocess
import sys

import pytest

import modeldata as md


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_every_public_name_exists_and_the_list_is_sorted():
    assert sorted(md.__all__) == list(md.__all__) == dir(md)
    assert all(getattr(md, name) is not None for name in md.__all__)


def test_names_are_at_their_known_places():
    from modeldata import named, nn, selectors, variables

    assert md.nx is named
    assert md.nn is nn
    assert md.select is selectors.select
    assert md.Parameter is variables.Parameter


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="a public name of `modeldata`, got `nothing`"):
        md.nothing  # noqa: B018


def test_importing_starts_no_backend_and_loads_no_viewer():
    code = (
        "import sys, modeldata\n"
        "from jax._src import xla_bridge\n"
        "print(sorted(set(sys.modules) & {'treeview', 'IPython', 'torch', 'transformers', 'gguf', "
        "'sentencepiece', 'modeldata.models', 'modeldata.toolshed'}), "
        "xla_bridge.backends_are_initialized())"
    )
    assert run(code) == "[] False"


def test_parts_that_load_on_use_are_the_modules():
    assert run("import modeldata as md; print(md.models.__name__, md.toolshed.__name__)") == (
        "modeldata.models modeldata.toolshed"
    )
