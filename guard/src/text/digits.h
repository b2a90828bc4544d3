// Whether a word is written with digits. Thread-safe.
#pragma once

#include <string_view>

namespace openbook::guard {

inline bool has_digit(std::string_view word) { return word.find_first_of("0123456789") != std::string_view::npos; }

// "28", "3.5", "18th": it begins with a digit.
inline bool is_number(std::string_view word) { return word[0] >= '0' && word[0] <= '9'; }

}  // namespace openbook::guard
