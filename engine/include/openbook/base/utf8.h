// UTF-8: check, walk, and show safely.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook {

// Offset of the first byte that is not valid UTF-8 (overlong forms, surrogates and values above U+10FFFF are not), or
// nothing when the whole text is valid.
std::optional<size_t> first_invalid_utf8(std::string_view text);

// Throws invalid_argument naming `what` and the offset of the first bad byte.
void require_utf8(std::string_view text, std::string_view what);

struct CodePoint {
  char32_t value = 0;
  size_t offset = 0;  // first byte
  size_t length = 0;  // bytes
};

// The code point at `offset` of valid UTF-8.
CodePoint code_point_at(std::string_view valid_utf8, size_t offset);
std::vector<CodePoint> code_points(std::string_view valid_utf8);
void append_utf8(std::string& out, char32_t value);

// How many bytes at the end of `bytes` are the start of a code point whose rest has not come yet (0 to 3).
size_t incomplete_utf8_suffix(std::string_view bytes);

bool is_letter_or_digit(char32_t value);  // Unicode categories L*, M*, N*
bool is_space(char32_t value);
bool is_ignorable(
    char32_t value);  // default ignorable: soft hyphens, joiners, variation selectors; a reader sees nothing of them
char32_t to_lower(char32_t value);

// The form that words are compared by: Unicode's NFKC_Casefold (case, ligatures, full-width forms and combining marks are one
// way, what is_ignorable is gone), typographic apostrophes straight, digits of any script in ASCII and not grouped (12,500 is
// 12500). Text whose language groups by points is read by find_words (openbook/base/words.h).
std::string fold_case(std::string_view valid_utf8);

// For terminals: invalid bytes become \xNN, and control characters (all but newline), marks of direction and what a reader would
// not see (zero-width characters, variation selectors, tags, annotation marks) \xNN or \u{...}. Joiners and selectors that shape
// the letters or the emoji around them stay, soft hyphens too.
std::string escape_for_terminal(std::string_view text);
// The same for names, quotes and messages, which must not begin a line of their own: newline, return and tab become \n, \r and
// \t.
std::string escape_line(std::string_view text);

}  // namespace openbook
