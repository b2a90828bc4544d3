// What each line is by its own marks and those of the lines around it; split_lines adds which ones are hidden.
//
// Own rules rather than a library's: CommonMark parsers (libmd4c) tell nothing of front matter, link definitions and where a
// block begins in the source, and the same lines are read from plain text and from answers that have only just begun.
#pragma once

#include <string_view>
#include <vector>

#include "openbook/base/lines.h"

namespace openbook {

// No line is kHidden. Time grows with the text's length.
std::vector<Line> block_lines(std::string_view text);

}  // namespace openbook
