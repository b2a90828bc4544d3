// How a word is written: with digits, with a capital. Thread-safe.
#pragma once

#include <string_view>

#include "openbook/base/utf8.h"

namespace openbook::guard {

inline bool has_digit(std::string_view word) { return word.find_first_of("0123456789") != std::string_view::npos; }

// "28", "3.5", "18th": it begins with a digit.
inline bool is_number(std::string_view word) { return word[0] >= '0' && word[0] <= '9'; }

// It may be a name.
inline bool has_capital(std::string_view word) {
  const char32_t first = code_point_at(word, 0).value;
  return to_lower(first) != first;
}

}  // namespace openbook::guard
