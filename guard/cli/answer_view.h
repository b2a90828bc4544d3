// How an answer looks on a terminal: words in colours, marks and footnotes.
#pragma once

#include <string>

#include "openbook/guard/answer.h"

namespace openbook::cli {

// Copied words in one colour, recited and unchecked ones in others; without colour [recited: ...] and [unchecked: ...]. A
// superscript-like [n] behind every cited claim, footnotes with file, line and quote below, then what was tried when it was more
// than one attempt.
std::string answer_text(const Answer& answer);

}  // namespace openbook::cli
