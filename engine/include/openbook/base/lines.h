// The lines of a text and what each is in Markdown's terms: the ground on which sentences and chunks are cut.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook {

enum class LineKind {
  kBlank,
  kText,
  kHeading,   // # to ######
  kItem,      // starts a list item or is a row of a table
  kVerbatim,  // a fence of ``` or ~~~, or a line between two
};

struct Line {
  ByteSpan range;  // without the newline
  LineKind kind = LineKind::kText;
};

std::vector<Line> split_lines(std::string_view text);

// The marks of a heading ("##"), as bytes of `text`; empty in other lines.
ByteSpan heading_mark(std::string_view text, const Line& line);

// `range` without blanks at both ends; empty when it holds nothing else.
ByteSpan trim(std::string_view text, ByteSpan range);

// What a reader needs to know to place the chunk that starts at `begin`: the title (the first heading, else a short first line
// that stands alone) and the nearest heading above, joined by a newline; without what the chunk itself starts with. May be empty.
std::string context_above(std::string_view text, std::string_view format, const std::vector<Line>& lines, int64_t begin);

}  // namespace openbook
