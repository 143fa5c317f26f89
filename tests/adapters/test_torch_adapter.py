"""Tensors of every kind and modules of PyTorch."""

import numpy as np
import pytest
import torch
import treeview
from torch._subclasses.fake_tensor import FakeTensorMode
from treeview.adapters import _torch_values
from treeview.arrays.statistics import array_statistics

pytestmark = [
    pytest.mark.reference,
    pytest.mark.filterwarnings("ignore::UserWarning"),  # of layouts in their beta state
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

RAMP = torch.arange(30.0).reshape(5, 6)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.heads = 4
        self.names = ["a", "b"]
        self.input = torch.nn.Linear(2, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, 1, bias=False), torch.nn.ReLU())
        self.named = torch.nn.ModuleDict({"a key": torch.nn.Identity()})
        self.register_buffer("mask", torch.ones(2, dtype=torch.bool), persistent=False)
        for parameter in self.parameters():
            torch.nn.init.constant_(parameter, 0.5)
        self.tied = self.input.weight


class Tracked(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        raise RuntimeError("called")


def test_importing_treeview_imports_no_torch(imported_by_treeview):
    assert imported_by_treeview("torch", "treeview.adapters.torch") == []


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: torch.tensor(3.0), "torch.Tensor float32[] 3"),
        (lambda: torch.tensor([True, False]), "torch.Tensor bool[2] [True, False]"),
        (lambda: RAMP, "torch.Tensor float32[5, 6] ≈14 ±8.7 [0, 29] zero:1"),
        (lambda: RAMP.bfloat16(), "torch.Tensor bfloat16[5, 6] ≈14 ±8.7 [0, 29] zero:1"),
        (
            lambda: RAMP.to(torch.float8_e5m2),
            "torch.Tensor float8_e5m2[5, 6] ≈14 ±8.6 [0, 28] zero:1",
        ),
        (lambda: torch.zeros(0, 3), "torch.Tensor float32[0, 3]"),
        (lambda: torch.zeros(0, 3, dtype=torch.bfloat16), "torch.Tensor bfloat16[0, 3]"),
        (
            lambda: torch.ones(3, 4, requires_grad=True),
            "torch.Tensor float32[3, 4] all 1 requires_grad",
        ),
        (lambda: torch.nn.Parameter(torch.ones(3, 4)), "torch.nn.Parameter float32[3, 4] all 1"),
        (
            lambda: torch.nn.Parameter(torch.ones(3, 4), requires_grad=False),
            "torch.nn.Parameter float32[3, 4] all 1 frozen",
        ),
        (lambda: torch.ones(3, 4, device="meta"), "torch.Tensor float32[3, 4] <meta>"),
        (
            lambda: torch.eye(4).to_sparse(),
            "torch.Tensor float32[4, 4] ≈0.25 ±0.43 [0, 1] zero:12 sparse_coo nnz:4",
        ),
        (
            lambda: torch.eye(4).to_sparse_csr(),
            "torch.Tensor float32[4, 4] ≈0.25 ±0.43 [0, 1] zero:12 sparse_csr nnz:4",
        ),
        (
            lambda: torch.eye(4).to_sparse_bsr((2, 2)),
            "torch.Tensor float32[4, 4] ≈0.25 ±0.43 [0, 1] zero:12 sparse_bsr nnz:8",
        ),
        (
            lambda: torch.quantize_per_tensor(torch.arange(12.0), 0.5, 2, torch.quint8),
            "torch.Tensor quint8[12] ≈5.5 ±3.5 [0, 11] zero:1 quantized, scale 0.5, zero point 2",
        ),
        (
            lambda: torch.nested.nested_tensor([torch.ones(2), torch.zeros(1)]),
            "torch.Tensor nested float32[torch.Tensor float32[2] [1, 1], "
            "torch.Tensor float32[1] [0]]",
        ),
        (
            lambda: torch.nested.nested_tensor(
                [torch.ones(2, 9), torch.zeros(1, 9)], layout=torch.jagged
            ),
            "NestedTensor nested float32[torch.Tensor float32[2, 9] all 1, "
            "torch.Tensor float32[1, 9] all 0]",
        ),
        (
            lambda: torch.empty(4, dtype=torch.uint8).view(torch.bits8),
            "torch.Tensor bits8[4] <values not readable>",
        ),
        (lambda: RAMP.as_subclass(Tracked), "Tracked float32[5, 6] ≈14 ±8.7 [0, 29] zero:1"),
        (
            lambda: torch.full((3, 3), 2j).conj(),
            "torch.Tensor complex64[3, 3] ≈0-2j ±0",
        ),
        (lambda: torch.nn.UninitializedParameter(), "torch.nn.Parameter float32[] <uninitialized>"),
        (lambda: torch.max(torch.zeros(2, 2), 0).values, "torch.Tensor float32[2] [0, 0]"),
        (lambda: torch.float32, "torch.float32"),
        (lambda: torch.device("cpu"), "device(type='cpu')"),
        (lambda: torch.Size([1, 2]), "torch.Size([1, 2])"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_tensor_looks_like_this(shown, make, text):
    assert shown(make(), width=150) == text


def test_tensors_are_arrays_masks_and_limits_of_pictures():
    quantized = torch.quantize_per_tensor(RAMP, 0.5, 2, torch.quint8)
    figure = treeview.render_array(
        quantized, valid_mask=RAMP > 3, vmin=torch.tensor(0.5, requires_grad=True)
    )
    assert figure.text().startswith("quint8[5, 6]: values from 4 to 29, 4 masked; rows: axis 0")
    nested = torch.nested.nested_tensor([torch.ones(2), torch.zeros(1)])
    with pytest.raises(ValueError, match="which is nested; pass a concrete array"):
        treeview.render_array(nested)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tokens_are_scored_by_tensors(dtype):
    scores = torch.eye(2, dtype=dtype, requires_grad=True)
    assert treeview.token_scores(["a", "b"], scores[0]).text() == "a  b\n1  0"
    assert treeview.token_attention(["a", "b"], scores).text() == "a -> a 1\nb -> b 1"
    assert 'title="1.0"' in treeview.text_on_color("a", scores[0, 0]).html()


def test_fake_and_symbolic_tensors_are_not_read(shown):
    with FakeTensorMode():
        assert shown(torch.ones(2, 3)) == "torch.Tensor float32[2, 3] <fake>"
        assert shown(RAMP) == "torch.Tensor float32[5, 6] ≈14 ±8.7 [0, 29] zero:1"


def test_tensors_under_a_transformation_are_traced(shown):
    seen = []
    torch.vmap(lambda x: (seen.append(shown(x)), x)[1])(torch.ones(3, 2))
    torch.func.grad(lambda x: (seen.append(shown(x)), x)[1])(torch.tensor(2.0))
    assert seen == ["torch.Tensor float32[2] <traced>", "torch.Tensor float32[] <traced>"]


def test_looking_leaves_no_trace_in_the_graph_of_gradients(shown):
    x = torch.ones(3, 3, requires_grad=True)
    y = x * 2
    before = y.grad_fn
    shown([x, y])
    assert y.grad_fn is before
    y.sum().backward()
    assert shown(x).endswith("requires_grad, has grad")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "uint8", "bool"])
def test_statistics_made_on_a_device_equal_those_of_numpy(dtype):
    values = np.random.default_rng(0).normal(0, 3, (7, 11))
    values = values.astype(dtype) if dtype != "uint8" else np.abs(values).astype(dtype)
    if dtype.startswith("float"):
        values[0, :4] = np.nan, np.inf, -np.inf, 0
    (found,) = _torch_values.device_statistics([torch.from_numpy(values)])
    wanted = array_statistics(values)
    for name in ("finite", "zeros", "nans", "positive_infinities", "negative_infinities"):
        assert getattr(found, name) == getattr(wanted, name)
    assert (found.low, found.high) == (wanted.low, wanted.high)
    assert [found.mean, found.std] == pytest.approx([wanted.mean, wanted.std], rel=1e-3)
    if dtype != "bool":
        assert found.histogram == pytest.approx(wanted.histogram)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn])
def test_types_that_numpy_has_not_have_a_histogram(dtype):
    tensor = (torch.arange(640.0) / 10).to(dtype)
    (found,) = _torch_values.read_statistics([tensor])
    expected, _ = np.histogram(tensor.double().numpy(), bins=8)
    assert found.histogram == tuple(expected)


def test_the_values_in_a_window_are_those_of_the_tensor():
    window = (np.array([0, 1, 4]), np.array([0, 5]))
    wanted = RAMP.numpy()[np.ix_(*window)]
    for tensor in (
        RAMP,
        RAMP.bfloat16(),
        RAMP.to_sparse(),
        RAMP.to_sparse_csr(),
        RAMP.to_sparse(1),
        RAMP.int(),
        RAMP.t().contiguous().t(),
        RAMP.clone().requires_grad_(),
    ):
        (found,) = treeview.adapters.torch.TorchAdapter().fetch([(tensor, window)])
        np.testing.assert_array_equal(found, wanted)


def test_small_tensors_are_rebuilt_from_their_roundtrip_text(shown):
    for tensor in (torch.arange(3), torch.tensor([[0.1, -2.0]]), torch.tensor(True)):
        rebuilt = eval(shown(tensor, roundtrip=True), {"torch": torch, "numpy": np})
        assert torch.equal(rebuilt, tensor)
        assert rebuilt.dtype == tensor.dtype
    assert shown(torch.ones(3, requires_grad=True), roundtrip=True).startswith("<")


def test_a_module_shows_settings_parameters_buffers_and_children(shown):
    model = Model()
    model.norm.eval()
    model.input.register_forward_hook(lambda *_: None)
    model.input.bias.requires_grad_(False)
    assert shown(model, width=90) == "\n".join(
        [
            "Model(",
            "  heads=4,",
            "  names=['a', 'b'],",
            "  tied=Parameter float32[3, 2] all 0.5,",
            "  mask=Buffer (not saved) bool[2] [True, True],",
            "  input=Linear(  # 1 forward hook",
            "    in_features=2, out_features=3, bias=True,",
            "    weight=Parameter float32[3, 2] all 0.5 <same as .tied>,",
            "    bias=Parameter float32[3] [0.5, 0.5, 0.5] frozen,",
            "  ),",
            "  norm=BatchNorm1d(  # eval mode",
            "    3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True,",
            "    weight=Parameter float32[3] [0.5, 0.5, 0.5],",
            "    bias=Parameter float32[3] [0.5, 0.5, 0.5],",
            "    running_mean=Buffer float32[3] [0, 0, 0],",
            "    running_var=Buffer float32[3] [1, 1, 1],",
            "    num_batches_tracked=Buffer int64[] 0,",
            "  ),",
            "  layers=Sequential(",
            "    Linear(",
            "      in_features=3, out_features=1, bias=False,",
            "      weight=Parameter float32[1, 3] all 0.5,",
            "      bias=None,",
            "    ),",
            "    ReLU(inplace=False),",
            "  ),",
            "  named=ModuleDict('a key': Identity()),",
            ")",
        ]
    )


def test_eval_mode_is_said_where_it_matters(shown):
    model = torch.nn.Sequential(torch.nn.Identity(), torch.nn.Dropout(0.5)).eval()
    assert shown(model) == ("Sequential(Identity(), Dropout(p=0.5, inplace=False))  # eval mode")
    assert shown(torch.nn.Dropout(0.5).eval()) == "Dropout(p=0.5, inplace=False)  # eval mode"
    assert shown(torch.nn.Identity().eval()) == "Identity()"


def test_totals_tell_parameters_from_buffers(shown):
    first = shown(Model(), width=100, totals=True).splitlines()[0]
    assert first.startswith("Model(  # 18 parameters, 72 B; 9 buffers, 34 B")


def test_paths_lead_to_parameters_through_sequences_and_dictionaries():
    model = Model()
    branch = treeview.render(model, max_lines=None).document
    steps = {}

    def visit(branch, path):
        for step, value in zip(branch.steps, branch.values):
            suffix = treeview._paths.python_path([step])
            steps[path + (suffix or "?")] = value
            if isinstance(value, treeview._document.Branch) and suffix:
                visit(value, path + suffix)

    visit(branch, "model")
    reached = [eval(path, {"model": model}) for path in steps if "?" not in path]
    assert model.layers[0].weight in [value for value in reached if value is model.layers[0].weight]
    assert any(value is model.named["a key"] for value in reached)


def test_state_dicts_and_optimizers_show_their_tensors(lines):
    model = torch.nn.Linear(2, 1)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    assert lines(model.state_dict()) == [
        "OrderedDict({",
        "  'weight': torch.Tensor float32[1, 2] all 0,",
        "  'bias': torch.Tensor float32[1] [0],",
        "})",
    ]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    assert lines(optimizer)[0] == "SGD("
    assert "      'lr': 0.1," in lines(optimizer)
    assert "  state=defaultdict(dict, {})," in lines(optimizer)


def test_results_with_names_show_them(shown):
    assert shown(torch.max(torch.zeros(2, 9), 0)) == (
        "max(values=torch.Tensor float32[9] all 0, indices=torch.Tensor int64[9] all 0)"
    )


def test_compiled_and_scripted_modules_show_what_they_wrap(lines):
    model = torch.nn.Linear(2, 1)
    torch.nn.init.zeros_(model.weight)
    assert lines(torch.compile(model))[:4] == [
        "OptimizedModule(",
        "  _orig_mod=Linear(",
        "    in_features=2, out_features=1, bias=True,",
        "    weight=Parameter float32[1, 2] all 0,",
    ]
    assert "  weight=Parameter float32[1, 2] all 0," in lines(torch.jit.script(model))


def test_broken_modules_say_what_is_broken(survives):
    class Broken(torch.nn.Linear):
        def extra_repr(self):
            raise ValueError("boom")

        def __repr__(self):
            raise ValueError("boom")

    class NoString(torch.nn.Identity):
        def extra_repr(self):
            return 5

    class NotStarted(torch.nn.Module):
        def __init__(self):
            pass

    Broken.broken = Broken(2, 3)
    Broken.__getattr__ = Broken.__len__ = Broken.__iter__ = Broken.extra_repr
    assert "<extra_repr raised ValueError: boom>" in survives(Broken.broken)
    assert "weight=Parameter float32[3, 2]" in survives(Broken.broken)
    assert survives(NoString()) == "NoString(<extra_repr gave no string>)"
    assert survives(NotStarted()) == "NotStarted()"


def test_a_module_within_itself_ends(shown):
    model = torch.nn.Module()
    object.__setattr__(model, "_modules", {"again": model})
    assert shown(model) == "Module(again=<back to the Module at the root>)"


def test_a_model_of_pictures_is_drawn(shown):
    page = treeview.render_html({"weights": RAMP.bfloat16()}, autovisualize=True)
    assert "data:image/png" in page


def test_expanded_tensors_of_terabytes_are_not_copied(shown):
    huge = torch.ones(1, dtype=torch.bfloat16).expand(10**6, 10**6)
    assert shown(huge, width=120) == (
        "torch.Tensor bfloat16[1000000, 1000000] <too large to read in time>"
    )
