"""Trains the tiny tokenizers of tests/golden/tokenizers/ and writes what the reference libraries make of texts.

    build/venv/bin/python tests/golden/make_tokenizers.py            # tiny tokenizers and their goldens
    build/venv/bin/python tests/golden/make_tokenizers.py --models   # digests of the models in build/models on ../shared/data

Reference: `tokenizers` and `sentencepiece` from PyPI (versions in tests/golden/tokenizers/golden.json). Byte spans are theirs,
turned from code points to bytes, then cut so that no two tokens share a byte; for byte-level tokens, which the library gives whole
characters, they follow from the number of bytes that each token spells.
"""

import argparse
import collections
import hashlib
import io
import json
import pathlib
import struct
import unicodedata

import sentencepiece
import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUT = HERE / "tokenizers"
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

CORPUS = [
    "The harbour office opens at eight and closes when the last boat is in.",
    "Every boat has a number, and every number has a boat; the office keeps both in a book.",
    "Opening the book is easy. Reading what it says isn't: the keeper's hand is small.",
    "He'd written 1987, 2004 and 12,500 where we'd have written words, and they're all there.",
    "Las barcas salen temprano y vuelven tarde; el niño espera en el muelle con su abuela.",
    "¿Cuántas barcas volvieron ayer? Volvieron siete, según el libro de la oficina.",
    "港口的办公室八点开门。每条船都有一个号码，每个号码都有一条船。",
    "孩子和他的祖母在码头上等着，船很晚才回来。",
    "# Notes\n\n- *boats*: 7\n- **books**: 1\n\n```\nfor boat in boats:\n    write(boat)\n```\n",
    "Ånders façade, naïve café, Zürich, Łódź, ÅNGSTRÖM, İstanbul, straße, ﬁne ½ Ⅷ ٣",
    "opened opening opens open reopened book booked booking bookkeeper boats boating boatyard",
] * 4

TEXTS = [
    "", " ", "a", "The boats are opening", "  two  spaces and trailing  ", "he'd WE'LL they're It'S 'Sunday'",
    "1987 and 12,500: ٣ ½ Ⅷ ²", "niño ¿Cuántas? según", "港口的办公室八点开门。", "naïve cafe\u0301 e\u0301\u0323 Å Å ﬁne",
    "한국어 \u1112\u1161\u11ab", "tabs\tand\nlines\r\n\r\n   indented", "nbsp\u00a0thin\u2009mvs\u180enel\u0085zwsp\u200b.",
    "emoji 😀👩\u200d👩\u200d👧 🇺🇳!", "<|end|> in plain text <|end|>", "[CLS] boat [SEP] [MASK] <s></s><unk>", "x <tool>  boat<tool>boats toolbox tool",
    "control \x01\x7f\ufffd.", "İstanbul ſ K STRASSE", "\u0338\u0301leading marks", "a" * 40 + "\n" * 7 + "=" * 33, "##ing ▁boat <0x41> Ġ",
]

FRAGMENTS = [" ", "  ", "\n", "\r\n", "\t", "'s", "'LL", "'ſ", "’s", "123", "1", "a", "Zed", " the", "boat", "é", "e\u0301", "中文", "...", "<|end|>", "<tool>",
             "[CLS]", "##a", "▁", "\u00a0", "\u3000", "\u0085", "\u180e", "\u200b", "ſ", "\u212a", "İ", "한국", "\u1100\u1161", "ﬁ", "½", "Ⅷ", "٣", "_", "<0x41>"]


def assigned_ranges():
    assert unicodedata.unidata_version == "14.0.0"
    ranges = []
    for value in range(0x110000):
        if unicodedata.category(chr(value)) in ("Cs", "Cn"):
            continue
        if ranges and ranges[-1][1] == value - 1:
            ranges[-1][1] = value
        else:
            ranges.append([value, value])
    return ranges


class Fuzz:
    """The same strings as tests/engine/tokenizer_golden_test.cc makes: SplitMix64 and the choices below."""

    def __init__(self, seed, ranges):
        self.state, self.ranges = seed, ranges
        self.total = sum(last - first + 1 for first, last in ranges)

    def pick(self, count):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return (z ^ (z >> 31)) % count

    def code_point(self):
        index = self.pick(self.total)
        for first, last in self.ranges:
            if index <= last - first:
                return chr(first + index)
            index -= last - first + 1

    def string(self):
        text = ""
        for _ in range(1 + self.pick(24)):
            kind = self.pick(10)
            if kind < 4:
                text += FRAGMENTS[self.pick(len(FRAGMENTS))]
            elif kind < 7:
                text += self.code_point()
            elif kind < 8:
                text += chr(0x20 + self.pick(95))
            elif kind < 9:
                text += chr(0x300 + self.pick(0x70))
            else:
                fragment = FRAGMENTS[self.pick(len(FRAGMENTS))]
                text += fragment * (1 + self.pick(5))
        return text


def byte_offsets(text):
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode()))
    return offsets


def without_overlap(spans):
    covered, out = 0, []
    for begin, end in spans:
        begin = max(begin, covered)
        covered = max(begin, end)
        out.append([begin, covered])
    return out


class JsonReference:
    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.added = set(self.tokenizer.get_added_tokens_decoder())
        description = json.loads((folder / "tokenizer.json").read_text())
        steps = description["pre_tokenizer"] or {}
        self.byte_level = (steps.get("pretokenizers") or [steps])[-1].get("type") == "ByteLevel"
        # Where a normaliser or a prefix works before the bytes, the library's spans of whole characters can't be taken apart.
        self.has_spans = description["normalizer"] is None if self.byte_level else description["model"]["type"] == "WordPiece"

    def ambiguous(self, text):
        return False

    def encode(self, text, parse_special=False, add_special=False):
        self.tokenizer.encode_special_tokens = not parse_special
        encoding = self.tokenizer.encode(text, add_special_tokens=add_special)
        if not self.has_spans:
            return encoding.ids, []
        offsets = byte_offsets(text)
        ids, tokens, places = encoding.ids, encoding.tokens, encoding.offsets  # each a copy
        given = [index for index, special in enumerate(encoding.special_tokens_mask) if not (special and add_special)]
        inner, end = [], 0
        for index in given:
            begin, stop = (offsets[place] for place in places[index])
            if self.byte_level:
                length = stop - begin if ids[index] in self.added else len(tokens[index])
                begin, stop, end = end, end + length, end + length
            inner.append([begin, stop])
        spans = [[0, 0] for _ in ids]
        for index, span in zip(given, without_overlap(inner)):
            spans[index] = span
        return ids, spans

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=True)


def proto_fields(message):
    """Field numbers and values of a protobuf message that has integers and byte strings only."""

    def varint(at):
        value = shift = 0
        while True:
            value |= (message[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if message[at - 1] < 0x80:
                return value, at

    at = 0
    while at < len(message):
        key, at = varint(at)
        value, at = varint(at)
        if key & 7 == 2:
            value, at = message[at:at + value], at + value
        elif key & 7 != 0:
            raise ValueError(f"wire type {key & 7}")
        yield key >> 3, value


class SentencePieceReference:
    def __init__(self, folder):
        self.processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
        self.has_spans = True
        self.unigram = "unigram" in folder.name

    def ambiguous(self, text):
        """Two best ways to cut it have the same pieces in another order: rounding decides, and versions of the library differ."""
        if not self.unigram:
            return False
        best = self.processor.nbest_encode(text, nbest_size=2, return_type=int)
        return len(best) == 2 and sorted(best[0]) == sorted(best[1])

    def encode(self, text, parse_special=False, add_special=False):
        pieces = []
        for field, value in proto_fields(self.processor.encode(text, return_type="serialized_proto")):
            if field == 2:  # SentencePieceText.pieces; of a piece: 2 id, 4 begin, 5 end
                pieces.append(dict(proto_fields(value)))
        return [piece[2] for piece in pieces], [[piece.get(4, 0), piece.get(5, 0)] for piece in pieces]

    def decode(self, ids):
        return self.processor.decode(ids)


def digest(reference, texts):
    count, ids_hash, spans_hash = 0, hashlib.sha256(), hashlib.sha256()
    for text in texts:
        ids, spans = reference.encode(text)
        count += len(ids)
        ids_hash.update(struct.pack(f"<{len(ids) + 1}i", *ids, -1))
        spans_hash.update(struct.pack(f"<{2 * len(spans) + 1}i", *[edge for span in spans for edge in span], -1))
    return {"tokens": count, "ids": ids_hash.hexdigest(), **({"spans": spans_hash.hexdigest()} if reference.has_spans else {})}


def byte_level_bpe(pre_tokenizer, size, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=["<|begin|>", "<|end|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def gpt2_like():
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer = byte_level_bpe(pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]), 500)
    tokenizer.add_tokens([tokenizers.AddedToken("<tool>", lstrip=True, rstrip=True, normalized=False),
                          tokenizers.AddedToken("tool", single_word=True, normalized=False)])
    return tokenizer


def llama3_like():
    split = pre_tokenizers.Split(tokenizers.Regex(LLAMA3), behavior="isolated")
    tokenizer = byte_level_bpe(pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), 500)
    description = json.loads(tokenizer.to_str())
    description["model"]["ignore_merges"] = True
    description["model"]["vocab"]["boatyards"] = len(description["model"]["vocab"])  # only whole words reach it: no merge makes it
    tokenizer = Tokenizer.from_str(json.dumps(description))
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(
        single="<|begin|> $A", special_tokens=[("<|begin|>", tokenizer.token_to_id("<|begin|>"))])])
    return tokenizer


def nfc_bpe():
    tokenizer = byte_level_bpe(pre_tokenizers.ByteLevel(add_prefix_space=True), 400)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace("ﬁ", "fi"), normalizers.Lowercase()])
    tokenizer.add_tokens([tokenizers.AddedToken("Boatyard", normalized=True)])
    return tokenizer


def bert_like():
    normalizer, pre_tokenizer = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    counts = collections.Counter(word for text in CORPUS for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text)))
    ends = collections.Counter(word[at:] for word in counts for at in range(1, len(word)) if len(word) - at <= 4)
    characters = sorted({character for word in counts for character in word})
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + characters + ["##" + character for character in characters]
    tokens += [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:60]]
    tokens += ["##" + end for end, count in sorted(ends.items()) if count >= 3]
    tokenizer = Tokenizer(models.WordPiece({token: number for number, token in enumerate(dict.fromkeys(tokens))}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoders.WordPiece()
    tokenizer.add_special_tokens(tokens[:5])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")])
    return tokenizer


def train_sentencepiece(**options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(line for text in CORPUS for line in text.split("\n")), model_writer=model,
                                             minloglevel=2, num_threads=1, hard_vocab_limit=False, **options)
    return model.getvalue()


def llama2_like(model):
    """The tokenizer.json that belongs to a SentencePiece BPE: every way to make a piece of two is a merge, best piece first."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    vocabulary = {processor.id_to_piece(i): i for i in range(processor.get_piece_size())}
    merges = []
    for piece, number in vocabulary.items():
        for cut in range(1, len(piece)):
            if piece[:cut] in vocabulary and piece[cut:] in vocabulary and not processor.is_control(number) and not processor.is_byte(number):
                merges.append((-processor.get_score(number), vocabulary[piece[:cut]], vocabulary[piece[cut:]], piece[:cut], piece[cut:]))
    tokenizer = Tokenizer(models.BPE(vocabulary, [merge[3:] for merge in sorted(merges)], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", vocabulary["<s>"])])
    return tokenizer


def metaspace_bpe(model):
    tokenizer = llama2_like(model)
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="first"), pre_tokenizers.Punctuation()])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    return tokenizer


def write_tiny_tokenizers():
    sentencepiece_bpe = train_sentencepiece(model_type="bpe", vocab_size=600, byte_fallback=True, normalization_rule_name="identity",
                                            remove_extra_whitespaces=False, user_defined_symbols=["<|end|>", "<tool>"])
    unigram = train_sentencepiece(model_type="unigram", vocab_size=400, normalization_rule_name="nfkc")
    files = {name: ("tokenizer.json", maker().to_str(pretty=False).encode()) for name, maker in
             [("gpt2", gpt2_like), ("llama3", llama3_like), ("nfc", nfc_bpe), ("bert", bert_like)]}
    files["llama2"] = ("tokenizer.json", llama2_like(sentencepiece_bpe).to_str(pretty=False).encode())
    files["metaspace"] = ("tokenizer.json", metaspace_bpe(sentencepiece_bpe).to_str(pretty=False).encode())
    files["spm_bpe"] = ("tokenizer.model", sentencepiece_bpe)
    files["spm_unigram"] = ("tokenizer.model", unigram)
    for name, (file, content) in files.items():
        (OUT / name).mkdir(parents=True, exist_ok=True)
        (OUT / name / file).write_bytes(content)
    return list(files)


def write_golden(names):
    ranges = assigned_ranges()
    golden = {"libraries": f"tokenizers {tokenizers.__version__}, sentencepiece {sentencepiece.__version__}",
              "fuzz": {"seed": 20221, "count": 2000, "fragments": FRAGMENTS, "assigned": ranges}, "texts": TEXTS, "tokenizers": {}}
    fuzz = Fuzz(golden["fuzz"]["seed"], ranges)
    strings = [fuzz.string() for _ in range(golden["fuzz"]["count"])]
    for name in names:
        is_json = not name.startswith("spm")
        reference = (JsonReference if is_json else SentencePieceReference)(OUT / name)
        cases = []
        for number, text in enumerate(TEXTS):
            if reference.ambiguous(text):
                continue
            for parse_special, add_special in [(False, False), (True, False), (False, True)] if is_json else [(False, False)]:
                ids, spans = reference.encode(text, parse_special, add_special)
                case = {"text": number, "ids": ids, "spans": [edge for span in spans for edge in span], "decoded": reference.decode(ids)}
                if parse_special:
                    plain = reference.encode(text)[0]
                    if plain == ids:
                        continue  # says nothing new
                    case["parse_special"] = True
                if add_special:
                    if number % 5:
                        continue
                    case["add_special"] = True
                cases.append(case)
        ambiguous = [number for number, text in enumerate(strings) if reference.ambiguous(text)]
        if name == "bert":
            reference.has_spans = False  # marks that change places in NFD leave the library's spans a place off
        clear = [text for number, text in enumerate(strings) if number not in ambiguous]
        golden["tokenizers"][name] = {"cases": cases, "fuzz": {**digest(reference, clear), "left_out": ambiguous}}
    (OUT / "golden.json").write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")).replace('{"text":', '\n{"text":') + "\n")


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from strings_of(value[key])
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item)


def write_model_digests(data):
    golden = {"tokenizers": tokenizers.__version__, "models": {}}
    files = sorted(data.glob("*.jsonl")) + sorted((data / "docs").glob("*.jsonl"))
    for model in ["smollm2-135m-instruct", "all-minilm-l6-v2"]:
        reference = JsonReference(ROOT / "build/models" / model)
        digests = {str(file.relative_to(data)): digest(reference, [text for line in file.open(encoding="utf-8") for text in strings_of(json.loads(line))])
                   for file in files}
        digests["docs/*.md"] = digest(reference, [file.read_bytes().decode() for file in sorted((data / "docs").glob("*.md"))])
        golden["models"][model] = digests
    (HERE / "tokenizer_data.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "../shared/data")
    options = parser.parse_args()
    if options.models:
        write_model_digests(options.data)
    else:
        write_golden(write_tiny_tokenizers())
