#include "line_marks.h"

#include <algorithm>
#include <cstdint>

namespace openbook {
namespace {

bool blank_or_end(std::string_view line, size_t at) { return at >= line.size() || line[at] == ' ' || line[at] == '\t'; }

bool is_alignment(std::string_view cell) {
  const size_t begin = skip(cell, skip(cell, 0, " \t"), ":");
  const size_t end = skip(cell, begin, "-");
  return end > begin && skip(cell, skip(cell, end, ":"), " \t") == cell.size();
}

// `run` is the line's content, made of one mark and blanks only.
bool is_run_of(std::string_view content, char mark, std::string_view between) {
  size_t marks = 0;
  for (const char c : content) {
    if (c == mark)
      ++marks;
    else if (between.find(c) == std::string_view::npos)
      return false;
  }
  return marks >= 3;
}

}  // namespace

size_t skip(std::string_view line, size_t at, std::string_view characters) {
  return std::min(line.find_first_not_of(characters, at), line.size());
}

int64_t indent_columns(std::string_view line) {
  int64_t columns = 0;
  for (const char c : line) {
    if (c == ' ')
      ++columns;
    else if (c == '\t')
      columns += 4 - columns % 4;
    else
      break;
  }
  return columns;
}

size_t content_begin(std::string_view line) { return skip(line, 0, " \t>"); }

size_t heading_level(std::string_view line) {
  const size_t marks = skip(line, 0, " ");
  const size_t after = skip(line, marks, "#");
  return marks <= 3 && after - marks <= 6 && blank_or_end(line, after) ? after - marks : 0;
}

size_t item_content(std::string_view line) {
  const size_t mark = skip(line, 0, " \t");
  if (mark >= line.size()) return 0;
  const auto content = [&](size_t after) { return skip(line, after, " \t"); };
  if (line[mark] == '-' || line[mark] == '*' || line[mark] == '+') return blank_or_end(line, mark + 1) ? content(mark + 1) : 0;
  constexpr std::string_view kBullet = "\u2022";
  if (line.substr(mark).starts_with(kBullet)) return content(mark + kBullet.size());
  const size_t after = skip(line, mark, "0123456789");
  // Four digits are a year that a line break put there.
  const bool numbered = after > mark && after - mark <= 3 && after < line.size() && (line[after] == '.' || line[after] == ')');
  return numbered && blank_or_end(line, after + 1) ? content(after + 1) : 0;
}

std::string_view fence_of(std::string_view line) {
  const size_t mark = skip(line, 0, " \t");
  if (mark >= line.size() || (line[mark] != '`' && line[mark] != '~')) return {};
  const size_t after = skip(line, mark, line.substr(mark, 1));
  // More of them behind: code inside a line.
  if (after - mark < 3 || (line[mark] == '`' && line.find('`', after) != std::string_view::npos)) return {};
  return line.substr(mark, after - mark);
}

bool closes(std::string_view line, std::string_view open_fence) {
  const std::string_view fence = fence_of(line);
  if (fence.empty() || fence[0] != open_fence[0] || fence.size() < open_fence.size()) return false;
  return skip(line, static_cast<size_t>(fence.data() - line.data()) + fence.size(), " \t") == line.size();
}

char underline_of(std::string_view line) {
  const size_t begin = skip(line, 0, " ");
  if (begin > 3 || begin == line.size()) return 0;
  const char mark = line[begin];
  const size_t end = skip(line, begin, line.substr(begin, 1));
  // "--" alone stands above signatures.
  const bool long_enough = (mark == '=' && end - begin >= 2) || (mark == '-' && end - begin >= 3);
  return long_enough && skip(line, end, " \t") == line.size() ? mark : '\0';
}

bool is_rule(std::string_view line) {
  const size_t begin = content_begin(line);
  if (begin == line.size()) return false;
  const std::string_view content = line.substr(begin);
  const char mark = content[0];
  if (mark == '=') return is_run_of(content, mark, {});
  return (mark == '-' || mark == '*' || mark == '_') && is_run_of(content, mark, " \t");
}

size_t count_pipes(std::string_view line) {
  size_t pipes = 0;
  for (size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\\')
      ++at;
    else if (line[at] == '|')
      ++pipes;
  }
  return pipes;
}

bool is_grid_rule(std::string_view line) {
  const std::string_view content = line.substr(content_begin(line));
  if (!content.starts_with('+') || content.find_first_not_of("+-=:| \t") != std::string_view::npos) return false;
  return content.find("---") != std::string_view::npos || content.find("===") != std::string_view::npos;
}

bool is_table_rule(std::string_view line) {
  const std::string_view content = line.substr(content_begin(line));
  if (content.find_first_not_of("|-:+= \t") != std::string_view::npos) return false;
  if (is_grid_rule(line)) return true;
  size_t at = content.starts_with('|') ? 1 : 0;
  if (content.find('|') == std::string_view::npos) return false;  // +: as Emacs draws the inner ones
  bool any = false;
  while (at < content.size()) {
    const size_t end = std::min(content.find_first_of("|+", at), content.size());
    const std::string_view cell = content.substr(at, end - at);
    const bool last_is_empty = end == content.size() && skip(cell, 0, " \t") == cell.size();
    if (!last_is_empty && !is_alignment(cell)) return false;
    any = any || !last_is_empty;
    at = end + 1;
  }
  return any;
}

}  // namespace openbook
