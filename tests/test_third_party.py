"""Packages of other people are drawn by handlers of their own, found by their entry points."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

FOLDER = Path(__file__).parent / "third_party"


def run_with_packages(code: str):
    """What `code` tells in a fresh interpreter that finds the packages of `third_party`."""
    prelude = f"import json, sys; sys.path.insert(0, {str(FOLDER)!r})\n"
    program = prelude + textwrap.dedent(code)
    command = [sys.executable, "-B", "-I", "-W", "error", "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_handler_is_used_at_the_first_render_after_its_module_is_imported():
    before, loaded, after = run_with_packages("""
        import treeview
        treeview.render([1, 2]).text()
        before = [name for name in sys.modules if name.startswith("swatches")]
        from swatches import Swatch
        text = treeview.render([Swatch("teal", 180.0)]).text()
        print(json.dumps([before, "swatches.display" in sys.modules, text]))
    """)
    assert before == []
    assert loaded
    assert "Swatch" in after
    assert "turn=0.5" in after
    assert "hue" not in after


def test_handler_reaches_pages_with_its_note():
    html = run_with_packages("""
        import treeview
        from swatches import Swatch
        walls = {f"wall {number}": Swatch("teal", 180.0) for number in range(100)}
        print(json.dumps(treeview.render(walls, width=40).html()))
    """)
    assert html.count("drawn by swatches.display") == 100


def test_class_without_an_entry_point_on_the_path_is_shown_as_a_dataclass():
    text = run_with_packages("""
        import treeview
        import swatches
        del sys.path[0]
        print(json.dumps(treeview.render(swatches.Swatch("teal", 180.0)).text()))
    """)
    assert "hue=180.0" in text


def test_failing_entry_point_warns_once_by_name_and_breaks_nothing():
    text, again, messages = run_with_packages("""
        import warnings
        import treeview
        import brittle
        from swatches import Swatch
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            text = treeview.render({"a": 1, "b": Swatch("red", 0.0)}).text()
            again = treeview.render({"a": 1}).text()
        print(json.dumps([text, again, [str(warning.message) for warning in caught]]))
    """)
    (message,) = messages
    assert "brittle" in message
    assert "the colour table is lost" in message
    assert "turn=0.0" in text
    assert "'a'" in again
