"""`openbook bench decode` beside the same model in transformers, taking turns: decode_against_transformers.py [--openbook PROGRAM] [MODEL_FOLDER]

Both read random tokens and decode greedily after them with a key/value cache; transformers with its default attention (sdpa), without gradients.
Each round runs one after the other in both dtypes. A prompt counts at its fastest repeat, decoded tokens each at its fastest repeat, and the
best round counts, on both sides: other programs only ever slow one down. Prints one JSON object; ratios above 1 say that openbook is faster.
"""
import argparse
import json
import os
import subprocess
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model", nargs="?", default="build/models/smollm2-135m-instruct")
parser.add_argument("--openbook", default="build/release/bin/openbook")
parser.add_argument("--dtype", action="append", choices=["bfloat16", "float32"], help="may be given again; both when it is not given")
parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--prompt-tokens", type=int, default=512)
parser.add_argument("--decode-tokens", type=int, default=128)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--repeats", type=int, default=2, help="in a round")
arguments = parser.parse_args()

if arguments.device == "cpu":
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

torch.set_num_threads(arguments.threads)
transformers.utils.logging.disable_progress_bar()


def run_openbook(dtype):
    command = [arguments.openbook, "bench", "decode", "--format", "json", "--model", arguments.model, "--dtype", dtype, "--device", arguments.device]
    for name in ("threads", "prompt_tokens", "decode_tokens", "repeats"):
        command += ["--" + name.replace("_", "-"), str(getattr(arguments, name))]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def now():
    if arguments.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


@torch.inference_mode()
def run_transformers(model):
    prompt = torch.randint(model.config.vocab_size, (1, arguments.prompt_tokens), generator=torch.Generator().manual_seed(1)).to(arguments.device)
    prefill, steps = float("inf"), [float("inf")] * arguments.decode_tokens
    for repeat in range(arguments.repeats + 1):  # the first warms up
        start = now()
        out = model(prompt, use_cache=True, logits_to_keep=1)
        seconds = now() - start
        if repeat > 0:
            prefill = min(prefill, seconds)
        for i in range(arguments.decode_tokens):
            start = now()
            token = out.logits[:, -1:].argmax(-1)
            out = model(token, past_key_values=out.past_key_values, use_cache=True)
            seconds = now() - start
            if repeat > 0:
                steps[i] = min(steps[i], seconds)
    return {"prefill_tokens_per_second": arguments.prompt_tokens / prefill, "decode_tokens_per_second": arguments.decode_tokens / sum(steps)}


def best(rounds, key):
    return max(one[key] for one in rounds)


def compare(dtype, ours, theirs):
    line = {"dtype": dtype}
    for phase in ("prefill", "decode"):
        key = phase + "_tokens_per_second"
        line[phase] = {"openbook": round(best(ours, key), 1), "transformers": round(best(theirs, key), 1), "ratio": round(best(ours, key) / best(theirs, key), 3)}
    line["memory_floor_tokens_per_second"] = round(best(ours, "memory_floor_tokens_per_second"), 1)
    line["share_of_memory_floor"] = round(best(ours, "decode_tokens_per_second") / best(ours, "memory_floor_tokens_per_second"), 3)
    costs = sorted(one["guard_cost"] for one in ours)
    line["guard_cost_median"] = round(costs[len(costs) // 2], 4)
    line["guard_cost_range"] = [round(costs[0], 4), round(costs[-1], 4)]
    return line


dtypes = arguments.dtype or ["bfloat16", "float32"]
models = {dtype: AutoModelForCausalLM.from_pretrained(arguments.model, dtype=getattr(torch, dtype)).eval().to(arguments.device) for dtype in dtypes}
ours, theirs = {dtype: [] for dtype in dtypes}, {dtype: [] for dtype in dtypes}
for _ in range(arguments.rounds):
    for dtype in dtypes:
        ours[dtype].append(run_openbook(dtype))
        theirs[dtype].append(run_transformers(models[dtype]))
any_run = ours[dtypes[0]][0]
print(json.dumps({
    "processor": any_run["processor"], "device": torch.cuda.get_device_name() if arguments.device == "cuda" else "cpu", "threads": any_run["threads"], "prompt_tokens": arguments.prompt_tokens, "decode_tokens": arguments.decode_tokens,
    "torch": torch.__version__, "transformers": transformers.__version__, "attention": models[dtypes[0]].config._attn_implementation,
    "results": [compare(dtype, ours[dtype], theirs[dtype]) for dtype in dtypes],
}, indent=2))
