#include "openbook/base/lines.h"

#include <algorithm>

#include "openbook/base/utf8.h"

namespace openbook {
namespace {

constexpr size_t kMaxContextPart = 120;  // bytes; what is longer is no title

size_t skip(std::string_view line, size_t at, std::string_view characters) {
  return std::min(line.find_first_not_of(characters, at), line.size());
}

bool blank_or_end(std::string_view line, size_t at) {
  return at >= line.size() || line[at] == ' ' || line[at] == '\t' || line[at] == '\r';
}

bool is_heading(std::string_view line) {
  const size_t marks = skip(line, 0, " ");
  const size_t after = skip(line, marks, "#");
  return marks <= 3 && after > marks && after - marks <= 6 && blank_or_end(line, after);
}

bool is_item(std::string_view line) {
  const size_t mark = skip(line, 0, " \t");
  if (mark >= line.size()) return false;
  if (line[mark] == '|') return true;
  if (line[mark] == '-' || line[mark] == '*' || line[mark] == '+') return blank_or_end(line, mark + 1);
  if (line.substr(mark).starts_with("\u2022")) return true;
  const size_t after = skip(line, mark, "0123456789");
  // Four digits are a year that a line break put there.
  return after > mark && after - mark <= 3 && after < line.size() && (line[after] == '.' || line[after] == ')') &&
         blank_or_end(line, after + 1);
}

// "```", "~~~~": the fence's marks, or nothing.
std::string_view fence_of(std::string_view line) {
  const size_t mark = skip(line, 0, " \t");
  if (mark >= line.size() || (line[mark] != '`' && line[mark] != '~')) return {};
  const size_t after = skip(line, mark, line.substr(mark, 1));
  return after - mark >= 3 ? line.substr(mark, after - mark) : std::string_view{};
}

bool closes(std::string_view line, std::string_view open_fence) {
  const std::string_view fence = fence_of(line);
  if (fence.empty() || fence[0] != open_fence[0] || fence.size() < open_fence.size()) return false;
  return skip(line, static_cast<size_t>(fence.data() - line.data()) + fence.size(), " \t\r") == line.size();
}

struct Heading {
  size_t level = 0;  // 1 to 6
  std::string_view words;
};

Heading read_heading(std::string_view line) {
  const size_t marks = skip(line, 0, " ");
  const size_t after = skip(line, marks, "#");
  const size_t end = line.find_last_not_of("# \t\r");
  const size_t first = skip(line, after, " \t");
  return {after - marks, end == std::string_view::npos ? std::string_view{} : line.substr(first, end + 1 - first)};
}

// The first line with words, when it reads as a title: short, alone, no full stop at its end.
std::string_view title_of(std::string_view text, const std::vector<Line>& lines) {
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].kind == LineKind::kBlank) continue;
    const std::string_view words = slice(text, trim(text, lines[i].range));
    const bool alone = i + 1 == lines.size() || lines[i + 1].kind == LineKind::kBlank;
    const bool title = lines[i].kind == LineKind::kText && alone && words.size() <= kMaxContextPart && words.back() != '.';
    return title ? words : std::string_view{};
  }
  return {};
}

}  // namespace

std::vector<Line> split_lines(std::string_view text) {
  std::vector<Line> lines;
  std::string_view fence;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    const ByteSpan range{static_cast<int64_t>(begin), static_cast<int64_t>(end)};
    LineKind kind = LineKind::kText;
    if (trim(text, range).empty()) {
      kind = LineKind::kBlank;
    } else if (!fence.empty()) {
      kind = LineKind::kVerbatim;
      if (closes(line, fence)) fence = {};
    } else if (const auto opened = fence_of(line); !opened.empty()) {
      kind = LineKind::kVerbatim;
      fence = opened;
    } else if (is_heading(line)) {
      kind = LineKind::kHeading;
    } else if (is_item(line)) {
      kind = LineKind::kItem;
    }
    lines.push_back({range, kind});
    begin = end + 1;
  }
  return lines;
}

ByteSpan heading_mark(std::string_view text, const Line& line) {
  if (line.kind != LineKind::kHeading) return {line.range.begin, line.range.begin};
  const std::string_view words = slice(text, line.range);
  const size_t begin = skip(words, 0, " ");
  const size_t end = skip(words, begin, "#");
  return {line.range.begin + static_cast<int64_t>(begin), line.range.begin + static_cast<int64_t>(end)};
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

std::string context_above(std::string_view text, std::string_view format, const std::vector<Line>& lines, int64_t begin) {
  std::string_view title = title_of(text, lines);
  std::vector<Heading> open;  // from the outermost to the innermost whose section holds `begin`
  for (const Line& line : lines) {
    if (format != "markdown" || line.range.begin > begin) break;
    if (line.kind != LineKind::kHeading) continue;
    const Heading heading = read_heading(slice(text, line.range));
    while (!open.empty() && open.back().level >= heading.level) open.pop_back();
    if (line.range.end > begin) break;  // the chunk starts with it
    if (heading.words.empty() || heading.words.size() > kMaxContextPart) continue;
    if (title.empty()) title = heading.words;
    open.push_back(heading);
  }
  if (!title.empty() && title.data() >= text.data() + begin) title = {};
  std::string context(title);
  if (!open.empty() && open.back().words != title) (context += context.empty() ? "" : "\n") += open.back().words;
  return context;
}

}  // namespace openbook
