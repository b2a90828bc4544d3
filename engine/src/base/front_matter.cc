#include "front_matter.h"

#include <algorithm>
#include <vector>

#include "line_ends.h"
#include "line_marks.h"

namespace openbook {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// What stands in front of `between` ("title" of `title: Weir`), without quotation marks; empty when the line is no such pair.
std::string_view key_of(std::string_view line, char between) {
  const size_t end = line.find(between);
  if (end == std::string_view::npos || end == 0 || line[0] == ' ' || line[0] == '\t' || line[0] == '#' || line[0] == '-')
    return {};
  if (between == ':' && end + 1 < line.size() && line[end + 1] != ' ' && line[end + 1] != '\t') return {};
  std::string_view key = trimmed(line.substr(0, end));
  if (key.size() > 2 && (key.front() == '"' || key.front() == '\'') && key.back() == key.front())
    key = key.substr(1, key.size() - 2);
  // A sentence may hold a colon as well; keys are short and have no blanks or few.
  return std::count(key.begin(), key.end(), ' ') <= 3 ? key : std::string_view{};
}

bool says_title(std::string_view key) {
  constexpr std::string_view kTitle = "title";
  return std::equal(key.begin(), key.end(), kTitle.begin(), kTitle.end(), [](char a, char b) { return (a | 0x20) == b; });
}

// The value of a pair: quotation marks and what they escape undone, comments left out.
std::string unquoted(std::string_view value) {
  if (value.empty() || (value[0] != '"' && value[0] != '\'')) return std::string(trimmed(value.substr(0, value.find(" #"))));
  const char mark = value[0];
  std::string out;
  for (size_t at = 1; at < value.size(); ++at) {
    const bool escaped = mark == '"' ? value[at] == '\\' : value.substr(at).starts_with("''");
    if (!escaped && value[at] == mark) break;
    if (escaped) ++at;
    if (at < value.size()) out += value[at];
  }
  return std::string(trimmed(out));
}

// The lines below that are indented, joined: what follows `title: >`.
std::string indented_below(const std::vector<std::string_view>& lines, size_t first) {
  std::string joined;
  for (size_t i = first; i < lines.size() && (lines[i].starts_with(' ') || lines[i].starts_with('\t')); ++i)
    (joined += joined.empty() ? "" : " ") += trimmed(lines[i]);
  return joined;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin < text.size();) {
    const LineEnd end = line_end(text, begin);
    lines.push_back(text.substr(begin, end.at - begin));
    begin = end.next;
  }
  return lines;
}

// At the left margin YAML has pairs, items, comments and what closes a list; a line of prose is none of them.
bool may_be_yaml(std::string_view line, std::string_view words) {
  if (words.empty() || line[0] == ' ' || line[0] == '\t') return true;
  return std::string_view("-#]}").find(line[0]) != std::string_view::npos || !key_of(line, ':').empty();
}

}  // namespace

ByteSpan front_matter(std::string_view text) {
  const size_t first = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const std::string_view mark = text.substr(first, 3);
  if (mark != "---" && mark != "+++") return {};
  const LineEnd opening = line_end(text, first);
  if (trimmed(text.substr(first, opening.at - first)) != mark) return {};
  bool any_line = false;
  for (size_t begin = opening.next; begin < text.size();) {
    const LineEnd end = line_end(text, begin);
    const std::string_view line = text.substr(begin, end.at - begin), words = trimmed(line);
    const bool closing = !line.starts_with(' ') && (words == mark || (mark == "---" && words == "..."));
    if (closing) return any_line ? ByteSpan{0, static_cast<int64_t>(end.at)} : ByteSpan{};
    if (mark == "---" && !may_be_yaml(line, words)) return {};
    if (!any_line && !words.empty() && !words.starts_with('#')) {
      const bool is_pair = mark == "---" ? !key_of(line, ':').empty() : !key_of(line, '=').empty() || words.starts_with('[');
      if (!is_pair) return {};
      any_line = true;
    }
    begin = end.next;
  }
  return {};
}

std::string front_matter_title(std::string_view front_matter) {
  const bool toml = front_matter.find("+++") < 4;
  const char between = toml ? '=' : ':';
  const std::vector<std::string_view> lines = lines_of(front_matter);
  for (size_t i = 1; i < lines.size(); ++i) {
    if (toml && lines[i].starts_with('[')) break;  // titles of other things
    if (!says_title(key_of(lines[i], between))) continue;
    const std::string_view value = trimmed(lines[i].substr(lines[i].find(between) + 1));
    const bool block = !toml && (value.starts_with('>') || value.starts_with('|'));
    return block ? indented_below(lines, i + 1) : unquoted(value);
  }
  return {};
}

}  // namespace openbook
