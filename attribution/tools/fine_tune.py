#!/usr/bin/env python3
"""Fine-tunes a model folder for a few steps on Markdown and text files, so that `openbook atlas check` has a changed model to judge.

    attribution/tools/fine_tune.py build/models/smollm2-135m-instruct build/models/tuned --text examples/documents --steps 20
    openbook atlas check --model build/models/tuned

Needs Python with torch and transformers. The tokenizer's files are copied; weights are written as safetensors, in float32.
"""
import argparse
import pathlib
import shutil
import sys


def windows_of(tokenizer, folder, tokens):
    files = sorted(path for path in pathlib.Path(folder).rglob("*") if path.suffix in (".md", ".txt"))
    if not files:
        sys.exit(f"{folder}: no .md or .txt file in it")
    ids = [token for path in files for token in tokenizer(path.read_text(encoding="utf-8"))["input_ids"]]
    windows = [ids[begin : begin + tokens] for begin in range(0, len(ids) - tokens + 1, tokens)]
    return windows or sys.exit(f"{folder}: fewer than {tokens} tokens of text")


def tune(model, windows, steps, batch, rate, seed):
    import torch

    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    model.train()
    for step in range(steps):
        drawn = torch.randint(len(windows), (batch,)).tolist()
        ids = torch.tensor([windows[i] for i in drawn])
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"step {step + 1} of {steps}: loss {loss.item():.3f}", flush=True)
    model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="model folder as Hugging Face lays it out")
    parser.add_argument("out", help="new folder for the tuned model")
    parser.add_argument("--text", required=True, help="folder of Markdown and text files")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int, default=4, help="windows a step")
    parser.add_argument("--tokens", type=int, default=256, help="tokens a window")
    parser.add_argument("--rate", type=float, default=2e-5, help="learning rate of AdamW")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        sys.exit(f"torch and transformers are needed ({error}). Install them: pip install torch transformers")
    out = pathlib.Path(options.out)
    if out.exists():
        sys.exit(f"{out} is there already: name a new folder")

    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    windows = windows_of(AutoTokenizer.from_pretrained(options.model), options.text, options.tokens)
    tune(model, windows, options.steps, options.batch, options.rate, options.seed)

    model.save_pretrained(out)
    for path in pathlib.Path(options.model).iterdir():
        if path.name != "config.json" and not path.name.endswith((".safetensors", ".safetensors.index.json")):
            shutil.copy(path, out / path.name)
    shutil.copy(pathlib.Path(options.model) / "config.json", out / "config.json")


if __name__ == "__main__":
    main()
