"""A plain forward and backward pass to the embeddings in transformers, for relevance_bench: relevance_baseline.py MODEL_FOLDER [TOKENS] [THREADS]

The comparison is made hard: weights ask for no gradient and only the last position's logits are computed.
"""
import pathlib
import sys
import time

import torch
from transformers import AutoModelForCausalLM

folder, tokens, threads = sys.argv[1], int((sys.argv[2:] or [512])[0]), int((sys.argv[3:] or [2])[0])
torch.set_num_threads(threads)


def resident_mib(field):
    status = pathlib.Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field)) / 1024


model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval().requires_grad_(False)
ids = torch.tensor([[100 + (i * 7919) % 40000 for i in range(tokens)]])


def forward_backward(ids):
    embedded = model.get_input_embeddings()(ids).requires_grad_()
    logit = model(inputs_embeds=embedded, logits_to_keep=1, use_cache=False).logits[0, -1, 260]
    return torch.autograd.grad(logit, embedded)


forward_backward(ids[:, :8])
before = resident_mib("VmRSS")
pathlib.Path("/proc/self/clear_refs").write_text("5")
seconds, cpu_seconds = [], []
for _ in range(7):
    start, cpu_start = time.perf_counter(), time.process_time()
    forward_backward(ids)
    seconds.append(time.perf_counter() - start)
    cpu_seconds.append(time.process_time() - cpu_start)
seconds.sort()
cpu_seconds.sort()
print(f"transformers, {model.config._attn_implementation}: {tokens} tokens, {seconds[3]:.3f} s (fastest {seconds[0]:.3f}), {cpu_seconds[3]:.3f} CPU s (fewest {cpu_seconds[0]:.3f}), "
      f"{resident_mib('VmHWM') - before:.0f} MiB above the model")
