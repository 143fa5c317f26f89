"""Settings of well-known checkpoints, made small, against transformers."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from modeldata import models, nx

from .published import PUBLISHED, shrunk

pytestmark = pytest.mark.reference

TEXT = np.array([3, 14, 1, 5, 9, 2, 6, 5, 35, 8, 9, 7])
SHORT = 6


def random_model(transformers, torch, folder):
    """The model that transformers makes of a `config.json`, with random weights."""
    config = transformers.AutoConfig.from_pretrained(folder)
    config._attn_implementation = "eager"
    is_encoder = config.model_type == "bert"
    kind = transformers.AutoModel if is_encoder else transformers.AutoModelForCausalLM
    torch.manual_seed(0)
    model = kind.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    return model


def reference_output(torch, model, tokens):
    with torch.no_grad():
        found = model(torch.from_numpy(tokens)[None])
    return getattr(found, "logits", found[0])[0].numpy()


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_give_what_transformers_gives(transformers, torch, name, tmp_path):
    settings = json.dumps(shrunk(PUBLISHED[name]))
    (tmp_path / "config.json").write_text(settings)
    theirs = random_model(transformers, torch, tmp_path)
    theirs.save_pretrained(tmp_path)
    # Saving has written the settings in another spelling.
    (tmp_path / "config.json").write_text(settings)
    ours = models.load(tmp_path, progress=False)
    for tokens in (TEXT[:SHORT], TEXT):
        expected = reference_output(torch, theirs, tokens)
        output = ours(nx.wrap(jnp.asarray(tokens), "seq"))
        (axis,) = output.named_shape.keys() - {"seq"}
        found = output.unwrap("seq", axis)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_of_a_gemma_3_for_images_too_the_language_model_is_equal(transformers, torch, tmp_path):
    text = {"num_hidden_layers": 7, "head_dim": 8, "hidden_size": 32, "intermediate_size": 48}
    text |= {"num_attention_heads": 4, "num_key_value_heads": 2, "query_pre_attn_scalar": 8}
    vision = {"num_hidden_layers": 1, "hidden_size": 16, "intermediate_size": 32}
    vision |= {"num_attention_heads": 2, "image_size": 28, "patch_size": 14}
    config = transformers.Gemma3Config(
        text_config={**text, "vocab_size": 99, "sliding_window": 4},
        vision_config=vision,
        mm_tokens_per_image=4,
        boi_token_index=90,
        eoi_token_index=91,
        image_token_index=92,
    )
    torch.manual_seed(0)
    theirs = transformers.Gemma3ForConditionalGeneration(config).eval()
    theirs.save_pretrained(tmp_path / "whole")
    expected = reference_output(torch, theirs, TEXT)
    for source in (theirs, tmp_path / "whole"):
        ours = models.load(source, progress=False)
        found = ours(nx.wrap(jnp.asarray(TEXT), "seq")).unwrap("seq", "vocabulary")
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    models.save(ours, tmp_path / "text")
    alone = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "text").eval()
    assert type(alone).__name__ == "Gemma3ForCausalLM"
    np.testing.assert_allclose(reference_output(torch, alone, TEXT), expected, atol=1e-6)
