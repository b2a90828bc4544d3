// Names of months. Thread-safe.
#pragma once

#include <string_view>

#include "openbook/base/language.h"

namespace openbook {

// 1 to 12 for the name of a month in `language`, or its short form ("may", "sept", "ene"), as fold_case gives it; else 0.
// kUnknown reads as English.
int month_in(std::string_view folded, Language language);

// The same for the whole name in any language that is known: "mayo", "août". Only for where nothing else can be meant, as between
// a day and a year.
int month_in_any_language(std::string_view folded);

// Whether such a whole name begins with these letters, and is longer.
bool begins_month(std::string_view folded);

}  // namespace openbook
