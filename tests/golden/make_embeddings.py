"""Makes tiny_bert/ (a random BERT sentence encoder with its vectors) and minilm_embeddings.jsonl (vectors of all-MiniLM-L6-v2).

    python make_embeddings.py MINILM_FOLDER

The vectors are transformers' last hidden states, averaged over each text's own tokens and scaled to length 1; one text a run, no padding.
"""
import json
import pathlib
import shutil
import sys

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).parent
TEXTS = [
    "",
    " \n\t",
    "Leave",
    "How many days of leave do I get?",
    "Employees get 30 days of leave a year; part-time employees get their share.",
    "The quick brown fox jumps over the lazy dog. " * 3,
    "北京是中华人民共和国的首都。它有两千多万人口。",
    "¿Cuántos días de vacaciones tengo? Año nuevo, naïve café, ÀÉÎÕÜ.",
    "emoji 🙂 and code: int main() { return 0; } -- 3.14159, 1,000,000",
    "Supercalifragilisticexpialidocious" * 4,
    "The warehouse opens at seven and closes at nine in the evening, except on public holidays. " * 30,
    "一二三四五六七八九十" * 40,
]


@torch.no_grad()
def embed(model, tokenizer, texts, max_length):
    rows = []
    for text in texts:
        inputs = tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt")
        hidden = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state[0]
        row = torch.nn.functional.normalize(hidden.mean(0), dim=0)
        rows.append({"text": text, "tokens": inputs["input_ids"].shape[1], "vector": [round(x, 7) for x in row.tolist()]})
    return rows


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def make_tiny(folder):
    shutil.rmtree(folder, ignore_errors=True)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,?!;:-'\"(){}"
    words = ["the", "leave", "days", "of", "get", "and", "at", "to", "##s", "##ing", "##er", "em", "##ploy", "##ee"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(letters) + ["##" + c for c in letters] + words + list("北京一二三")
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(t, vocabulary[t]) for t in ("[CLS]", "[SEP]")])
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]",
                                   sep_token="[SEP]", mask_token="[MASK]")
    torch.manual_seed(3)
    # Wider than a trained model's weights, so that attention is far from even and a wrong mask shows.
    config = BertConfig(vocab_size=len(vocabulary), hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
                        max_position_embeddings=48, hidden_act="gelu", initializer_range=0.6)
    model = BertModel(config, add_pooling_layer=False).eval()
    for name, parameter in model.named_parameters():
        if "LayerNorm" in name or name.endswith("bias"):
            parameter.data.add_(torch.randn_like(parameter) * 0.3)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": 24, "pooling_mode_mean_tokens": True}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32, "do_lower_case": False}))
    write_lines(folder / "expected.jsonl", embed(model, fast, TEXTS, 32))
    # Other activations, same weights: what the config says is what runs.
    for activation in ("gelu_new", "relu"):
        other = BertModel.from_pretrained(folder, hidden_act=activation, add_pooling_layer=False).eval()
        write_lines(folder / f"expected_{activation}.jsonl", embed(other, fast, TEXTS[3:5], 32))


if __name__ == "__main__":
    make_tiny(HERE / "tiny_bert")
    minilm = BertModel.from_pretrained(sys.argv[1]).eval()
    rows = embed(minilm, AutoTokenizer.from_pretrained(sys.argv[1]), TEXTS, 256)
    write_lines(HERE / "minilm_embeddings.jsonl", rows)
