#include "openbook/base/lines.h"

#include <algorithm>

#include "blocks.h"
#include "hidden_markup.h"
#include "line_ends.h"
#include "line_marks.h"
#include "openbook/base/utf8.h"

namespace openbook {
namespace {

// Makes lines of which nothing but blanks is seen kHidden.
void mark_hidden(std::string_view text, std::vector<Line>& lines) {
  const std::vector<HiddenText> hidden = hidden_markup(text, lines);
  size_t next = 0;
  for (Line& line : lines) {
    const ByteSpan words = trim(text, line.range);
    if (words.empty()) continue;
    while (next < hidden.size() && hidden[next].range.end <= words.begin) ++next;
    int64_t seen_from = words.begin;
    for (size_t i = next; i < hidden.size() && hidden[i].range.begin <= seen_from && seen_from < words.end; ++i)
      seen_from = trim(text, {hidden[i].range.end, std::max(hidden[i].range.end, words.end)}).begin;
    if (seen_from >= words.end) line.kind = LineKind::kHidden;
  }
}

}  // namespace

std::vector<Line> split_lines(std::string_view text) {
  std::vector<Line> lines = block_lines(text);
  mark_hidden(text, lines);
  return lines;
}

int64_t line_number(std::string_view text, int64_t byte) {
  int64_t number = 1;
  for (size_t begin = 0;; ++number) {
    const LineEnd end = line_end(text, begin);
    if (end.next > static_cast<size_t>(byte) || end.next == end.at) return number;
    begin = end.next;
  }
}

ByteSpan heading_mark(std::string_view text, const Line& line) {
  const std::string_view words = slice(text, line.range);
  const size_t begin = skip(words, 0, " ");
  if (line.kind != LineKind::kHeading || begin == words.size() || words[begin] != '#')
    return {line.range.begin, line.range.begin};
  return {line.range.begin + static_cast<int64_t>(begin), line.range.begin + static_cast<int64_t>(skip(words, begin, "#"))};
}

ByteSpan trim(std::string_view text, ByteSpan range) {
  while (!range.empty()) {
    const CodePoint point = code_point_at(text, static_cast<size_t>(range.begin));
    if (!is_space(point.value)) break;
    range.begin += static_cast<int64_t>(point.length);
  }
  while (!range.empty()) {
    int64_t last = range.end - 1;
    while (last > range.begin && (static_cast<uint8_t>(text[static_cast<size_t>(last)]) & 0xC0) == 0x80) --last;
    if (!is_space(code_point_at(text, static_cast<size_t>(last)).value)) break;
    range.end = last;
  }
  return range;
}

}  // namespace openbook
