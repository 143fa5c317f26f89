import pytest

from modeldata.models.families._rows import Row, weight_rules
from modeldata.models.transformer import LlamalikeTransformerConfig

CONFIG = LlamalikeTransformerConfig(
    num_kv_heads=2,
    query_head_multiplier=2,
    embedding_dim=16,
    projection_dim=4,
    mlp_hidden_dim=24,
    num_decoder_blocks=2,
    vocab_size=40,
    mlp_variant="swiglu",
    tie_embedder_and_logits=False,
)
LABEL = "transformer/block_1/attention/query.weights"


def test_a_row_says_where_each_axis_of_a_parameter_is_stored():
    row = Row("layers.{block}.q", ("query projection", "embedding"), "blk.{block}.q")
    (rule,) = weight_rules([LABEL], {"attention/query": row}, CONFIG)
    assert [place.name for place in rule.places] == ["layers.1.q.weight", "blk.1.q.weight"]
    assert rule.named_shape == {
        "head_groups": 2,
        "query_heads": 2,
        "projection": 4,
        "embedding": 16,
    }
    assert rule.places[0].stored_shape == (16, 16)


def test_a_part_without_a_row_is_named():
    message = (
        "a row for the part `attention/query`, which the parameter `transformer/block_1/attention/"
        "query.weights` belongs to, but the table has only `embedder`, `lm_head`. Add the row"
    )
    row = Row("head", ("vocabulary", "embedding"))
    rows = {"embedder": row, "lm_head": row}
    with pytest.raises(ValueError, match=message):
        weight_rules([LABEL], rows, CONFIG)


def test_an_axis_that_no_model_has_is_named():
    rows = {"attention/query": Row("q", ("heads projection", "embedding"))}
    message = "but got `heads`. Use `query`, `key`, `vocabulary`, .* or a `Portion`"
    with pytest.raises(ValueError, match=message):
        weight_rules([LABEL], rows, CONFIG)
