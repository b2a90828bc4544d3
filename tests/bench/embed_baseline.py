"""Speed of the same encoder in transformers, for embed_bench: embed_baseline.py MODEL_FOLDER TEXTS.jsonl [THREADS] [TEXTS]

Batches of 32 sorted by length, as sentence-transformers does it; tokenising included.
"""
import json
import sys
import time

import torch
from transformers import AutoTokenizer, BertModel

threads, most = int((sys.argv[3:] or [2])[0]), int((sys.argv[4:] or [256])[0])
torch.set_num_threads(threads)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = BertModel.from_pretrained(sys.argv[1], add_pooling_layer=False).eval()

texts = []
for line in open(sys.argv[2], encoding="utf-8"):
    raw = json.loads(line)["text"].encode()
    begin = 0
    while begin < len(raw) and len(texts) < most:
        end = min(len(raw), begin + 600)
        while end < len(raw) and raw[end] & 0xC0 == 0x80:
            end += 1
        texts.append(raw[begin:end].decode())
        begin = end


@torch.inference_mode()
def embed():
    tokens = 0
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for start in range(0, len(order), 32):
        batch = tokenizer([texts[i] for i in order[start:start + 32]], padding=True, truncation=True, max_length=256, return_tensors="pt")
        mask = batch["attention_mask"].unsqueeze(-1)
        tokens += int(mask.sum()) - 2 * len(mask)
        hidden = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
    return tokens


best = float("inf")
for _ in range(3):
    start = time.perf_counter()
    tokens = embed()
    best = min(best, time.perf_counter() - start)
print(f"transformers: {len(texts)} texts, {tokens} tokens, {len(texts) / best:.1f} texts/s, {tokens / best:.0f} tokens/s")
