#include <algorithm>

#include "base/test_support.h"
#include "openbook/base/file.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::engine {
namespace {

// The golden SentencePiece BPE, whose user-defined piece <|end|> the library finds in any text, with a configuration beside it.
std::shared_ptr<const Tokenizer> load(const nlohmann::json& config) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "tokenizer.model", read_file(test::golden("tokenizers/spm_bpe/tokenizer.model")));
  write_file_atomically(folder / "tokenizer_config.json", config.dump());
  return load_tokenizer(folder.path());
}

TokenId id_of(const Tokenizer& tokenizer, const char* token) { return tokenizer.find(token).value(); }

bool holds(const std::vector<Token>& tokens, TokenId id) {
  return std::any_of(tokens.begin(), tokens.end(), [id](const Token& token) { return token.id == id; });
}

nlohmann::json end_is_special() {
  const auto plain = load_tokenizer(test::golden("tokenizers/spm_bpe"));
  return {{"added_tokens_decoder",
           {{std::to_string(id_of(*plain, "<|end|>")), {{"content", "<|end|>"}, {"special", true}}},
            {std::to_string(plain->vocabulary_size()), {{"content", "<|begin|>"}, {"special", true}}}}}};
}

TEST(SentencePiece, SpecialTokensInPlainTextStayText) {
  const auto tokenizer = load(end_is_special());
  const std::string text = "a<|end|>b<s></s><|begin|>";
  const auto plain = tokenizer->encode(text);
  int64_t covered = 0;
  std::vector<TokenId> ids;
  for (const Token& token : plain) {
    EXPECT_FALSE(tokenizer->is_special(token.id));
    EXPECT_EQ(token.bytes.begin, covered);
    covered = token.bytes.end;
    ids.push_back(token.id);
  }
  EXPECT_EQ(covered, static_cast<int64_t>(text.size()));
  EXPECT_EQ(tokenizer->decode(ids), text);

  const auto parsed = tokenizer->encode(text, {.parse_special = true});
  for (const char* token : {"<|end|>", "<s>", "</s>", "<|begin|>"}) EXPECT_TRUE(holds(parsed, id_of(*tokenizer, token))) << token;
  EXPECT_EQ(parsed.back().bytes, (ByteSpan{16, 25}));
}

TEST(SentencePiece, BeginningAndEndAreAddedAsTheConfigurationSays) {
  const auto usual = load(nlohmann::json::object());
  const auto tokens = usual->encode("boat", {.add_special = true});
  EXPECT_EQ(tokens.front().id, id_of(*usual, "<s>"));
  EXPECT_EQ(tokens.front().bytes, (ByteSpan{0, 0}));
  EXPECT_NE(tokens.back().id, id_of(*usual, "</s>"));
  const auto other = load({{"add_bos_token", false}, {"add_eos_token", true}});
  const auto ended = other->encode("boat", {.add_special = true});
  EXPECT_NE(ended.front().id, id_of(*other, "<s>"));
  EXPECT_EQ(ended.back().id, id_of(*other, "</s>"));
}

TEST(SentencePiece, StreamsBytePiecesAsWholeCodePoints) {
  const auto tokenizer = load(nlohmann::json::object());
  StreamDecoder stream(*tokenizer);
  std::string streamed;
  for (const Token& token : tokenizer->encode("boat 😀!")) {
    streamed += stream.push(token.id);
    EXPECT_EQ(streamed.find("\uFFFD"), std::string::npos);
  }
  EXPECT_EQ(streamed + stream.finish(), " boat 😀!");  // the leading space is the model's own; decode() takes it away
  EXPECT_EQ(tokenizer->token_bytes(id_of(*tokenizer, "<0x0A>")), "\n");
}

TEST(SentencePiece, WhatIsWrongIsNamed) {
  const test::TemporaryFolder folder;
  for (const std::string& bytes : {std::string(), std::string("not a model"), std::string(4096, '\xFF')}) {
    write_file_atomically(folder / "tokenizer.model", bytes);
    EXPECT_ERROR(load_tokenizer(folder.path()), Code::kInvalidArgument, "tokenizer.model: ");
  }
  EXPECT_ERROR(load({{"added_tokens_decoder", {{"0", {{"content", "other"}, {"special", true}}}}}}), Code::kInvalidArgument,
               "added_tokens_decoder.0: token 0 is \"other\" here and \"<unk>\" in");
  EXPECT_ERROR(load({{"added_tokens_decoder", {{"-1", {{"content", "x"}}}}}}), Code::kInvalidArgument, "\"-1\" is no token id");
  EXPECT_ERROR(load({{"add_bos_token", 1}}), Code::kInvalidArgument,
               "tokenizer_config.json: add_bos_token: expected true or false");
  const auto tokenizer = load(nlohmann::json::object());
  EXPECT_ERROR(tokenizer->encode("\xC0"), Code::kInvalidArgument, "not UTF-8 at byte 0");
  EXPECT_ERROR(tokenizer->token_bytes(100'000), Code::kInvalidArgument, "no token has id 100000");
}

TEST(SentencePiece, AModelCutAnywhereIsRefusedOrSmaller) {
  const std::string whole = read_file(test::golden("tokenizers/spm_bpe/tokenizer.model"));
  const auto size = load_tokenizer(test::golden("tokenizers/spm_bpe"))->vocabulary_size();
  const test::TemporaryFolder folder;
  int refused = 0;
  for (size_t length = 1; length < whole.size(); length += 37) {
    write_file_atomically(folder / "tokenizer.model", whole.substr(0, length));
    try {
      EXPECT_LE(load_tokenizer(folder.path())->vocabulary_size(), size);  // cut exactly between two pieces: a valid file
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace openbook::engine
