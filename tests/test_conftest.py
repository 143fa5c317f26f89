"""The rules of the root conftest."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent.parent / "conftest.py"
FILES = {
    "test_call.py": "import pytest\ndef test_it():\n    pytest.skip('no call')\n",
    "test_module.py": "import pytest\npytest.skip('no module', allow_module_level=True)\n",
    "test_import.py": "import pytest\npytest.importorskip('no_import')\n",
    "test_mark.py": "import pytest\n@pytest.mark.skip('no mark')\ndef test_it(): pass\n",
    "test_xfail.py": "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n",
    "test_pass.py": "def test_it(): pass\n",
}


@pytest.fixture
def run_pytest(tmp_path):
    for name, code in {"conftest.py": CONFTEST.read_text(), **FILES}.items():
        (tmp_path / name).write_text(code)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-ra", *options]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    return run


def test_forbidden_skips_fail_with_their_reasons(run_pytest):
    result = run_pytest("--forbid-skips", "--continue-on-collection-errors")
    assert result.returncode == 1
    assert "1 failed, 1 passed, 1 xfailed, 3 errors" in result.stdout
    for reason in ("no call", "no module", "'no_import'", "no mark"):
        assert "admits no skipped test, and this one says: " in result.stdout
        assert reason in result.stdout


def test_skips_pass_without_the_option(run_pytest):
    result = run_pytest()
    assert result.returncode == 0, result.stdout
    assert "1 passed, 4 skipped, 1 xfailed" in result.stdout
