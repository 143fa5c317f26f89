"""Settings of well-known checkpoints, as their `config.json` has them, and how to make them small.

Only what decides the architecture is kept, in the spelling of its time: settings that newer
versions of transformers write in another way stand here as they were published.
"""

import copy
from typing import Any

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-05,
    "tie_word_embeddings": False,
    "pretraining_tp": 1,
    "vocab_size": 128256,
}
LLAMA_31 = {
    **LLAMA,
    "attention_bias": False,
    "mlp_bias": False,
    "max_position_embeddings": 131072,
    "rope_theta": 500000.0,
    "rope_scaling": {
        "factor": 8.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192,
        "rope_type": "llama3",
    },
}
MISTRAL = {
    **LLAMA,
    "architectures": ["MistralForCausalLM"],
    "model_type": "mistral",
    "max_position_embeddings": 32768,
}
QWEN2 = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_act": "silu",
    "hidden_size": 896,
    "intermediate_size": 4864,
    "max_position_embeddings": 32768,
    "max_window_layers": 24,
    "num_attention_heads": 14,
    "num_hidden_layers": 24,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "sliding_window": 32768,
    "tie_word_embeddings": True,
    "use_sliding_window": False,
    "vocab_size": 151936,
}
PHI3 = {
    "architectures": ["Phi3ForCausalLM"],
    "model_type": "phi3",
    "attention_bias": False,
    "hidden_act": "silu",
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "max_position_embeddings": 4096,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 32,
    "original_max_position_embeddings": 4096,
    "pad_token_id": 0,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "sliding_window": 2047,
    "tie_word_embeddings": False,
    "vocab_size": 32064,
}
LONG_ROPE = {
    "short_factor": [1.0 + 0.05 * index for index in range(48)],
    "long_factor": [1.0 + 1.3 * index for index in range(48)],
    "type": "longrope",
}
PHI3_128K = {
    **PHI3,
    "max_position_embeddings": 131072,
    "rope_scaling": LONG_ROPE,
    "sliding_window": 262144,
}
OLMO2 = {
    "architectures": ["Olmo2ForCausalLM"],
    "model_type": "olmo2",
    "attention_bias": False,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "max_position_embeddings": 4096,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 32,
    "rms_norm_eps": 1e-06,
    "rope_scaling": None,
    "rope_theta": 500000,
    "tie_word_embeddings": False,
    "vocab_size": 100352,
}
GPT2 = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.1,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 1024,
    "n_embd": 768,
    "n_head": 12,
    "n_layer": 12,
    "n_positions": 1024,
    "summary_type": "cls_index",
    "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
    "vocab_size": 50257,
}
NEOX = {
    "architectures": ["GPTNeoXForCausalLM"],
    "hidden_act": "gelu",
    "hidden_size": 512,
    "intermediate_size": 2048,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 2048,
    "model_type": "gpt_neox",
    "num_attention_heads": 8,
    "num_hidden_layers": 6,
    "rotary_emb_base": 10000,
    "rotary_pct": 0.25,
    "tie_word_embeddings": False,
    "use_parallel_residual": True,
    "vocab_size": 50304,
}
GEMMA = {
    "architectures": ["GemmaForCausalLM"],
    "attention_bias": False,
    "head_dim": 256,
    "hidden_act": "gelu",
    "hidden_activation": None,
    "hidden_size": 2048,
    "intermediate_size": 16384,
    "max_position_embeddings": 8192,
    "model_type": "gemma",
    "num_attention_heads": 8,
    "num_hidden_layers": 18,
    "num_key_value_heads": 1,
    "rms_norm_eps": 1e-06,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "vocab_size": 256000,
}
GEMMA2 = {
    **GEMMA,
    "architectures": ["Gemma2ForCausalLM"],
    "attn_logit_softcapping": 50.0,
    "cache_implementation": "hybrid",
    "final_logit_softcapping": 30.0,
    "hidden_act": "gelu_pytorch_tanh",
    "hidden_activation": "gelu_pytorch_tanh",
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "model_type": "gemma2",
    "num_hidden_layers": 26,
    "num_key_value_heads": 4,
    "query_pre_attn_scalar": 256,
    "sliding_window": 4096,
}
GEMMA3 = {
    "architectures": ["Gemma3ForCausalLM"],
    "attention_bias": False,
    "attn_logit_softcapping": None,
    "cache_implementation": "hybrid",
    "final_logit_softcapping": None,
    "head_dim": 256,
    "hidden_activation": "gelu_pytorch_tanh",
    "hidden_size": 1152,
    "intermediate_size": 6912,
    "max_position_embeddings": 32768,
    "model_type": "gemma3_text",
    "num_attention_heads": 4,
    "num_hidden_layers": 26,
    "num_key_value_heads": 1,
    "query_pre_attn_scalar": 256,
    "rms_norm_eps": 1e-06,
    "rope_local_base_freq": 10000,
    "rope_scaling": None,
    "rope_theta": 1000000,
    "sliding_window": 512,
    "sliding_window_pattern": 6,
    "vocab_size": 262144,
}
GPT_OSS = {
    "architectures": ["GptOssForCausalLM"],
    "attention_bias": True,
    "experts_per_token": 4,
    "head_dim": 64,
    "hidden_act": "silu",
    "hidden_size": 2880,
    "initial_context_length": 4096,
    "intermediate_size": 2880,
    "layer_types": ["sliding_attention", "full_attention"] * 12,
    "max_position_embeddings": 131072,
    "model_type": "gpt_oss",
    "num_attention_heads": 64,
    "num_experts_per_tok": 4,
    "num_hidden_layers": 24,
    "num_key_value_heads": 8,
    "num_local_experts": 32,
    "output_router_logits": False,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {
        "beta_fast": 32.0,
        "beta_slow": 1.0,
        "factor": 32.0,
        "original_max_position_embeddings": 4096,
        "rope_type": "yarn",
        "truncate": False,
    },
    "rope_theta": 150000,
    "router_aux_loss_coef": 0.9,
    "sliding_window": 128,
    "swiglu_limit": 7.0,
    "tie_word_embeddings": False,
    "vocab_size": 201088,
}
BERT = {
    "architectures": ["BertForMaskedLM"],
    "attention_probs_dropout_prob": 0.1,
    "gradient_checkpointing": False,
    "hidden_act": "gelu",
    "hidden_size": 768,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "vocab_size": 30522,
}

PUBLISHED: dict[str, dict[str, Any]] = {
    "Llama-2-7b": {
        **LLAMA,
        "intermediate_size": 11008,
        "max_position_embeddings": 4096,
        "num_key_value_heads": 32,
        "rope_scaling": None,
    },
    "TinyLlama-1.1B": {**LLAMA, "num_key_value_heads": 4, "rope_theta": 10000.0},
    "deepseek-coder-6.7b": {
        **LLAMA,
        "num_key_value_heads": 32,
        "rope_scaling": {"factor": 4.0, "type": "linear"},
        "rope_theta": 100000,
    },
    "SmolLM2-135M": {
        **LLAMA,
        "is_llama_config": True,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "rope_interleaved": False,
        "rope_scaling": None,
        "rope_theta": 100000,
        "tie_word_embeddings": True,
    },
    "Llama-3-8B": {**LLAMA, "attention_bias": False, "rope_scaling": None, "rope_theta": 5e5},
    "Llama-3.1-8B": LLAMA_31,
    "Llama-3.2-1B": {
        **LLAMA_31,
        "head_dim": 64,
        "rope_scaling": {**LLAMA_31["rope_scaling"], "factor": 32.0},
        "tie_word_embeddings": True,
    },
    "Mistral-7B-v0.1": {**MISTRAL, "rope_theta": 10000.0, "sliding_window": 4096},
    "Mistral-7B-v0.3": {**MISTRAL, "rope_theta": 1e6, "sliding_window": None},
    "Mistral-Nemo": {**MISTRAL, "head_dim": 128, "rope_theta": 1e6, "sliding_window": None},
    "Mixtral-8x7B": {
        **MISTRAL,
        "architectures": ["MixtralForCausalLM"],
        "model_type": "mixtral",
        "num_experts_per_tok": 2,
        "num_local_experts": 8,
        "output_router_logits": False,
        "rope_theta": 1e6,
        "router_aux_loss_coef": 0.02,
        "sliding_window": None,
    },
    "Qwen2-0.5B": QWEN2,
    "Qwen2.5-1.5B": {**QWEN2, "max_window_layers": 28, "num_attention_heads": 12},
    "Qwen2.5-7B, yarn": {
        **QWEN2,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "rope_scaling": {
            "factor": 4.0,
            "original_max_position_embeddings": 32768,
            "type": "yarn",
        },
        "tie_word_embeddings": False,
    },
    "Qwen3-0.6B": {
        **QWEN2,
        "architectures": ["Qwen3ForCausalLM"],
        "attention_bias": False,
        "head_dim": 128,
        "max_window_layers": 28,
        "model_type": "qwen3",
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "rope_scaling": None,
        "sliding_window": None,
    },
    "Phi-3-mini-4k": PHI3,
    "Phi-3-mini-128k": PHI3_128K,
    "Phi-3-mini-128k, first version": {
        **PHI3_128K,
        "rope_scaling": {
            **LONG_ROPE,
            "type": "su",
            # transformers asks for the length here too since version 5.
            "original_max_position_embeddings": 4096,
        },
    },
    "Phi-3.5-mini": {**PHI3_128K, "sliding_window": 262144},
    "Phi-4": {
        **PHI3,
        "num_attention_heads": 40,
        "num_key_value_heads": 10,
        "original_max_position_embeddings": 16384,
        "rope_theta": 250000,
        "sliding_window": None,
    },
    "Phi-4-mini": {
        **PHI3_128K,
        "full_attn_mod": 1,
        "interpolate_factor": 1,
        "lm_head_bias": False,
        "mlp_bias": False,
        "num_attention_heads": 24,
        "num_key_value_heads": 8,
        "partial_rotary_factor": 0.75,
        "tie_word_embeddings": True,
    },
    "OLMo-2-0425-1B": {**OLMO2, "num_attention_heads": 16, "num_key_value_heads": 16},
    "OLMo-2-1124-7B": OLMO2,
    "gpt2": GPT2,
    "gpt2-xl": {**GPT2, "n_embd": 1600, "n_head": 25, "output_past": True},
    "distilgpt2": {**GPT2, "_num_labels": 1, "n_layer": 6},
    "codeparrot": {
        **GPT2,
        "n_embd": 1600,
        "n_head": 25,
        "reorder_and_upcast_attn": True,
        "scale_attn_by_inverse_layer_idx": True,
    },
    "pythia-70m": NEOX,
    "pythia-12b": {**NEOX, "num_attention_heads": 40},
    "gpt-neox-20b": {**NEOX, "hidden_act": "gelu_fast", "num_attention_heads": 64},
    "dolly-v2, one after the other": {**NEOX, "use_parallel_residual": False},
    "gemma-2b": GEMMA,
    "gemma-7b": {**GEMMA, "num_attention_heads": 16, "num_key_value_heads": 16},
    "gemma-2-2b": GEMMA2,
    "gemma-2-9b": {**GEMMA2, "num_attention_heads": 16, "num_key_value_heads": 8},
    "gemma-2-27b": {
        **GEMMA2,
        "head_dim": 128,
        "num_attention_heads": 32,
        "num_key_value_heads": 16,
        "query_pre_attn_scalar": 144,
    },
    "gemma-3-1b": GEMMA3,
    "gemma-3-270m": {
        **GEMMA3,
        "_sliding_window_pattern": 6,
        "layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 3,
        "num_hidden_layers": 18,
        "use_bidirectional_attention": False,
    },
    "gemma-3-1b with another rotary embedding": {
        **GEMMA3,
        "rope_scaling": {
            "factor": 8.0,
            "high_freq_factor": 4.0,
            "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192,
            "rope_type": "llama3",
        },
    },
    "gemma-3-4b, text": {
        **GEMMA3,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
    },
    "gpt-oss-20b": GPT_OSS,
    "gpt-oss-120b": {**GPT_OSS, "num_local_experts": 128},
    "bert-base-uncased": BERT,
    "all-MiniLM-L6-v2": {**BERT, "architectures": ["BertModel"]},
}


def shrunk(published: dict[str, Any]) -> dict[str, Any]:
    """Returns settings of the same architecture with small sizes.

    The numbers of heads stay; windows and original lengths become shorter than a text of 12 tokens.

    Args:
        published: The settings.
    """
    config = copy.deepcopy(published)
    if config["model_type"] == "gpt2":
        sizes = {"n_embd": 4 * config["n_head"], "n_layer": 3, "n_ctx": 16, "n_positions": 16}
        return {**config, **sizes, "vocab_size": 50}
    head_dim, heads = 8, config["num_attention_heads"]
    sizes = {"vocab_size": 50, "intermediate_size": 24, "hidden_size": head_dim * heads}
    if config.get("head_dim"):
        sizes |= {"head_dim": head_dim, "hidden_size": 32}
    pattern = config.get("sliding_window_pattern", 2)
    layers = pattern + 1
    sizes["num_hidden_layers"] = layers
    if "layer_types" in config:
        sizes["layer_types"] = config["layer_types"][:layers]
    if config.get("sliding_window"):
        sizes["sliding_window"] = 4
    if config.get("num_local_experts"):
        sizes["num_local_experts"] = min(config["num_local_experts"], 8)
    if config["model_type"] == "bert":
        sizes["max_position_embeddings"] = 16
    rope = config.get("rope_scaling") or {}
    if "short_factor" in rope:
        pairs = int(head_dim * config.get("partial_rotary_factor", 1.0)) // 2
        sizes["original_max_position_embeddings"] = 8
        sizes["max_position_embeddings"] = 256
        rope = {**rope, **{k: rope[k][:pairs] for k in ("short_factor", "long_factor")}}
        rope |= {k: 8 for k in rope if k == "original_max_position_embeddings"}
    elif "original_max_position_embeddings" in rope:
        rope = {**rope, "original_max_position_embeddings": 8}
        sizes["max_position_embeddings"] = int(8 * rope["factor"])
    return {**config, **sizes, **({"rope_scaling": rope} if rope else {})}
