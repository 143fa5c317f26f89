"""Layers: the steps of a model, as data that can be called."""

from modeldata.named import contract
from modeldata.nn._attention import Attention
from modeldata.nn._attention_sinks import SoftmaxWithSink
from modeldata.nn._basic import (
    CastToDType,
    ConstantRescale,
    Elementwise,
    EqualPartial,
    RenameAxes,
    Softmax,
    TanhSoftCap,
)
from modeldata.nn._caching import (
    KVCachingAttention,
    WindowCachingAttention,
    WindowPlan,
    plan_window,
)
from modeldata.nn._checking import CheckStructure
from modeldata.nn._combinators import BranchAndAddTogether, BranchAndMultiplyTogether, Residual
from modeldata.nn._convolution import Convolution, ConvolutionInPlace
from modeldata.nn._dropout import DisabledDropout, StochasticDropout, maybe_dropout
from modeldata.nn._einsum import NamedEinsum
from modeldata.nn._embedding import EmbeddingDecode, EmbeddingLookup, EmbeddingTable
from modeldata.nn._experts import ExpertMixture, TopKSoftmax
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
from modeldata.nn._layer_stack import LayerStack, layerstack_axes_from_keypath
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
from modeldata.nn._padding_mask import ApplyPaddingAttentionMask
from modeldata.nn._parameters import (
    ParameterLike,
    assert_no_parameter_slots,
    derive_param_key,
    make_parameter,
)
from modeldata.nn._pooling import AveragePool, MaxPool
from modeldata.nn._positions import AddPositionEmbedding
from modeldata.nn._rope import ApplyRoPE, ApplyRoPEToSubset
from modeldata.nn._rope_scaling import (
    DynamicScaling,
    LinearScaling,
    Llama3Scaling,
    LongScaling,
    RoPEScaling,
    YarnScaling,
)
from modeldata.nn._stacking import LayerStackVarBehavior
from modeldata.nn._windows import Windows

__all__ = [
    "AddBias",
    "AddPositionEmbedding",
    "Affine",
    "ApplyCausalAttentionMask",
    "ApplyCausalSlidingWindowAttentionMask",
    "ApplyExplicitAttentionMask",
    "ApplyPaddingAttentionMask",
    "ApplyRoPE",
    "ApplyRoPEToSubset",
    "Attention",
    "AveragePool",
    "BranchAndAddTogether",
    "BranchAndMultiplyTogether",
    "CastToDType",
    "CheckStructure",
    "CheckedSequential",
    "ConstantRescale",
    "Convolution",
    "ConvolutionInPlace",
    "DisabledDropout",
    "DynamicScaling",
    "Elementwise",
    "EmbeddingDecode",
    "EmbeddingLookup",
    "EmbeddingTable",
    "EqualPartial",
    "ExpertMixture",
    "Identity",
    "KVCachingAttention",
    "Layer",
    "LayerNorm",
    "LayerStack",
    "LayerStackVarBehavior",
    "Linear",
    "LinearInPlace",
    "LinearOperatorWeightInitializer",
    "LinearScaling",
    "Llama3Scaling",
    "LongScaling",
    "MaxPool",
    "MissingSideInputError",
    "NamedEinsum",
    "NamedGroup",
    "NormScale",
    "ParameterLike",
    "RMSLayerNorm",
    "RMSStandardize",
    "RenameAxes",
    "Residual",
    "RoPEScaling",
    "Sequential",
    "Softmax",
    "SoftmaxWithSink",
    "Standardize",
    "StochasticDropout",
    "TanhSoftCap",
    "TopKSoftmax",
    "WindowCachingAttention",
    "WindowPlan",
    "Windows",
    "YarnScaling",
    "assert_no_parameter_slots",
    "constant_initializer",
    "contract",
    "derive_param_key",
    "inline_anonymous_sequentials",
    "inline_groups",
    "is_anonymous_sequential",
    "is_sequential_or_named",
    "layerstack_axes_from_keypath",
    "make_parameter",
    "maybe_dropout",
    "plan_window",
    "variance_scaling_initializer",
    "xavier_normal_initializer",
    "xavier_uniform_initializer",
    "zero_initializer",
]
