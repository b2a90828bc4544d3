// The numbers and days of a text, each with a form that all its spellings share.
//
// A number is 12500 however it is written: 12,500, 12 500 (narrow or no-break space), 12'500, and 12.500 where the language
// groups by points (Spanish, German, French, Italian, Portuguese, Dutch). A day is 2001-05-09 whether it is written so, 9 May
// 2001, May 9th, 2001, 9. Mai 2001 or 9 de mayo de 2001. Thread-safe.
//
//   for (const Value& value : find_values("Open since 9 May 2001", Language::kEnglish)) use(value.normal);  // "2001-05-09"
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/language.h"
#include "openbook/base/span.h"

namespace openbook {

struct Value {
  enum class Kind {
    kNumber,  // "12500", "3.5"; decimal places as written
    kDay,     // "2001-05-09"; without a year "--05-09" (ISO 8601)
    kMonth,   // of a year: "2001-05"
  };
  ByteSpan bytes;  // in the text
  Kind kind = Kind::kNumber;
  std::string normal;
};

// In order; they don't overlap. `language` is the one that the text is written in (language_of): names of months, and what a
// point between digits means, follow it; kUnknown reads as English. A day that two orders could be meant by (4/5/2001 in English)
// is none. A number within a word (3D, 5kg) is none.
std::vector<Value> find_values(std::string_view valid_utf8, Language language);

}  // namespace openbook
