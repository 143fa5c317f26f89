"""Tensors of PyTorch in every state, all in one tree: each is shown, and none spoils another."""

import warnings

import pytest
import torch
import treeview

pytestmark = [
    pytest.mark.reference,
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


class Sour(torch.Tensor):
    """A tensor whose every operation fails."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        raise RuntimeError("boom")

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        raise RuntimeError("boom")


class Counting(torch.utils._python_dispatch.TorchDispatchMode):
    """A mode that sees all operations."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


DTYPES = [
    value
    for name, value in vars(torch).items()
    if isinstance(value, torch.dtype) and str(value) == f"torch.{name}" and "q" not in name
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_tensors_of_every_element_type_are_shown(survives, dtype):
    tensor = torch.zeros((3, 9 * dtype.itemsize), dtype=torch.uint8).view(dtype)
    name = str(dtype).removeprefix("torch.")
    assert survives(tensor).startswith(f"torch.Tensor {name}[")
    for options in ({"autovisualize": True}, {"roundtrip": True}, {"totals": True}):
        survives(tensor, **options)


LAYOUTS = {
    "coo": lambda: torch.eye(5).to_sparse(),
    "csr": lambda: torch.eye(5).to_sparse_csr(),
    "csc": lambda: torch.eye(5).to_sparse_csc(),
    "bsr": lambda: torch.eye(6).to_sparse_bsr((2, 2)),
    "quantized": lambda: torch.quantize_per_tensor(torch.ones(9), 0.1, 0, torch.qint8),
    "channels": lambda: torch.quantize_per_channel(
        torch.ones(3, 9), torch.ones(3), torch.zeros(3), 0, torch.qint8
    ),
    "nested": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    "meta": lambda: torch.ones(10**6, 10**6, device="meta"),
    "lazy": lambda: torch.nn.LazyLinear(3),
    "sour": lambda: torch.ones(3, 9).as_subclass(Sour),
    "negative": lambda: torch.imag(torch.full((3, 9), 1j).conj()),
    "inference": lambda: torch.inference_mode()(lambda: torch.ones(3, 9))(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_tensors_of_every_layout_are_shown(survives, layout):
    for options in ({}, {"autovisualize": True}, {"roundtrip": True}, {"totals": True}):
        assert survives(LAYOUTS[layout](), **options)


def test_one_bad_tensor_does_not_spoil_the_batch(lines):
    rows = {"bad": torch.ones(3, 9).as_subclass(Sour), "good": torch.arange(30)}
    good = "'good': torch.Tensor int64[30] ≈14 ±8.7 [0, 29] zero:1"
    assert any(good in line for line in lines(rows, 120))


def test_extreme_values_are_exact(shown):
    wide = torch.tensor([-(2**63), 2**63 - 1])
    assert "[-9223372036854775808, 9223372036854775807]" in shown(wide)
    assert "nan:27" in shown(torch.full((3, 9), torch.nan, dtype=torch.bfloat16))
    assert "std" not in shown(torch.arange(10.0))
    assert shown(torch.arange(10.0)) == "torch.Tensor float32[10] ≈4.5 ±2.9 [0, 9] zero:1"


def test_modes_and_profilers_see_nothing_of_a_rendering(shown):
    tensors = [torch.ones(3, 9), torch.ones(3, 9, dtype=torch.bfloat16), torch.eye(3).to_sparse()]
    with Counting() as mode:
        shown([*tensors, torch.nn.Linear])
    assert mode.count == 0


def test_looking_gives_no_warnings_and_leaves_the_filters_alone(shown):
    tensors = [make() for make in LAYOUTS.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        shown(tensors)
        assert warnings.filters == before


def test_a_default_device_changes_nothing(shown):
    tensor = torch.ones(3, 9)
    with torch.device("meta"):
        assert shown(tensor) == "torch.Tensor float32[3, 9] all 1"
