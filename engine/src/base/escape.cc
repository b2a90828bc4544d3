// Text for a terminal: what a reader would not see, and what would move the cursor or turn the writing, is spelt out.
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <cstdint>
#include <cstdio>

#include "openbook/base/utf8.h"

namespace openbook {
namespace {

constexpr UChar32 kSoftHyphen = 0xAD, kZeroWidthSpace = 0x200B, kNonJoiner = 0x200C, kJoiner = 0x200D, kKeycap = 0x20E3;

bool is_pictograph(UChar32 c) { return u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC); }
bool is_skin_tone(UChar32 c) { return u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER); }
bool is_emoji_style(UChar32 c) { return c == 0xFE0E || c == 0xFE0F; }
bool is_han_variant(UChar32 c) { return c >= 0xE0100 && c <= 0xE01EF; }

// Whether letters of its script change their shape beside a joiner: Arabic and its like, and the scripts of India and its
// neighbours.
bool is_shaped_by_joiners(UChar32 c) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(c, &status);
  if (U_FAILURE(status) || script == USCRIPT_COMMON || script == USCRIPT_INHERITED || script == USCRIPT_LATIN) return false;
  const int32_t joining = u_getIntPropertyValue(c, UCHAR_JOINING_TYPE);
  return joining == U_JT_DUAL_JOINING || joining == U_JT_RIGHT_JOINING || joining == U_JT_LEFT_JOINING ||
         u_getIntPropertyValue(c, UCHAR_INDIC_SYLLABIC_CATEGORY) != U_INSC_OTHER;
}

bool has_no_blanks(UChar32 c) { return u_getIntPropertyValue(c, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT; }

// A character that has no shape of its own, and the writing around it.
struct Unseen {
  UChar32 before_style;  // the code point in front of it, but for the style and the skin tone of an emoji
  UChar32 before, self, after;
};

// Whether a reader needs it: it joins or styles what stands around it.
bool belongs_to_writing(const Unseen& unseen) {
  const auto [before_style, before, self, after] = unseen;
  if (self == kSoftHyphen) return true;
  if (self == kZeroWidthSpace) return has_no_blanks(before) && has_no_blanks(after);
  if (self == kJoiner && is_pictograph(before_style)) return is_pictograph(after);
  if (self == kJoiner) return is_shaped_by_joiners(before);
  if (self == kNonJoiner) return is_shaped_by_joiners(before) && is_shaped_by_joiners(after);
  if (is_emoji_style(self)) return is_pictograph(before) || (after == kKeycap && u_hasBinaryProperty(before, UCHAR_EMOJI));
  if (is_han_variant(self)) return u_hasBinaryProperty(before, UCHAR_IDEOGRAPHIC);
  UErrorCode status = U_ZERO_ERROR;
  return uscript_getScript(self, &status) == USCRIPT_MONGOLIAN && uscript_getScript(before, &status) == USCRIPT_MONGOLIAN;
}

bool is_control(UChar32 c) { return (c < 0x20 && c != '\n') || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029; }

bool has_no_shape(UChar32 c) {
  return c >= 0x80 && (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL) ||
                       (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F));
}

// The code point at `at`, which moves behind it; negative when the bytes are none, and `at` moves by one.
UChar32 next_point(std::string_view text, size_t& at) {
  UChar32 c = -1;
  const size_t begin = at;
  U8_NEXT(text.data(), at, text.size(), c);
  if (c < 0) at = begin + 1;
  return c;
}

UChar32 peek(std::string_view text, size_t at) { return at < text.size() ? next_point(text, at) : 0; }

}  // namespace

std::string escape_for_terminal(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  const auto spell_out = [&](const char* format, unsigned value) {
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, format, value);
    shown += buffer;
  };
  UChar32 before = 0, before_style = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const UChar32 c = next_point(text, at);
    const bool hidden =
        c < 0 || is_control(c) || (has_no_shape(c) && !belongs_to_writing({before_style, before, c, peek(text, at)}));
    if (c < 0)
      spell_out("\\x%02X", static_cast<uint8_t>(text[begin]));
    else if (hidden)
      spell_out(c < 0x100 ? "\\x%02X" : "\\u{%X}", static_cast<unsigned>(c));
    else
      shown += text.substr(begin, at - begin);
    before = hidden ? 0 : c;
    if (hidden || !(is_emoji_style(c) || is_skin_tone(c))) before_style = before;
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
