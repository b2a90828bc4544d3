// The lines of a text and what each is in Markdown's terms: the ground on which sentences and chunks are cut. Thread-safe.
//
// A line ends at LF, CR LF or a lone CR. The rules are CommonMark's with GitHub's tables, read tolerantly, since plain text and
// the answers of models are read by them, too: a row without its header is a row, and indented prose is no code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook {

enum class LineKind {
  kBlank,
  kText,
  kHeading,      // # to ######, or a single line with an underline below
  kUnderline,    // of a heading: === or ---
  kItem,         // starts a list item
  kTableHeader,  // names the columns of the rows below
  kTableRule,    // |---|---| and +---+---+
  kTableRow,     // one row; its cells stand between pipes
  kVerbatim,     // a fence of ``` or ~~~, a line between two, or an indented line of code
  kRule,         // ---, ***, ___ or === that underlines nothing
  kFrontMatter,  // YAML between --- and ---, or TOML between +++ and +++, at the beginning
  kHidden,       // a reader of the document sees nothing of it (hidden_text.h)
};

struct Line {
  ByteSpan range;  // without what ends it
  LineKind kind = LineKind::kText;
  int8_t level = 0;   // of a heading: 1 to 6
  bool html = false;  // of an HTML block: its other marks are no Markdown
};

std::vector<Line> split_lines(std::string_view text);

// The number of the line that holds a byte of `text`, from 1.
int64_t line_number(std::string_view text, int64_t byte);

// The marks of a heading ("##"), as bytes of `text`; empty in other lines and in headings that are underlined.
ByteSpan heading_mark(std::string_view text, const Line& line);

// `range` without blanks at both ends; empty when it holds nothing else.
ByteSpan trim(std::string_view text, ByteSpan range);

// What a reader needs to know to place the chunk that starts at `begin`, one a line: the title (of the front matter, else the
// first heading, else a short first line that stands alone), the nearest heading above, and the column heads when the chunk
// starts with a row in the middle of a table; without what the chunk itself starts with. May be empty.
std::string context_above(std::string_view text, std::string_view format, const std::vector<Line>& lines, int64_t begin);

// Those of `lines` that context_above looks at, for documents of many chunks.
std::vector<Line> outline(const std::vector<Line>& lines);

}  // namespace openbook
