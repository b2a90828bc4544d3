#include <nlohmann/json.hpp>

#include "base/test_support.h"
#include "openbook/base/file.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::engine {
namespace {

// Byte level: every byte a token (id = position), then <|end|>.
std::shared_ptr<const Tokenizer> byte_tokenizer(const test::TemporaryFolder& folder) {
  nlohmann::json vocabulary;
  char32_t unprintable = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
    const char32_t spelled = printable ? static_cast<char32_t>(byte) : unprintable++;
    std::string token;
    if (spelled < 0x80)
      token += static_cast<char>(spelled);
    else
      token += {static_cast<char>(0xC0 | spelled >> 6), static_cast<char>(0x80 | (spelled & 0x3F))};
    vocabulary[token] = byte;
  }
  const nlohmann::json file = {{"added_tokens", {{{"id", 256}, {"content", "<|end|>"}, {"special", true}}}},
                               {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
                               {"decoder", {{"type", "ByteLevel"}}},
                               {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", nlohmann::json::array()}}}};
  write_file_atomically(folder / "tokenizer.json", file.dump());
  return load_tokenizer(folder.path());
}

std::vector<TokenId> bytes_as_ids(std::string_view bytes) {
  std::vector<TokenId> ids;
  for (const char byte : bytes) ids.push_back(static_cast<uint8_t>(byte));
  return ids;
}

TEST(StreamDecoder, HoldsBytesUntilTheirCodePointIsWhole) {
  const test::TemporaryFolder folder;
  const auto tokenizer = byte_tokenizer(folder);
  StreamDecoder stream(*tokenizer);
  std::vector<std::string> pieces;
  for (const TokenId id : bytes_as_ids("aé中😀")) pieces.push_back(stream.push(id));
  EXPECT_EQ(pieces, (std::vector<std::string>{"a", "", "é", "", "", "中", "", "", "", "😀"}));
  EXPECT_EQ(stream.finish(), "");
}

TEST(StreamDecoder, BrokenCodePointsBecomeReplacementCharactersAsInDecode) {
  const test::TemporaryFolder folder;
  const auto tokenizer = byte_tokenizer(folder);
  const struct {
    std::string bytes, text;
  } rows[] = {
      {"a\xE4\xB8", "a\uFFFD"},  // cut short: one for what has come
      {"\xE4\xB8x", "\uFFFDx"},
      {"\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD"},  // overlong: no byte begins a code point with the next
      {"\xF0\x9F\x98\xE4\xB8\xAD", "\uFFFD中"},
      {"\x80\xFFz", "\uFFFD\uFFFDz"},
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},  // surrogate
  };
  for (const auto& row : rows) {
    const auto ids = bytes_as_ids(row.bytes);
    StreamDecoder stream(*tokenizer);
    std::string streamed;
    for (const TokenId id : ids) streamed += stream.push(id);
    streamed += stream.finish();
    EXPECT_EQ(streamed, row.text);
    EXPECT_EQ(tokenizer->decode(ids), row.text);
  }
}

TEST(StreamDecoder, SpecialTokensAreSilent) {
  const test::TemporaryFolder folder;
  const auto tokenizer = byte_tokenizer(folder);
  StreamDecoder stream(*tokenizer);
  EXPECT_EQ(stream.push('a'), "a");
  EXPECT_EQ(stream.push(256), "");
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{'a', 256}), "a");
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{'a', 256}, false), "a<|end|>");
}

TEST(Tokenizer, SpecialTokensInPlainTextStayText) {
  const test::TemporaryFolder folder;
  const auto tokenizer = byte_tokenizer(folder);
  const std::string text = "x<|end|>";
  const auto plain = tokenizer->encode(text);
  ASSERT_EQ(plain.size(), text.size());
  for (size_t i = 0; i < text.size(); ++i) EXPECT_EQ(plain[i].id, text[i]);
  const auto parsed = tokenizer->encode(text, {.parse_special = true});
  ASSERT_EQ(parsed.size(), 2u);
  EXPECT_EQ(parsed[1].id, 256);
  EXPECT_EQ(parsed[1].bytes, (ByteSpan{1, 8}));
}

TEST(Tokenizer, TextThatIsNotUtf8AndIdsWithoutATokenAreRefused) {
  const test::TemporaryFolder folder;
  const auto tokenizer = byte_tokenizer(folder);
  EXPECT_ERROR(tokenizer->encode("ab\xFF"), Code::kInvalidArgument, "text to encode: not UTF-8 at byte 2");
  EXPECT_ERROR(tokenizer->token_bytes(257), Code::kInvalidArgument, "no token has id 257; ids end at 256");
  EXPECT_ERROR(tokenizer->decode(std::vector<TokenId>{-1}), Code::kInvalidArgument, "no token has id -1");
}

}  // namespace
}  // namespace openbook::engine
