"""What the built archives hold, and that versions agree."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

PACKAGES = Path(__file__).parent.parent / "packages"
DISTRIBUTIONS = {"treeview": "treeview-nd", "modeldata": "modeldata"}


class Archives(NamedTuple):
    """The two archives of one package."""

    package: str
    wheel: Path
    sdist: Path


def build_archives(source: Path, target: Path, *options: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(target), *options]
    result = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module", params=DISTRIBUTIONS)
def archives(request, tmp_path_factory) -> Archives:
    pytest.importorskip("hatchling", reason="building archives needs hatchling")
    target = tmp_path_factory.mktemp("dist")
    build_archives(PACKAGES / request.param, target)
    (wheel,), (sdist,) = target.glob("*.whl"), target.glob("*.tar.gz")
    return Archives(request.param, wheel, sdist)


def wheel_files(wheel: Path) -> dict[str, bytes]:
    """Contents of a wheel by path, without the record of their hashes."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/RECORD")]
        return {name: archive.read(name) for name in names}


def source_files(package: str) -> set[str]:
    """Paths of a package's own files, as they stand in its wheel."""
    source = PACKAGES / package / "src"
    return {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def project(package: str) -> dict:
    return tomllib.loads((PACKAGES / package / "pyproject.toml").read_text())["project"]


def wheel_metadata(wheel: Path):
    files = wheel_files(wheel)
    (name,) = (name for name in files if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(files[name].decode())


def test_wheel_holds_every_file_of_the_package_and_its_licence(archives):
    names = wheel_files(archives.wheel)
    assert {name for name in names if ".dist-info/" not in name} == source_files(archives.package)
    assert f"{archives.package}/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_wheel_of_the_source_archive_equals_the_wheel(archives, tmp_path):
    with tarfile.open(archives.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    build_archives(source, tmp_path / "again", "--target", "wheel")
    (wheel,) = (tmp_path / "again").glob("*.whl")
    assert wheel_files(wheel) == wheel_files(archives.wheel)


def test_source_archive_holds_tests_and_changelog(archives):
    with tarfile.open(archives.sdist) as archive:
        paths = {str(PurePosixPath(*PurePosixPath(n).parts[1:])) for n in archive.getnames()}
    assert {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "PKG-INFO"} <= paths
    assert any(path.startswith("tests/test_") for path in paths)


def test_wheel_names_what_its_project_names(archives):
    told, expected = wheel_metadata(archives.wheel), project(archives.package)
    assert told["Name"] == expected["name"] == DISTRIBUTIONS[archives.package]
    assert told["Version"] == expected["version"]
    assert told["License-Expression"] == "Apache-2.0"
    assert set(told.get_all("Provides-Extra")) == set(expected["optional-dependencies"])
    base = [need for need in told.get_all("Requires-Dist") if "extra ==" not in need]
    assert sorted(base) == sorted(expected["dependencies"])


@pytest.mark.parametrize("package", DISTRIBUTIONS)
def test_no_requirement_names_the_unrelated_treeview(package):
    declared = project(package)
    extras = declared["optional-dependencies"].values()
    requirements = [*declared["dependencies"], *(need for extra in extras for need in extra)]
    names = {re.split(r"[^A-Za-z0-9_.-]", need)[0].lower() for need in requirements}
    assert "treeview" not in names


def test_modeldata_alone_declares_handlers_of_modeldata():
    assert project("modeldata")["entry-points"] == {
        "treeview.handlers": {"modeldata": "modeldata._treeview:register"}
    }
    assert "entry-points" not in project("treeview")


@pytest.mark.parametrize("package", DISTRIBUTIONS)
def test_changelog_begins_with_unreleased_or_this_version(package):
    text = (PACKAGES / package / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    version = project(package)["version"]
    assert headings[0] == "Unreleased" or re.match(
        rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d$", headings[0]
    )
    released = [heading.split(" - ")[0] for heading in headings if heading != "Unreleased"]
    assert released in ([], [version, *released[1:]])


@pytest.mark.parametrize("package", DISTRIBUTIONS)
def test_installed_version_is_that_of_the_project(package):
    assert metadata.version(DISTRIBUTIONS[package]) == project(package)["version"]


@pytest.mark.parametrize("package", DISTRIBUTIONS)
def test_licence_is_that_of_the_repository(package):
    licence = (PACKAGES.parent / "LICENSE").read_text()
    assert (PACKAGES / package / "LICENSE").read_text() == licence
