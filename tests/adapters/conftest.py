"""Tests of how other libraries' objects look; each file runs where its library is installed."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import treeview

NEEDS = {
    "test_attrs_adapter.py": "attrs",
    "test_equinox_adapter.py": "equinox",
    "test_hostile_jax.py": "jax",
    "test_hostile_torch.py": "torch",
    "test_linen_adapter.py": "flax",
    "test_matplotlib_output.py": "matplotlib",
    "test_msgspec_adapter.py": "msgspec",
    "test_nnx_adapter.py": "flax",
    "test_omegaconf_adapter.py": "omegaconf",
    "test_optax_adapter.py": "chex",
    "test_pandas_adapter.py": "pandas",
    "test_pillow_adapter.py": "PIL",
    "test_plots_output.py": "altair",
    "test_polars_adapter.py": "polars",
    "test_pydantic_adapter.py": "pydantic",
    "test_scipy_adapter.py": "scipy",
    "test_torch_adapter.py": "torch",
    "test_transformers_adapter.py": "transformers",
    "test_xarray_adapter.py": "xarray",
}
collect_ignore = [file for file, library in NEEDS.items() if find_spec(library) is None]


@pytest.fixture
def shown():
    """The text of an object, of 80 columns unless told otherwise."""

    def show(obj, width=80, **options):
        return treeview.render_text(obj, width=width, **options)

    return show


@pytest.fixture
def lines(shown):
    """The lines of the text of an object."""
    return lambda obj, width=80, **options: shown(obj, width, **options).splitlines()


@pytest.fixture
def survives(shown):
    """Renders an object between neighbours to text and HTML, and gives its own text."""

    def survive(obj, width=200, **options):
        row = {"before": "first neighbour", "hostile": obj, "after": [1, 2, 3]}
        text = shown(row, width, max_lines=None, **options)
        page = treeview.render_html(row, **options)
        for output in (text, page):
            assert "first neighbour" in output
            output.encode("utf-8")
        assert "'after': [1, 2, 3]" in text
        assert "<script>alert" not in page
        assert all(line.isprintable() for line in text.splitlines())
        return shown(obj, width, **options)

    return survive


@pytest.fixture
def imported_by_treeview(tmp_path):
    """Which of the given modules a rendering loads in a fresh interpreter."""

    def loaded(*modules):
        code = (
            "import json, sys, treeview; treeview.render_html([1, 'a', object()]);"
            f"print(json.dumps([name for name in {modules!r} if name in sys.modules]))"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        return json.loads(run.stdout)

    return loaded
