#include "tokenizer/byte_alphabet.h"

#include <array>

#include "openbook/base/utf8.h"

namespace openbook::engine {
namespace {

constexpr bool is_printable(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

struct Alphabet {
  std::array<char32_t, 256> character{};
  std::array<int16_t, 0x144> byte{};  // -1: no letter of the alphabet

  constexpr Alphabet() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (int b = 0; b < 256; ++b) {
      character[b] = is_printable(b) ? static_cast<char32_t>(b) : next++;
      byte[character[b]] = static_cast<int16_t>(b);
    }
  }
};

constexpr Alphabet kAlphabet;

}  // namespace

char32_t byte_to_character(uint8_t byte) { return kAlphabet.character[byte]; }

std::optional<uint8_t> character_to_byte(char32_t character) {
  if (character >= kAlphabet.byte.size() || kAlphabet.byte[character] < 0) return std::nullopt;
  return static_cast<uint8_t>(kAlphabet.byte[character]);
}

std::optional<std::string> spelled_bytes(std::string_view token) {
  std::string bytes;
  for (size_t offset = 0; offset < token.size();) {
    const CodePoint point = code_point_at(token, offset);
    const auto byte = character_to_byte(point.value);
    if (!byte) return std::nullopt;
    bytes.push_back(static_cast<char>(*byte));
    offset += point.length;
  }
  return bytes;
}

}  // namespace openbook::engine
