"""The 20 largest logits that transformers computes for the last token of fixed prompts, in float32.

    python make_smollm2_top20.py build/models/smollm2-135m-instruct > tests/golden/smollm2_top20.json
"""
import json
import sys

import torch
from transformers import AutoTokenizer, LlamaForCausalLM

PROMPTS = [
    "The capital of France is",
    "<|im_start|>user\nWho wrote Hamlet?<|im_end|>\n<|im_start|>assistant\n",
    "Annual leave is 25 days. New staff get 20 days in their first year. Q: How many days of leave do new staff get? A:",
    "La capitale de l'Espagne est Madrid. 北京是中国的",
]

if len(sys.argv) != 2:
    raise SystemExit(__doc__)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = LlamaForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
rows = []
for prompt in PROMPTS:
    ids = tokenizer(prompt)["input_ids"]
    with torch.no_grad():
        top = model(torch.tensor([ids])).logits[0, -1].topk(20)
    rows.append({"prompt": prompt, "ids": ids, "top_ids": top.indices.tolist(), "top_logits": [round(x, 5) for x in top.values.tolist()]})
json.dump(rows, sys.stdout, ensure_ascii=False, indent=1)
print()
