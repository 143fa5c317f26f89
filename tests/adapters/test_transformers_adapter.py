"""Configurations, models and outputs of transformers."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def config():
    return GPT2Config(
        n_layer=1, n_embd=4, n_head=2, vocab_size=7, n_positions=5, bos_token_id=1, eos_token_id=2
    )


@pytest.fixture(scope="module")
def model(config):
    return GPT2LMHeadModel(config)


def test_importing_treeview_imports_no_transformers(imported_by_treeview):
    assert imported_by_treeview("transformers", "treeview.adapters.transformers") == []


def test_a_configuration_shows_what_is_not_usual(shown, config):
    shown_once = shown(config, 200)
    assert shown_once.startswith(
        "GPT2Config(vocab_size=7, n_positions=5, n_embd=4, n_layer=1, n_head=2,"
    )
    assert " more settings" in shown_once


def test_a_model_is_a_tree_of_modules_with_tied_weights(shown, model):
    lines = shown(model, 120, max_lines=None).splitlines()
    assert lines[0] == "GPT2LMHeadModel(  # eval mode" or lines[0] == "GPT2LMHeadModel("
    assert "    config=<same GPT2Config as .config>," in lines
    (head,) = [line for line in lines if "float32[7, 4]" in line and "same as" in line]
    assert head.endswith("<same as .transformer.wte.weight>,")
    assert any("Conv1D(" in line for line in lines)


def test_totals_count_tied_weights_once(shown, model):
    first = shown(model, 120, totals=True).splitlines()[0]
    assert f"{sum(p.numel() for p in model.parameters()):,} parameters" in first


def test_outputs_show_what_was_made(lines, model):
    output = lines(model(torch.tensor([[1, 2]])), 120)
    assert output[0] == "CausalLMOutputWithCrossAttentions("
    assert output[1].startswith("  logits=torch.Tensor float32[1, 2, 7] ")


def test_a_broken_configuration_is_shown(survives):
    class Sour(GPT2Config):
        model_type = "sour"

        def __init__(self, *args, broken=True, **kwargs):
            if broken:
                raise ValueError("boom")
            super().__init__(**kwargs)

        def __repr__(self):
            raise ValueError("boom")

    assert survives(Sour(broken=False, n_layer=3)).startswith("Sour(")
