#include "openbook/base/utf8.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "openbook/base/error.h"

namespace openbook {
namespace {

// Length of the code point that starts with `lead`, 0 for a byte that starts none.
size_t sequence_length(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

bool is_continuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// The second byte's range is narrower for some leads: it excludes overlong forms, surrogates and values past U+10FFFF.
bool second_byte_fits(uint8_t lead, uint8_t second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return is_continuation(second);
  }
}

bool valid_sequence_at(std::string_view text, size_t offset, size_t length) {
  if (length == 0 || offset + length > text.size()) return false;
  if (length == 1) return true;
  if (!second_byte_fits(text[offset], text[offset + 1])) return false;
  for (size_t i = 2; i < length; ++i)
    if (!is_continuation(text[offset + i])) return false;
  return true;
}

}  // namespace

std::optional<size_t> first_invalid_utf8(std::string_view text) {
  size_t offset = 0;
  while (offset < text.size()) {
    const size_t length = sequence_length(text[offset]);
    if (!valid_sequence_at(text, offset, length)) return offset;
    offset += length;
  }
  return std::nullopt;
}

void require_utf8(std::string_view text, std::string_view what) {
  if (const auto bad = first_invalid_utf8(text))
    throw Error(Code::kInvalidArgument, std::string(what) + ": not UTF-8 at byte " + std::to_string(*bad),
                "Convert it to UTF-8 first.");
}

CodePoint code_point_at(std::string_view valid_utf8, size_t offset) {
  UChar32 value = -1;
  size_t end = offset;
  if (offset < valid_utf8.size()) U8_NEXT(valid_utf8.data(), end, valid_utf8.size(), value);
  if (value < 0) throw Error(Code::kInvalidArgument, "not UTF-8 at byte " + std::to_string(offset));
  return {static_cast<char32_t>(value), offset, end - offset};
}

std::vector<CodePoint> code_points(std::string_view valid_utf8) {
  std::vector<CodePoint> points;
  points.reserve(valid_utf8.size());
  for (size_t offset = 0; offset < valid_utf8.size(); offset += points.back().length)
    points.push_back(code_point_at(valid_utf8, offset));
  return points;
}

void append_utf8(std::string& out, char32_t value) {
  if (value > 0x10FFFF) return;
  uint8_t bytes[U8_MAX_LENGTH];
  size_t length = 0;
  U8_APPEND_UNSAFE(bytes, length, static_cast<UChar32>(value));
  out.append(reinterpret_cast<const char*>(bytes), length);
}

size_t incomplete_utf8_suffix(std::string_view bytes) {
  for (size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const auto byte = static_cast<uint8_t>(bytes[bytes.size() - back]);
    if (is_continuation(byte)) continue;
    return sequence_length(byte) > back ? back : 0;
  }
  return 0;
}

bool is_letter_or_digit(char32_t value) {
  if (value < 0x80) return (value >= '0' && value <= '9') || ((value | 0x20) >= 'a' && (value | 0x20) <= 'z');
  return (U_MASK(u_charType(static_cast<UChar32>(value))) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) != 0;
}

bool is_space(char32_t value) {
  if (value == ' ' || (value >= '\t' && value <= '\r') || value == 0x85) return true;
  return value >= 0x80 && (U_MASK(u_charType(static_cast<UChar32>(value))) & U_GC_Z_MASK) != 0;
}

bool is_ignorable(char32_t value) {
  return value >= 0x80 && u_hasBinaryProperty(static_cast<UChar32>(value), UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

char32_t to_lower(char32_t value) { return static_cast<char32_t>(u_tolower(static_cast<UChar32>(value))); }

}  // namespace openbook
