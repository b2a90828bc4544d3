"""Writes relevance.json: AttnLRP relevance, plain gradient times activation and head evidence of the tiny Llamas, by autograd in float64 with detached factors.

Run after make_tiny_llama.py:  build/venv/bin/python tests/golden/make_relevance.py
Every rule is written as an ordinary forward pass in which the part that the rule holds constant is detached (Achtibat et al. 2024); with `plain` nothing is.
"""
import json
import pathlib

import torch
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

HERE = pathlib.Path(__file__).parent


plain = False


def constant(x):
    return x if plain else x.detach()


def passes(x, share):
    """The value of x; `share` of its gradient."""
    return x if plain else share * x + ((1 - share) * x).detach()


def rms_norm(x, module):
    return x * constant(torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + module.variance_epsilon)) * module.weight


def rotate(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


def attention(x, module, cos, sin, seen):
    tokens, d_head = x.shape[0], module.head_dim
    split = lambda flat: flat.unflatten(-1, (-1, d_head)).transpose(0, 1)
    q, k, v = split(module.q_proj(x)), split(module.k_proj(x)), split(module.v_proj(x))
    q, k, v = passes(rotate(q, cos, sin), 0.25), passes(rotate(k, cos, sin), 0.25), passes(v, 0.5)
    k, v = (t.repeat_interleave(len(q) // len(k), 0) for t in (k, v))
    future = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
    pattern = (q @ k.transpose(1, 2) / d_head**0.5).masked_fill(future, -torch.inf).softmax(-1)
    z = pattern @ v
    for tensor in (pattern, z):
        tensor.retain_grad()
    seen.append((pattern, z))
    return module.o_proj(z.transpose(0, 1).flatten(1))


def mlp(x, module):
    gate = module.gate_proj(x)
    return module.down_proj(passes(gate * constant(torch.sigmoid(gate)) * module.up_proj(x), 0.5))


def explain(model, ids, target):
    embedded = model.model.embed_tokens(ids).detach().requires_grad_()
    cos, sin = (table[0] for table in model.model.rotary_emb(embedded[None], torch.arange(len(ids))[None]))
    x, seen = embedded, []
    for layer in model.model.layers:
        x = x + attention(rms_norm(x, layer.input_layernorm), layer.self_attn, cos, sin, seen)
        x = x + mlp(rms_norm(x, layer.post_attention_layernorm), layer.mlp)
    logit = rms_norm(x, model.model.norm)[-1] @ model.lm_head.weight[target]
    assert torch.allclose(logit, model(ids[None]).logits[0, -1, target], rtol=1e-5, atol=1e-5)
    logit.backward()

    # What each head wrote of the logit: its output through its columns of W_O, the norm at the last position and the readout.
    readout = model.model.norm.weight * model.lm_head.weight[target] * torch.rsqrt(x[-1].pow(2).mean() + model.model.norm.variance_epsilon)
    evidence = []
    for layer, (_, z) in zip(model.model.layers, seen):
        columns = layer.self_attn.o_proj.weight.unflatten(1, (len(z), -1))  # [d_model, head, d_head]
        evidence.append(torch.einsum("dhk,hk,d->h", columns, z[:, -1], readout))
    rounded = lambda tensor: [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]
    return dict(
        tokens=ids.tolist(), target=target, logit=logit.item(),
        heads=rounded(torch.stack([(z * z.grad).clamp(min=0).sum((1, 2)) for _, z in seen])),
        keys=rounded(torch.stack([(a * a.grad).clamp(min=0).sum(1) for a, _ in seen])),
        token_relevance=rounded((embedded * embedded.grad).sum(-1)),
        evidence=rounded(torch.stack(evidence)))


def both(model, ids, target):
    global plain
    plain = False
    found = explain(model, ids, target)
    plain = True
    gradient = explain(model, ids, target)
    return found | dict(gradient={key: gradient[key] for key in ("heads", "keys", "token_relevance")})


golden = {}
for folder in sorted((HERE / "tiny_llama").iterdir()):
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).double().eval()
    model.model.rotary_emb.double()
    ids = load_file(folder / "golden.safetensors")["ids"].long()
    golden[folder.name] = [both(model, ids[begin:end], target) for begin, end, target in [(0, 24, 50), (3, 22, 261), (5, 6, 7)]]
path = HERE / "relevance.json"
path.write_text(json.dumps(golden) + "\n")
print(path, path.stat().st_size, "bytes")
