// Numbers as they are written: where one ends, and the form that all spellings of it share. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "openbook/base/language.h"

namespace openbook {

// One past the number that begins at `begin`, a decimal digit of any script in valid UTF-8: digits and single marks between them.
// A point or a comma between digits belongs to the number; an apostrophe or a narrow or no-break space only where it groups
// digits by three (12 500, 1'000).
size_t number_end(std::string_view text, size_t begin);

// Whether 3,5 is three and a half in the language, and 12.500 twelve thousand five hundred.
inline bool has_decimal_comma(Language language) { return language != Language::kEnglish && language != Language::kUnknown; }

// "12500" of "12,500", "12 500" and "12'500"; "3.5" of "3.5". A point between groups of three is a mark of grouping where
// `decimal_comma` says that a comma is the decimal mark, as in German and Spanish, and the decimal mark elsewhere. What reads as
// no single number (1,2,3 or 192.168.1.1) comes back with its digits in ASCII, else as it is. Decimal places stay as written.
std::string number_form(std::string_view written, bool decimal_comma);

}  // namespace openbook
