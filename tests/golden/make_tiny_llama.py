"""Makes tiny random Llamas as Hugging Face folders, each with what transformers computes for one prompt.

    python make_tiny_llama.py tests/golden/tiny_llama

Every folder holds golden.safetensors beside the model, for a prompt of TOKENS ids:
    ids [tokens] int64; logits [tokens, vocabulary]; z [layers, tokens, heads, d_head], each head's output before the output
    projection; pattern [layers, heads, tokens, tokens]; resid_final [tokens, d_model], before the final norm;
    edited_logits, edited_z, edited_pattern: the same under EDITS.
The unedited ones come from transformers' own eager attention, the edited ones from `edited_attention` below.
"""
import json
import os
import shutil
import sys

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AttentionInterface, LlamaConfig, LlamaForCausalLM

TOKENS = 24
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEXT = ["the paper in the drawer is the one that the office reads, and the other is in the archive"] * 4
EDITS = {
    "from_position": 9,
    "gain": {(0, 1): 0.25, (1, 3): 1.5, (1, 0): 0.0},
    "bias": {(0, 1): 2.0, (0, 2): -1.5, (1, 2): 3.0},
    "biased_keys": [(0, 3), (5, 8), (12, 14)],  # position 0 is never biased
}
SIZES = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=512, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2)
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
VARIANTS = {
    "plain": dict(tie_word_embeddings=False),
    "tied_llama3_rope": dict(tie_word_embeddings=True, rope_parameters=LLAMA3, head_dim=16),
    "sharded_biases": dict(tie_word_embeddings=False, attention_bias=True, mlp_bias=True),
}


def train_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=272, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def edited_attention(module, query, key, value, attention_mask, scaling, dropout=0.0, **kwargs):
    layer, (heads, tokens) = module.layer_idx, query.shape[1:3]
    key = key.repeat_interleave(module.num_key_value_groups, dim=1)
    value = value.repeat_interleave(module.num_key_value_groups, dim=1)
    scores = query @ key.transpose(2, 3) * scaling
    scores = scores.masked_fill(torch.ones(tokens, tokens, dtype=torch.bool).triu(1), float("-inf"))
    start = EDITS["from_position"]
    for (edited_layer, head), bias in EDITS["bias"].items():
        for begin, end in EDITS["biased_keys"]:
            if edited_layer == layer:
                scores[:, head, start:, max(begin, 1):end] += bias
    pattern = scores.softmax(dim=-1)
    z = pattern @ value
    for (edited_layer, head), gain in EDITS["gain"].items():
        if edited_layer == layer:
            z[:, head, start:] *= gain
    return z.transpose(1, 2).contiguous(), pattern


def observe(model, ids):
    """What a forward pass computes, with the output projections' inputs caught on the way."""
    z, final = [], []
    hooks = [layer.self_attn.o_proj.register_forward_pre_hook(lambda module, inputs: z.append(inputs[0][0]))
             for layer in model.model.layers]
    hooks.append(model.model.norm.register_forward_pre_hook(lambda module, inputs: final.append(inputs[0][0])))
    with torch.no_grad():
        output = model(ids[None], output_attentions=True)
    for hook in hooks:
        hook.remove()
    heads = model.config.num_attention_heads
    return {
        "logits": output.logits[0],
        "z": torch.stack(z).unflatten(-1, (heads, -1)),
        "pattern": torch.stack([attention[0] for attention in output.attentions]),
        "resid_final": final[0],
    }


def randomise(model):
    """Large enough that attention is far from uniform."""
    for name, weight in model.named_parameters():
        if "norm" in name:
            weight.data = 1 + 0.2 * torch.randn_like(weight)
        else:
            weight.data = 0.25 * torch.randn_like(weight)


def make(folder, name, overrides):
    torch.manual_seed(20250516)
    tokenizer = train_tokenizer()
    config = LlamaConfig(vocab_size=tokenizer.get_vocab_size() + 4, **SIZES, **overrides)
    config._attn_implementation = "eager"
    model = LlamaForCausalLM(config).float().eval()
    randomise(model)
    ids = torch.randint(3, tokenizer.get_vocab_size(), (TOKENS,))
    golden = {"ids": ids, **observe(model, ids)}
    AttentionInterface.register("edited", edited_attention)
    model.config._attn_implementation = "edited"
    golden |= {f"edited_{key}": value for key, value in observe(model, ids).items() if key != "resid_final"}
    model.config._attn_implementation = "eager"
    model.save_pretrained(folder, max_shard_size="40KB" if "sharded" in name else "1GB")
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
        json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SPECIAL[1], "eos_token": SPECIAL[2]}, file, indent=1)
    save_file({key: value.contiguous() for key, value in golden.items()}, os.path.join(folder, "golden.safetensors"))


def main(target):
    shutil.rmtree(target, ignore_errors=True)
    for name, overrides in VARIANTS.items():
        make(os.path.join(target, name), name, overrides)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
