// tokenizer.json files that are wrong, and parts of them that no golden tokenizer has.
#include "base/test_support.h"
#include "openbook/base/file.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::engine {
namespace {

using nlohmann::json;

json tiny_bpe() {  // not byte-level: characters, no pre-tokenizer
  return json::parse(R"({
    "added_tokens": [{"id": 6, "content": "<end>", "special": true}],
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, " ": 3, "ab": 4, "abc": 5}, "merges": ["a b", ["ab", "c"]]}})");
}

std::shared_ptr<const Tokenizer> load(const std::string& bytes) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "tokenizer.json", bytes);
  return load_tokenizer(folder.path());
}

std::shared_ptr<const Tokenizer> load(const json& file) { return load(file.dump()); }

std::vector<TokenId> ids(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options = {}) {
  std::vector<TokenId> ids;
  for (const Token& token : tokenizer.encode(text, options)) ids.push_back(token.id);
  return ids;
}

TEST(TokenizerJson, WhatIsWrongIsNamedWithItsField) {
  const struct {
    const char* path;
    json value;
    Code code;
    const char* message;
  } rows[] = {
      {"/model", nullptr, Code::kInvalidArgument, "tokenizer.json: model: expected an object, found null"},
      {"/model/type", "Unigram", Code::kUnimplemented, "tokenizer.json: model: model Unigram is not supported"},
      {"/model/vocab", json::array(), Code::kInvalidArgument, "model.vocab: expected an object, found array"},
      {"/model/vocab", json::object(), Code::kInvalidArgument, "model.vocab: has no tokens"},
      {"/model/vocab/b", 0, Code::kInvalidArgument, "model.vocab: id 0 belongs to two tokens, \"a\" and \"b\""},
      {"/model/vocab/b", -1, Code::kInvalidArgument, "token \"b\" has id -1, outside"},
      {"/model/vocab/b", 1ll << 40, Code::kInvalidArgument, "token \"b\" has id 1099511627776, outside"},
      {"/model/vocab/b", "1", Code::kInvalidArgument, "token \"b\": expected an integer id, found string"},
      {"/model/merges/0", "a x", Code::kInvalidArgument, "model.merges: merge 0: \"x\" is not in model.vocab"},
      {"/model/merges/0", "a c", Code::kInvalidArgument, "merge 0: \"ac\" is not in model.vocab"},
      {"/model/merges/0", "ab", Code::kInvalidArgument, "merge 0: expected two tokens, found \"ab\""},
      {"/model/merges/0", 7, Code::kInvalidArgument, "merge 0: expected two tokens"},
      {"/model/unk_token", "?", Code::kInvalidArgument, "model.unk_token: \"?\" is not in model.vocab"},
      {"/model/dropout", 0.1, Code::kUnimplemented, "model.dropout: dropout is not supported"},
      {"/model/end_of_word_suffix", "</w>", Code::kUnimplemented, "model.end_of_word_suffix: "},
      {"/model/ignore_merges", "yes", Code::kInvalidArgument, "model.ignore_merges: expected true or false, found string"},
      {"/added_tokens/0/id", 0, Code::kInvalidArgument, "added_tokens[0]: id 0 belongs to two tokens, \"a\" and \"<end>\""},
      {"/added_tokens/0/content", "a", Code::kInvalidArgument, "added_tokens[0]: token \"a\" has two ids, 0 and 6"},
      {"/added_tokens/0/content", nullptr, Code::kInvalidArgument, "added_tokens[0].content: expected a string, found null"},
      {"/normalizer", {{"type", "Precompiled"}}, Code::kUnimplemented, "normalizer: normalizer Precompiled is not supported"},
      {"/normalizer", {{"type", "Sequence"}}, Code::kInvalidArgument, "normalizer: has no field \"normalizers\""},
      {"/pre_tokenizer", {{"type", "UnicodeScripts"}}, Code::kUnimplemented, "pre_tokenizer: pre-tokenizer UnicodeScripts"},
      {"/pre_tokenizer",
       {{"type", "Split"}, {"pattern", {{"Regex", "(a"}}}, {"behavior", "Isolated"}},
       Code::kUnimplemented,
       "pre_tokenizer.pattern.Regex: the pattern (a (missing closing parenthesis"},
      {"/pre_tokenizer",
       {{"type", "Split"}, {"pattern", {{"Regex", "[a&&b]"}}}, {"behavior", "Isolated"}},
       Code::kUnimplemented,
       "an intersection of sets"},
      {"/pre_tokenizer",
       {{"type", "Split"}, {"pattern", {{"Regex", "\\bthe"}}}, {"behavior", "Isolated"}},
       Code::kUnimplemented,
       "the pattern \\bthe (\\b)"},
      {"/pre_tokenizer",
       {{"type", "Split"}, {"pattern", {{"String", "a"}}}, {"behavior", "Cut"}},
       Code::kUnimplemented,
       "pre_tokenizer.behavior: split behavior Cut"},
      {"/pre_tokenizer",
       {{"type", "Sequence"}, {"pretokenizers", {{{"type", "ByteLevel"}}, {{"type", "Digits"}}}}},
       Code::kUnimplemented,
       "pre_tokenizer.pretokenizers[1]: a pre-tokenizer after ByteLevel"},
      {"/normalizer",
       {{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", "x"}},
       Code::kInvalidArgument,
       "normalizer.pattern: looks for the empty text"},
      {"/normalizer",
       {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(65, 'a')}},
       Code::kInvalidArgument,
       "normalizer: puts in a text of 65 bytes; at most 64"},
      {"/pre_tokenizer",
       {{"type", "Split"}, {"pattern", {{"String", ""}}}, {"behavior", "Isolated"}},
       Code::kInvalidArgument,
       "pre_tokenizer.pattern: looks for the empty text"},
      {"/decoder", {{"type", "CTC"}}, Code::kUnimplemented, "decoder: decoder CTC is not supported"},
      {"/decoder",
       {{"type", "Metaspace"}, {"replacement", ""}},
       Code::kInvalidArgument,
       "decoder: looks for the empty text, which stands everywhere"},
      {"/decoder",
       {{"type", "Sequence"}, {"decoders", {{{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", "x"}}}}},
       Code::kInvalidArgument,
       "decoder.decoders[0]: looks for the empty text"},
      {"/decoder",
       {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(1000, 'a')}},
       Code::kInvalidArgument,
       "decoder: puts in a text of 1000 bytes; at most 64"},
      {"/post_processor",
       {{"type", "TemplateProcessing"}, {"single", json::array()}},
       Code::kInvalidArgument,
       "has no sequence A"},
      {"/post_processor",
       {{"type", "BertProcessing"}, {"cls", {"a", 99}}, {"sep", {"a", 0}}},
       Code::kInvalidArgument,
       "post_processor.cls[1]: id 99 is not in the vocabulary"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.path);
    json file = tiny_bpe();
    file[json::json_pointer(row.path)] = row.value;
    EXPECT_ERROR(load(file), row.code, row.message);
  }
}

TEST(TokenizerJson, MissingFieldsAndFilesAreNamed) {
  for (const char* field : {"vocab", "merges"}) {
    json file = tiny_bpe();
    file["model"].erase(field);
    EXPECT_ERROR(load(file), Code::kInvalidArgument, std::string("model: has no field \"") + field);
  }
  EXPECT_ERROR(load(json::object()), Code::kInvalidArgument, "has no field \"model\"");
  const test::TemporaryFolder empty;
  EXPECT_ERROR(load_tokenizer(empty.path()), Code::kNotFound, "neither tokenizer.json nor tokenizer.model");
  EXPECT_ERROR(load_tokenizer(empty / "missing"), Code::kNotFound, "missing");
}

TEST(TokenizerJson, AFileCutAnywhereIsRefused) {
  const std::string whole = tiny_bpe().dump();
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_ERROR(load(whole.substr(0, length)), Code::kInvalidArgument, "tokenizer.json: not JSON from byte");
  EXPECT_ERROR(load(std::string("\x7f"
                                "ELF\0\1",
                                6)),
               Code::kInvalidArgument, "not JSON");
  EXPECT_ERROR(load(std::string("{\"model\": \"\xFF\"}")), Code::kInvalidArgument, "not JSON");
}

TEST(TokenizerJson, DeepNestingDoesNotExhaustTheStack) {
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += R"({"type":"Sequence","normalizers":[)";
  nested += R"({"type":"Lowercase"})";
  for (int i = 0; i < 100'000; ++i) nested += "]}";
  EXPECT_ERROR(load(R"({"model":{"vocab":{"a":0},"merges":[]},"normalizer":)" + nested + "}"), Code::kInvalidArgument,
               "nested deeper than 32 levels");
}

TEST(TokenizerJson, ReplacementsThatMultiplyATextAreStopped) {
  const json twice = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", std::string(64, 'a')}};
  json file = tiny_bpe();
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", json::array({twice, twice, twice, twice, twice, twice})}};
  EXPECT_ERROR(load(file)->encode("ab"), Code::kInvalidArgument, "the tokenizer's normalizer makes");
  file = tiny_bpe();
  file["decoder"] = {{"type", "Sequence"}, {"decoders", json::array({twice, twice, twice, twice, twice, twice})}};
  EXPECT_ERROR(load(file)->token_bytes(0), Code::kInvalidArgument, "the tokenizer's decoder makes more than 65536 bytes");
}

TEST(TokenizerJson, ANumberThatNothingHoldsIsNamedWithItsField) {
  EXPECT_ERROR(load(std::string(R"({"model":{"vocab":{"a":0,"b":1e999},"merges":[]}})")), Code::kInvalidArgument,
               "tokenizer.json: \"model.vocab.b\" holds a number that is too large");
}

TEST(TokenizerJson, MergesRunByRankAndNeverIntoASpecialToken) {
  EXPECT_EQ(ids(*load(tiny_bpe()), "abcab"), (std::vector<TokenId>{5, 4}));
  json file = tiny_bpe();
  file["added_tokens"].push_back({{"id", 5}, {"content", "abc"}, {"special", true}});
  const auto tokenizer = load(file);
  EXPECT_EQ(ids(*tokenizer, "abc"), (std::vector<TokenId>{4, 2}));  // no text may become it
  EXPECT_EQ(ids(*tokenizer, "abc", {.parse_special = true}), (std::vector<TokenId>{5}));
}

TEST(TokenizerJson, UnknownCharactersAreTheUnknownTokenOrNothing) {
  EXPECT_EQ(ids(*load(tiny_bpe()), "azb"), (std::vector<TokenId>{4}));  // as the reference does without an unknown token
  json file = tiny_bpe();
  file["model"]["unk_token"] = "c";
  EXPECT_EQ(ids(*load(file), "axyb"), (std::vector<TokenId>{0, 2, 2, 1}));
  file["model"]["fuse_unk"] = true;
  const auto tokenizer = load(file);
  EXPECT_EQ(ids(*tokenizer, "axyb"), (std::vector<TokenId>{0, 2, 1}));
  EXPECT_EQ(tokenizer->encode("axyb")[1].bytes, (ByteSpan{1, 3}));
}

TEST(TokenizerJson, AddedTokensObeyTheirFlags) {
  json file = tiny_bpe();
  file["added_tokens"] = {{{"id", 6}, {"content", "<x>"}, {"lstrip", true}, {"rstrip", true}, {"normalized", false}},
                          {{"id", 7}, {"content", "cab"}, {"single_word", true}, {"normalized", false}},
                          {{"id", 8}, {"content", "<x>a"}, {"normalized", false}}};
  const auto tokenizer = load(file);
  const auto tokens = tokenizer->encode("a <x>  b");
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[1].id, 6);
  EXPECT_EQ(tokens[1].bytes, (ByteSpan{1, 7}));                       // with the spaces around it
  EXPECT_EQ(ids(*tokenizer, "<x>ab"), (std::vector<TokenId>{8, 1}));  // the longest that starts here
  EXPECT_EQ(ids(*tokenizer, "cab"), (std::vector<TokenId>{7}));
  EXPECT_EQ(ids(*tokenizer, "cabb"), (std::vector<TokenId>{2, 4, 1}));  // not a word by itself
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{0, 6, 1}), "a<x>b");
}

TEST(TokenizerJson, SplitBehaviorsMatchTheReference) {
  // Pieces of "-a--b-" cut at "-" (checked against `tokenizers`); merges join characters inside a piece only, so pieces show.
  const struct {
    const char* behavior;
    std::vector<std::string> pieces;
  } rows[] = {
      {"Isolated", {"-", "a", "-", "-", "b", "-"}},   {"Removed", {"a", "b"}},
      {"MergedWithPrevious", {"-", "a-", "-", "b-"}}, {"MergedWithNext", {"-a", "-", "-b", "-"}},
      {"Contiguous", {"-", "a", "--", "b", "-"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.behavior);
    json vocabulary = {{"-", 0}, {"a", 1}, {"b", 2}, {"-a", 3}, {"-b", 4}, {"a-", 5}, {"b-", 6}, {"--", 7}};
    const json file = {
        {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", json::array()}, {"ignore_merges", true}}},
        {"pre_tokenizer", {{"type", "Split"}, {"pattern", {{"String", "-"}}}, {"behavior", row.behavior}, {"invert", false}}}};
    const auto tokenizer = load(file);
    std::vector<std::string> pieces;
    for (const Token& token : tokenizer->encode("-a--b-")) pieces.push_back(tokenizer->token_bytes(token.id));
    EXPECT_EQ(pieces, row.pieces);
  }
}

TEST(TokenizerJson, PatternShorthandsAreOnigurumas) {
  // Each text holds one character that PCRE2 or another notion of "word" would class otherwise (checked against `tokenizers`).
  const struct {
    json pre_tokenizer;
    const char* text;
    std::vector<std::string> words;
  } rows[] = {
      {{{"type", "Split"}, {"pattern", {{"Regex", "\\s+"}}}, {"behavior", "Removed"}},
       "a\u180Eb c\u0085d",
       {"a\u180Eb", "c", "d"}},
      {{{"type", "Split"}, {"pattern", {{"Regex", "[\\s.]"}}}, {"behavior", "Removed"}}, "a\u180Eb.c", {"a\u180Eb", "c"}},
      {{{"type", "Split"}, {"pattern", {{"Regex", "\\W"}}}, {"behavior", "Removed"}},
       "a\u0301\u203Fb\u00BD\u24B6-c",
       {"a\u0301\u203Fb\u00BD\u24B6", "c"}},
      {{{"type", "Split"}, {"pattern", {{"Regex", "\\h+"}}}, {"behavior", "Removed"}}, "xbeefy", {"x", "y"}},
      {{{"type", "Split"}, {"pattern", {{"Regex", "\\p{Han}"}}}, {"behavior", "Removed"}}, "a\u4E2D\u3001b", {"a", "\u3001b"}},
      {{{"type", "Split"}, {"pattern", {{"Regex", "(?i:'s)"}}}, {"behavior", "Isolated"}}, "it'\u017Fo", {"it", "'\u017F", "o"}},
      {{{"type", "Whitespace"}}, "a\u200Db\u00BD  c", {"a\u200Db", "\u00BD", "c"}},
      {{{"type", "WhitespaceSplit"}}, "a\u3000b.", {"a", "b."}},
      {{{"type", "Punctuation"}}, "a.\u2026b$", {"a", ".", "\u2026", "b", "$"}},
      {{{"type", "Digits"}}, "a12\u00BDb", {"a", "12\u00BD", "b"}},
      {{{"type", "Digits"}, {"individual_digits", true}}, "a12", {"a", "1", "2"}},
  };
  for (const auto& row : rows) {
    json vocabulary = {{"?", 0}};
    for (const std::string& word : row.words) vocabulary.emplace(word, vocabulary.size());
    const json file = {{"pre_tokenizer", row.pre_tokenizer},
                       {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", json::array()}, {"ignore_merges", true}}}};
    const auto tokenizer = load(file);
    std::vector<std::string> words;
    for (const Token& token : tokenizer->encode(row.text)) words.push_back(tokenizer->token_bytes(token.id));
    EXPECT_EQ(words, row.words) << row.text;
  }
}

TEST(TokenizerJson, FingerprintFollowsTheFile) {
  json file = tiny_bpe();
  const auto first = load(file), again = load(file);
  EXPECT_EQ(first->fingerprint(), again->fingerprint());
  EXPECT_EQ(first->fingerprint().size(), 64u);
  file["version"] = "1.1";
  EXPECT_NE(load(file)->fingerprint(), first->fingerprint());
  EXPECT_EQ(first->vocabulary_size(), 7);
  EXPECT_EQ(first->find("ab"), 4);
  EXPECT_EQ(first->find("zz"), std::nullopt);
  EXPECT_TRUE(first->is_special(6));
  EXPECT_FALSE(first->is_special(0));
}

}  // namespace
}  // namespace openbook::engine
