"""What an import loads, and that each package works without the other.

Every check runs in a fresh interpreter. The same file runs in environments that hold one wheel
and nothing else of ours; there only the tests whose names begin with that package are run.
"""

import json
import subprocess
import sys
import textwrap

# Modules from outside the standard library that an import may load, by their first name.
# jax brings more than its own dependencies where they are installed, so only ours are listed.
TREEVIEW_LOADS = {"numpy", "treeview"}
MODELDATA_LOADS = {"modeldata", "wadler_lindig"}

# Large parts of the standard library that a viewer does not need before it is used.
HEAVY = {
    "asyncio",
    "concurrent.futures",
    "email",
    "html.parser",
    "http",
    "multiprocessing",
    "socket",
    "sqlite3",
    "ssl",
    "unittest",
    "urllib.request",
    "webbrowser",
    "xml",
}

PRELUDE = """
import importlib.abc, json, sys

class Blocker(importlib.abc.MetaPathFinder):
    def __init__(self, *names):
        self.names = names
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

def block(*names):
    sys.meta_path.insert(0, Blocker(*names))

def outside():
    first = {name.partition(".")[0] for name in sys.modules}
    return sorted(
        name for name in first - set(sys.stdlib_module_names)
        if not name.startswith(("__", "_virtualenv", "_distutils_hack", "sitecustomize"))
    )

def tell(value):
    print(json.dumps(value))
"""


def run_fresh(code: str):
    """What `code` tells when it runs in a fresh interpreter, isolated from the user's settings."""
    program = PRELUDE + textwrap.dedent(code)
    command = [sys.executable, "-I", "-W", "error", "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("\n") == 1, result.stdout
    return json.loads(result.stdout)


def loaded_beyond(before: str, after: str, expression: str = "outside()") -> set[str]:
    """What `expression` lists after the statement `after` and not yet after `before`."""
    return set(run_fresh(f"{before}\n{after}\ntell({expression})")) - set(
        run_fresh(f"{before}\ntell({expression})")
    )


def test_treeview_watch_would_notice_more_modules():
    assert "pytest" in loaded_beyond("", "import pytest")
    assert "email" in loaded_beyond("", "import email.message", "sorted(sys.modules)")


def test_treeview_import_loads_numpy_and_nothing_else():
    assert loaded_beyond("", "import treeview") == TREEVIEW_LOADS


def test_treeview_import_loads_no_heavy_part_of_the_standard_library():
    modules = loaded_beyond("import numpy", "import treeview", "sorted(sys.modules)")
    assert not modules & HEAVY


def test_treeview_shows_objects_where_jax_and_modeldata_are_missing():
    told = run_fresh("""
        block("jax", "torch", "IPython", "modeldata", "rich", "pandas")
        import numpy as np
        import treeview
        rendering = treeview.render({"weights": np.arange(6.0).reshape(2, 3), "name": "a"})
        tell([rendering.text(), rendering.html(), outside()])
    """)
    text, html, loaded = told
    assert "weights" in text
    assert "float64" in text
    assert "weights" in html
    assert set(loaded) == TREEVIEW_LOADS


def test_treeview_rendering_plain_objects_loads_nothing_more():
    told = run_fresh("""
        import treeview
        treeview.render([1, {"a": (2, 3)}]).text()
        tell(outside())
    """)
    assert set(told) == TREEVIEW_LOADS


def test_modeldata_import_loads_jax_and_little_else():
    assert loaded_beyond("import jax", "import modeldata") == MODELDATA_LOADS


def test_modeldata_import_initialises_no_backend():
    code = "from jax._src import xla_bridge; tell(xla_bridge.backends_are_initialized())"
    assert run_fresh(f"import jax; jax.devices(); {code}") is True
    assert run_fresh(f"import modeldata; {code}") is False


def test_modeldata_prints_itself_where_treeview_is_missing():
    told = run_fresh("""
        block("treeview", "IPython", "torch", "transformers")
        import modeldata as md
        from jax._src import xla_bridge
        @md.pytree_dataclass
        class Pair(md.Struct):
            first: object
            second: object
        pair = Pair(1, {"a": 2})
        tell([repr(pair), xla_bridge.backends_are_initialized(), "treeview" in sys.modules])
    """)
    assert told == ["Pair(first=1, second={'a': 2})", False, False]


def test_treeview_says_that_it_is_typed():
    assert has_file("treeview", "py.typed")


def test_modeldata_says_that_it_is_typed():
    assert has_file("modeldata", "py.typed")


def has_file(package: str, name: str) -> bool:
    """Whether an installed package holds a file."""
    return run_fresh(f"""
        from importlib.resources import files
        tell(files({package!r}).joinpath({name!r}).is_file())
    """)
