// Does a question ask for a quantity, and does a text give one? An answer to "how many" that has no number answers nothing,
// however true it is.
//
// A question asks for a quantity by closed lists ("how many", "how long", "cuántos"), English and Spanish; in any other language
// no question does. A quantity is a number in digits, a number word, or a word such as "none" or "free". Thread-safe.
#pragma once

#include <span>
#include <string_view>

#include "text/question.h"

namespace openbook::guard {

bool asks_quantity(std::span<const TextWord> question);

// Whether `text` gives a quantity that the question has not: "Tern Gauge 4" gives none to a question about Tern Gauge 4.
bool gives_quantity(std::string_view text, const Question& question);

}  // namespace openbook::guard
