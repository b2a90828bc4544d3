// Tiny tokenizers of every kind against the reference libraries; tests/golden/make_tokenizers.py makes both.
#include <algorithm>
#include <thread>

#include "base/test_support.h"
#include "engine/tokenizer_digest.h"
#include "openbook/base/file.h"
#include "openbook/base/utf8.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::engine {
namespace {

const nlohmann::json& all_goldens() {
  static const nlohmann::json goldens = nlohmann::json::parse(read_file(test::golden("tokenizers/golden.json")));
  return goldens;
}

// The strings that make_tokenizers.py makes: SplitMix64 (Steele et al. 2014) and the same choices.
class Fuzz {
 public:
  explicit Fuzz(const nlohmann::json& golden) : state_(golden["seed"]), fragments_(golden["fragments"]) {
    for (const auto& range : golden["assigned"]) {
      assigned_.emplace_back(range[0], range[1]);
      total_ += assigned_.back().second - assigned_.back().first + 1;
    }
  }

  std::string string() {
    std::string text;
    const uint64_t parts = 1 + pick(24);
    for (uint64_t part = 0; part < parts; ++part) {
      const uint64_t kind = pick(10);
      if (kind < 4)
        text += fragments_[pick(fragments_.size())];
      else if (kind < 7)
        append_utf8(text, code_point());
      else if (kind < 8)
        text += static_cast<char>(0x20 + pick(95));
      else if (kind < 9)
        append_utf8(text, static_cast<char32_t>(0x300 + pick(0x70)));
      else
        append_repeated(text);
    }
    return text;
  }

 private:
  uint64_t pick(uint64_t count) {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % count;
  }

  char32_t code_point() {
    uint64_t index = pick(total_);
    for (const auto& [first, last] : assigned_) {
      if (index <= last - first) return static_cast<char32_t>(first + index);
      index -= last - first + 1;
    }
    return 0;
  }

  void append_repeated(std::string& text) {
    const std::string& fragment = fragments_[pick(fragments_.size())];
    for (uint64_t times = 1 + pick(5); times > 0; --times) text += fragment;
  }

  uint64_t state_;
  std::vector<std::string> fragments_;
  std::vector<std::pair<uint64_t, uint64_t>> assigned_;
  uint64_t total_ = 0;
};

std::vector<std::string> fuzz_strings() {
  Fuzz fuzz(all_goldens()["fuzz"]);
  std::vector<std::string> strings(all_goldens()["fuzz"]["count"].get<size_t>());
  for (std::string& text : strings) text = fuzz.string();
  return strings;
}

class TokenizerGolden : public testing::TestWithParam<const char*> {
 protected:
  const nlohmann::json& golden() const { return all_goldens()["tokenizers"][GetParam()]; }
  std::shared_ptr<const Tokenizer> tokenizer_ = load_tokenizer(test::golden("tokenizers") / GetParam());
};

TEST_P(TokenizerGolden, IdsSpansAndDecodedTextAreThoseOfTheReference) {
  for (const auto& expected : golden()["cases"]) {
    const std::string text = all_goldens()["texts"][expected["text"].get<size_t>()];
    const EncodeOptions options{.parse_special = expected.value("parse_special", false),
                                .add_special = expected.value("add_special", false)};
    std::vector<TokenId> ids;
    std::vector<int64_t> spans;
    for (const Token& token : tokenizer_->encode(text, options)) {
      ids.push_back(token.id);
      spans.insert(spans.end(), {token.bytes.begin, token.bytes.end});
    }
    const std::string shown =
        text + (options.parse_special ? " [parse_special]" : "") + (options.add_special ? " [add_special]" : "");
    EXPECT_EQ(ids, expected["ids"].get<std::vector<TokenId>>()) << shown;
    if (!expected["spans"].empty()) EXPECT_EQ(spans, expected["spans"].get<std::vector<int64_t>>()) << shown;
    EXPECT_EQ(tokenizer_->decode(ids), expected["decoded"].get<std::string>()) << shown;
  }
}

TEST_P(TokenizerGolden, FuzzedUnicodeGivesTheIdsOfTheReference) {
  const auto left_out = golden()["fuzz"]["left_out"].get<std::vector<size_t>>();  // the best cut is ambiguous
  test::TokenDigest digest;
  const auto strings = fuzz_strings();
  for (size_t i = 0; i < strings.size(); ++i)
    if (!std::binary_search(left_out.begin(), left_out.end(), i)) digest.add(tokenizer_->encode(strings[i]));
  digest.expect_equal(golden()["fuzz"]);
}

TEST_P(TokenizerGolden, SpansGoForwardShareNoByteAndStayInTheText) {
  for (const std::string& text : fuzz_strings()) {
    int64_t covered = 0;
    for (const Token& token : tokenizer_->encode(text)) {
      ASSERT_GE(token.bytes.begin, covered) << text;
      ASSERT_GE(token.bytes.end, token.bytes.begin) << text;
      covered = token.bytes.end;
    }
    ASSERT_LE(covered, static_cast<int64_t>(text.size())) << text;
  }
}

TEST_P(TokenizerGolden, ThreadsShareOneTokenizer) {
  const auto strings = fuzz_strings();
  test::TokenDigest digests[4];
  std::vector<std::thread> threads;
  for (test::TokenDigest& digest : digests)
    threads.emplace_back([&] {
      for (size_t i = 0; i < 300; ++i) digest.add(tokenizer_->encode(strings[i]));
    });
  for (std::thread& thread : threads) thread.join();
  const auto first = digests[0].finish();
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(digests[i].finish(), first);
}

INSTANTIATE_TEST_SUITE_P(Kinds, TokenizerGolden,
                         testing::Values("gpt2", "llama3", "nfc", "bert", "llama2", "metaspace", "spm_bpe", "spm_unigram"),
                         [](const auto& info) { return std::string(info.param); });

TEST(ByteLevelBpe, TokensTileTheTextAndSpellItsBytes) {
  for (const char* name : {"gpt2", "llama3"}) {
    const auto tokenizer = load_tokenizer(test::golden("tokenizers") / name);
    for (const std::string& text : fuzz_strings()) {
      if (text.find("tool") != text.npos) continue;  // <tool> also takes the spaces around it
      std::string bytes, streamed;
      std::vector<TokenId> ids;
      StreamDecoder stream(*tokenizer);
      int64_t covered = 0;
      for (const Token& token : tokenizer->encode(text)) {
        ASSERT_EQ(token.bytes.begin, covered) << text;
        covered = token.bytes.end;
        const std::string spelled = tokenizer->token_bytes(token.id);
        ASSERT_EQ(spelled, text.substr(static_cast<size_t>(token.bytes.begin), static_cast<size_t>(token.bytes.size())));
        bytes += spelled;
        streamed += stream.push(token.id);
        ids.push_back(token.id);
      }
      streamed += stream.finish();
      ASSERT_EQ(bytes, text);
      ASSERT_EQ(streamed, text);
      ASSERT_EQ(tokenizer->decode(ids), text);
    }
  }
}

TEST(ByteLevelBpe, NormalisedBytesPointToWhatTheyWereMadeFrom) {
  const auto tokenizer = load_tokenizer(test::golden("tokenizers/nfc"));
  const struct {
    std::string bytes;
    ByteSpan span;
  } expected[] = {
      {" ", {0, 0}},                         // the prefix comes from nowhere
      {"\xC3", {0, 3}},   {"\xA9", {3, 3}},  // e + acute became one letter of two bytes: the first has all that it was made from
      {"f", {3, 6}},      {"i", {6, 6}},     // of a ligature
      {"a\xC3", {6, 8}},  {"\xB1", {8, 9}},  // lower-cased, then a letter left as it was: byte for byte
      {" boat", {9, 14}},
  };
  const auto tokens = tokenizer->encode("e\u0301\uFB01A\u00F1 boat");
  ASSERT_EQ(tokens.size(), std::size(expected));
  for (size_t i = 0; i < tokens.size(); ++i) {
    EXPECT_EQ(tokenizer->token_bytes(tokens[i].id), expected[i].bytes) << i;
    EXPECT_EQ(tokens[i].bytes, expected[i].span) << i;
  }
}

TEST(ByteLevelBpe, AWordOfTwoMegabytesIsNotQuadratic) {
  const auto tokenizer = load_tokenizer(test::golden("tokenizers/gpt2"));
  std::string word;
  for (uint32_t state = 1; word.size() < 2'000'000; state = state * 1664525u + 1013904223u)
    word += "abehnorst"[(state >> 24) % 9];
  const auto tokens = tokenizer->encode(word);  // n^2 steps would take an hour
  EXPECT_EQ(tokens.back().bytes.end, static_cast<int64_t>(word.size()));
  EXPECT_LT(tokens.size(), word.size());
}

}  // namespace
}  // namespace openbook::engine
