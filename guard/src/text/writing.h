// How a word is written: with digits, with a capital. Thread-safe.
#pragma once

#include <string_view>

#include "openbook/base/utf8.h"

namespace openbook::guard {

inline bool has_digit(std::string_view word) { return word.find_first_of("0123456789") != std::string_view::npos; }

// "28", "3.5", "18th": it begins with a digit. So does the normal form of a day, "2001-05-09", "--05-09".
inline bool is_number(std::string_view word) {
  const size_t first = word.starts_with("--") ? 2 : 0;
  return first < word.size() && word[first] >= '0' && word[first] <= '9';
}

// It may be a name.
inline bool has_capital(std::string_view word) {
  const char32_t first = code_point_at(word, 0).value;
  return to_lower(first) != first;
}

}  // namespace openbook::guard
