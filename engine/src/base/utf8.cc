#include "openbook/base/utf8.h"

#include <utf8proc.h>

#include <cstdio>

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

bool is_hidden_from_reader(char32_t value) {
  const bool control = (value < 0x20 && value != '\n') || (value >= 0x7F && value < 0xA0);
  const bool bidirectional = value == 0x061C || value == 0x200E || value == 0x200F || (value >= 0x202A && value <= 0x202E) ||
                             (value >= 0x2066 && value <= 0x2069);
  return control || bidirectional || value == 0x2028 || value == 0x2029;
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
  utf8proc_int32_t value = 0;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(valid_utf8.data()) + offset,
                                       static_cast<utf8proc_ssize_t>(valid_utf8.size() - offset), &value);
  if (length <= 0) throw Error(Code::kInvalidArgument, "not UTF-8 at byte " + std::to_string(offset));
  return {static_cast<char32_t>(value), offset, static_cast<size_t>(length)};
}

std::vector<CodePoint> code_points(std::string_view valid_utf8) {
  std::vector<CodePoint> points;
  points.reserve(valid_utf8.size());
  for (size_t offset = 0; offset < valid_utf8.size(); offset += points.back().length)
    points.push_back(code_point_at(valid_utf8, offset));
  return points;
}

void append_utf8(std::string& out, char32_t value) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(value), bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
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
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(value));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

bool is_space(char32_t value) {
  if (value == ' ' || (value >= '\t' && value <= '\r') || value == 0x85) return true;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(value));
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

char32_t to_lower(char32_t value) { return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(value))); }

std::string fold_case(std::string_view valid_utf8) {
  std::string folded;
  folded.reserve(valid_utf8.size());
  for (const CodePoint& point : code_points(valid_utf8)) append_utf8(folded, to_lower(point.value));
  return folded;
}

std::string escape_for_terminal(std::string_view text) {
  std::string shown;
  char buffer[16];
  for (size_t offset = 0; offset < text.size();) {
    const size_t length = sequence_length(text[offset]);
    if (!valid_sequence_at(text, offset, length)) {
      std::snprintf(buffer, sizeof buffer, "\\x%02X", static_cast<uint8_t>(text[offset]));
      shown += buffer;
      ++offset;
      continue;
    }
    const CodePoint point = code_point_at(text, offset);
    if (is_hidden_from_reader(point.value)) {
      std::snprintf(buffer, sizeof buffer, point.value < 0x100 ? "\\x%02X" : "\\u{%X}", static_cast<unsigned>(point.value));
      shown += buffer;
    } else {
      shown += text.substr(offset, length);
    }
    offset += length;
  }
  return shown;
}

std::string escape_line(std::string_view text) {
  std::string line;
  for (const char byte : text) {
    const size_t named = std::string_view("\n\r\t").find(byte);
    if (named == std::string_view::npos)
      line += byte;
    else
      (line += '\\') += "nrt"[named];
  }
  return escape_for_terminal(line);
}

}  // namespace openbook
