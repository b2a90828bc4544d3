"""Converts a llama-architecture GGUF file to a Hugging Face model folder that openbook and transformers both open.

    python convert_gguf.py MODEL.gguf FOLDER

Weights are dequantised to float32, exactly; query and key rows go back from GGUF's interleaved rotary order to the split halves that
Hugging Face uses. The tokenizer is rebuilt from the file's own vocabulary and merges. The folder appears whole or not at all.
"""
import json
import os
import shutil
import sys

import numpy as np
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file

LAYER_TENSORS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OUTER_TENSORS = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
# Pre-tokenizers by GGUF's name for them; SmolLM splits digits one by one before GPT-2's pattern.
PRE_TOKENIZERS = {
    "smollm": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        ],
    },
}
CONTROL_TOKEN = 3  # gguf's token_type for special tokens


def field(reader, name, default=None):
    if name not in reader.fields:
        if default is None:
            raise SystemExit(f"convert_gguf: {name} is missing; is this a llama model with its tokenizer?")
        return default
    return reader.fields[name].contents()


def split_halves(rows, heads):
    """Undoes GGUF's interleaving of the two rotary halves of each head."""
    out_features, in_features = rows.shape
    return rows.reshape(heads, out_features // heads // 2, 2, in_features).swapaxes(1, 2).reshape(rows.shape)


def hugging_face_name(name):
    if name in OUTER_TENSORS:
        return OUTER_TENSORS[name]
    _, layer, tensor, _ = name.split(".")
    return f"model.layers.{layer}.{LAYER_TENSORS[tensor]}.weight"


def convert_weights(reader, heads, kv_heads):
    weights = {}
    for tensor in reader.tensors:
        values = np.ascontiguousarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        if ".attn_q." in tensor.name:
            values = split_halves(values, heads)
        if ".attn_k." in tensor.name:
            values = split_halves(values, kv_heads)
        weights[hugging_face_name(tensor.name)] = np.ascontiguousarray(values)
    return weights


def convert_config(reader, tied):
    heads = int(field(reader, "llama.attention.head_count"))
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": int(field(reader, "llama.embedding_length")),
        "intermediate_size": int(field(reader, "llama.feed_forward_length")),
        "num_hidden_layers": int(field(reader, "llama.block_count")),
        "num_attention_heads": heads,
        "num_key_value_heads": int(field(reader, "llama.attention.head_count_kv", heads)),
        "max_position_embeddings": int(field(reader, "llama.context_length")),
        "rms_norm_eps": float(np.float32(field(reader, "llama.attention.layer_norm_rms_epsilon"))),
        "rope_theta": float(field(reader, "llama.rope.freq_base", 10000.0)),
        "vocab_size": len(field(reader, "tokenizer.ggml.tokens")),
        "bos_token_id": int(field(reader, "tokenizer.ggml.bos_token_id")),
        "eos_token_id": int(field(reader, "tokenizer.ggml.eos_token_id")),
        "tie_word_embeddings": tied,
        "attention_bias": False,
        "mlp_bias": False,
        "torch_dtype": "float32",
    }


def convert_tokenizer(reader):
    pre = field(reader, "tokenizer.ggml.pre")
    if field(reader, "tokenizer.ggml.model") != "gpt2" or pre not in PRE_TOKENIZERS:
        raise SystemExit(f"convert_gguf: tokenizer {pre!r} is not known; known: {', '.join(PRE_TOKENIZERS)}")
    tokens = field(reader, "tokenizer.ggml.tokens")
    types = field(reader, "tokenizer.ggml.token_type")
    special = [
        {"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for i, (token, kind) in enumerate(zip(tokens, types))
        if int(kind) == CONTROL_TOKEN
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": PRE_TOKENIZERS[pre],
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [merge.split(" ", 1) for merge in field(reader, "tokenizer.ggml.merges")],
        },
    }


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.write("\n")


def main(source, target):
    reader = GGUFReader(source)
    architecture = field(reader, "general.architecture")
    if architecture != "llama":
        raise SystemExit(f"convert_gguf: {source}: architecture {architecture!r}; only llama is supported")
    weights = convert_weights(
        reader, int(field(reader, "llama.attention.head_count")), int(field(reader, "llama.attention.head_count_kv"))
    )
    tokens = field(reader, "tokenizer.ggml.tokens")
    eos = int(field(reader, "tokenizer.ggml.eos_token_id"))
    part = target.rstrip("/") + ".part"
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    save_file(weights, os.path.join(part, "model.safetensors"), metadata={"format": "pt"})
    write_json(part, "config.json", convert_config(reader, tied="lm_head.weight" not in weights))
    write_json(part, "generation_config.json", {"eos_token_id": eos})
    write_json(part, "tokenizer.json", convert_tokenizer(reader))
    write_json(part, "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[int(field(reader, "tokenizer.ggml.bos_token_id"))],
        "eos_token": tokens[eos],
        "chat_template": field(reader, "tokenizer.chat_template"),
    })
    shutil.rmtree(target, ignore_errors=True)
    os.rename(part, target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2])
