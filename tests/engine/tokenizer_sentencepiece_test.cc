#include <algorithm>
#include <random>

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

// A piece of a SentencePiece model as protocol buffers write it.
enum class Kind : char { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kByte = 6 };
std::string piece(const std::string& text, Kind kind) {
  const std::string fields = std::string("\x0a") + static_cast<char>(text.size()) + text +  // 1: piece
                             std::string("\x15\0\0\0\0", 5) +                               // 2: score
                             std::string("\x18") + static_cast<char>(kind);                 // 3: type
  return std::string("\x0a") + static_cast<char>(fields.size()) + fields;
}

constexpr char kUnigram = 1, kBpe = 2, kWord = 3, kCharacter = 4;

std::shared_ptr<const Tokenizer> load_pieces(const std::vector<std::pair<std::string, Kind>>& pieces, char type = kUnigram) {
  std::string model = std::string("\x12\x02\x18") + type;  // 2: trainer, of which 3: the type of the model
  for (const auto& [text, kind] : pieces) model += piece(text, kind);
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "tokenizer.model", model);
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

TEST(SentencePiece, PiecesThatCanNotBeAreRefused) {
  const std::vector<std::pair<std::string, Kind>> sound = {
      {"<unk>", Kind::kUnknown}, {"a", Kind::kNormal}, {"b", Kind::kNormal}, {"ab", Kind::kNormal}};
  EXPECT_EQ(load_pieces(sound)->vocabulary_size(), 4);
  const std::pair<std::string, Kind> rows[] = {{"", Kind::kNormal},    {"", Kind::kControl}, {"", Kind::kUserDefined},
                                               {"", Kind::kByte},      {"x", Kind::kByte},   {"<0xZZ>", Kind::kByte},
                                               {"<0x41", Kind::kByte}, {"a", Kind::kNormal}, {"<unk2>", Kind::kUnknown}};
  for (const auto& [text, kind] : rows) {
    SCOPED_TRACE(text + " " + std::to_string(static_cast<int>(kind)));
    auto pieces = sound;
    pieces.push_back({text, kind});
    for (const char type : {kUnigram, kBpe, kWord, kCharacter})
      EXPECT_ERROR(load_pieces(pieces, type), Code::kInvalidArgument, "tokenizer.model: ");
  }
  EXPECT_ERROR(load_pieces({}, kBpe), Code::kInvalidArgument, "tokenizer.model: ");
}

TEST(SentencePiece, ADamagedModelIsRefusedOrStillATokenizer) {
  std::mt19937 random(20);
  for (const char* name : {"spm_bpe", "spm_unigram"}) {
    const std::string sound = read_file(test::golden(std::string("tokenizers/") + name) / "tokenizer.model");
    for (int trial = 0; trial < 60; ++trial) {
      std::string damaged = sound;
      for (int flips = 0; flips < 3; ++flips) damaged[random() % damaged.size()] = static_cast<char>(random());
      const test::TemporaryFolder folder;
      write_file_atomically(folder / "tokenizer.model", damaged);
      try {
        const auto tokenizer = load_tokenizer(folder.path());
        std::vector<TokenId> ids;
        for (const Token& token : tokenizer->encode("The boat lies in Bergen.")) ids.push_back(token.id);
        tokenizer->decode(ids);
      } catch (const Error& error) {
        EXPECT_NE(error.code(), Code::kUnavailable) << error.what();
      }
    }
  }
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
