// What stands above a chunk: title, heading, column heads.
#include <algorithm>

#include "front_matter.h"
#include "openbook/base/lines.h"

namespace openbook {
namespace {

constexpr size_t kMaxContextPart = 120;  // bytes; what is longer is no title
constexpr size_t kMaxColumnHeads = 400;  // bytes

bool is_table(LineKind kind) {
  return kind == LineKind::kTableHeader || kind == LineKind::kTableRule || kind == LineKind::kTableRow;
}

// The words of a heading, without its marks at both ends.
std::string_view heading_words(std::string_view text, const Line& line) {
  const ByteSpan mark = heading_mark(text, line);
  std::string_view words = slice(text, trim(text, {mark.end, line.range.end}));
  if (mark.empty()) return words;
  const size_t end = words.find_last_not_of("# \t");
  return end == std::string_view::npos ? std::string_view{} : words.substr(0, end + 1);
}

// The first line with words, when it reads as a title: short, alone, no full stop at its end.
std::string_view opening_title(std::string_view text, const std::vector<Line>& lines) {
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].kind == LineKind::kBlank || lines[i].kind == LineKind::kFrontMatter) continue;
    const std::string_view words = slice(text, trim(text, lines[i].range));
    const bool alone = i + 1 == lines.size() || lines[i + 1].kind == LineKind::kBlank;
    const bool title = lines[i].kind == LineKind::kText && alone && words.size() <= kMaxContextPart && words.back() != '.';
    return title ? words : std::string_view{};
  }
  return {};
}

// "Model | Power | Weight" of "| Model | Power | Weight |".
std::string_view column_heads(std::string_view text, const Line& header) {
  const std::string_view row = slice(text, header.range);
  const size_t begin = row.find_first_not_of(" \t>|"), end = row.find_last_not_of(" \t|");
  if (begin == std::string_view::npos || end < begin) return {};
  const std::string_view heads = row.substr(begin, end + 1 - begin);
  return heads.size() <= kMaxColumnHeads ? heads : std::string_view{};
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string context;
  for (const std::string_view part : parts)
    if (!part.empty()) (context += context.empty() ? "" : "\n") += part;
  return context;
}

}  // namespace

std::string context_above(std::string_view text, std::string_view format, const std::vector<Line>& lines, int64_t begin) {
  struct Open {
    int level;
    std::string_view words;
  };
  std::vector<Open> open;  // from the outermost heading to the innermost whose section holds `begin`
  std::string_view title, heads;
  for (const Line& line : lines) {
    if (line.range.begin > begin) break;
    if (line.kind == LineKind::kTableHeader) heads = column_heads(text, line);
    if (!is_table(line.kind) || (line.kind == LineKind::kTableHeader && line.range.end > begin)) heads = {};
    if (line.kind != LineKind::kHeading || format != "markdown") continue;
    while (!open.empty() && open.back().level >= line.level) open.pop_back();
    if (line.range.end > begin) break;  // the chunk starts with it
    const std::string_view words = heading_words(text, line);
    if (words.empty() || words.size() > kMaxContextPart) continue;
    if (title.empty()) title = words;
    open.push_back({line.level, words});
  }
  if (const std::string_view opening = opening_title(text, lines); !opening.empty() && opening.data() < text.data() + begin)
    title = opening;
  std::string named;  // by the front matter
  if (!lines.empty() && lines.front().kind == LineKind::kFrontMatter) named = front_matter_title(slice(text, front_matter(text)));
  if (!named.empty() && named.size() <= kMaxContextPart) title = named;
  const std::string_view heading = open.empty() || open.back().words == title ? std::string_view{} : open.back().words;
  return joined({title, heading, heads});
}

std::vector<Line> outline(const std::vector<Line>& lines) {
  std::vector<Line> kept;
  size_t opening = 2;  // the first line that isn't blank, and the one after it
  for (size_t i = 0; i < lines.size(); ++i) {
    const LineKind kind = lines[i].kind;
    const bool opens = kind != LineKind::kFrontMatter && opening > 0 && (opening == 1 || kind != LineKind::kBlank);
    if (opens) --opening;
    const bool below_table = i > 0 && is_table(lines[i - 1].kind) && !is_table(kind);
    if (opens || below_table || i == 0 || kind == LineKind::kHeading || kind == LineKind::kTableHeader) kept.push_back(lines[i]);
  }
  return kept;
}

}  // namespace openbook
