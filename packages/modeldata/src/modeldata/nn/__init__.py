"""Layers: the steps of a model, as data that can be called."""

from modeldata.nn._attention import Attention
from modeldata.nn._basic import (
    CastToDType,
    ConstantRescale,
    Elementwise,
    RenameAxes,
    Softmax,
    TanhSoftCap,
)
from modeldata.nn._caching import KVCachingAttention
from modeldata.nn._checking import CheckStructure
from modeldata.nn._combinators import BranchAndAddTogether, BranchAndMultiplyTogether, Residual
from modeldata.nn._contract import contract
from modeldata.nn._dropout import DisabledDropout, StochasticDropout, maybe_dropout
from modeldata.nn._einsum import NamedEinsum
from modeldata.nn._embedding import EmbeddingDecode, EmbeddingLookup, EmbeddingTable
from modeldata.nn._grouping import (
    CheckedSequential,
    Identity,
    NamedGroup,
    Sequential,
    inline_anonymous_sequentials,
    inline_groups,
    is_anonymous_sequential,
    is_sequential_or_named,
)
from modeldata.nn._initializers import (
    LinearOperatorWeightInitializer,
    constant_initializer,
    variance_scaling_initializer,
    xavier_normal_initializer,
    xavier_uniform_initializer,
    zero_initializer,
)
from modeldata.nn._layer import Layer, MissingSideInputError
from modeldata.nn._linear import AddBias, Affine, Linear, LinearInPlace
from modeldata.nn._masks import (
    ApplyCausalAttentionMask,
    ApplyCausalSlidingWindowAttentionMask,
    ApplyExplicitAttentionMask,
)
from modeldata.nn._normalization import (
    LayerNorm,
    NormScale,
    RMSLayerNorm,
    RMSStandardize,
    Standardize,
)
from modeldata.nn._parameters import (
    ParameterLike,
    assert_no_parameter_slots,
    derive_param_key,
    make_parameter,
)
from modeldata.nn._rope import ApplyRoPE, ApplyRoPEToSubset

__all__ = [
    "AddBias",
    "Affine",
    "ApplyCausalAttentionMask",
    "ApplyCausalSlidingWindowAttentionMask",
    "ApplyExplicitAttentionMask",
    "ApplyRoPE",
    "ApplyRoPEToSubset",
    "Attention",
    "BranchAndAddTogether",
    "BranchAndMultiplyTogether",
    "CastToDType",
    "CheckStructure",
    "CheckedSequential",
    "ConstantRescale",
    "DisabledDropout",
    "Elementwise",
    "EmbeddingDecode",
    "EmbeddingLookup",
    "EmbeddingTable",
    "Identity",
    "KVCachingAttention",
    "Layer",
    "LayerNorm",
    "Linear",
    "LinearInPlace",
    "LinearOperatorWeightInitializer",
    "MissingSideInputError",
    "NamedEinsum",
    "NamedGroup",
    "NormScale",
    "ParameterLike",
    "RMSLayerNorm",
    "RMSStandardize",
    "RenameAxes",
    "Residual",
    "Sequential",
    "Softmax",
    "Standardize",
    "StochasticDropout",
    "TanhSoftCap",
    "assert_no_parameter_slots",
    "constant_initializer",
    "contract",
    "derive_param_key",
    "inline_anonymous_sequentials",
    "inline_groups",
    "is_anonymous_sequential",
    "is_sequential_or_named",
    "make_parameter",
    "maybe_dropout",
    "variance_scaling_initializer",
    "xavier_normal_initializer",
    "xavier_uniform_initializer",
    "zero_initializer",
]
