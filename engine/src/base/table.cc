#include "openbook/base/table.h"

#include <algorithm>
#include <vector>

#include "openbook/base/lines.h"

namespace openbook {
namespace {

// Where the cells of a row stand in `text`, without the blanks around them.
std::vector<ByteSpan> cells_of(std::string_view text, ByteSpan row) {
  ByteSpan inner = trim(text, row);
  while (!inner.empty() && text[static_cast<size_t>(inner.begin)] == '>') inner = trim(text, {inner.begin + 1, inner.end});
  if (!inner.empty() && text[static_cast<size_t>(inner.begin)] == '|') ++inner.begin;
  std::vector<ByteSpan> cells;
  int64_t begin = inner.begin;
  for (int64_t at = inner.begin; at < inner.end; ++at) {
    const char c = text[static_cast<size_t>(at)];
    if (c == '\\') ++at;
    if (c != '|') continue;
    cells.push_back({begin, at});
    begin = at + 1;
  }
  if (begin < inner.end) cells.push_back({begin, inner.end});
  return cells;
}

std::string words_of(std::string_view text, ByteSpan cell) {
  std::string words;
  for (const char c : slice(text, trim(text, cell)))
    if (std::string_view("*`\\").find(c) == std::string_view::npos) words += c == '\n' || c == '\r' ? ' ' : c;
  return words;
}

std::vector<std::string> heads_of(std::string_view header) {
  std::vector<std::string> heads;
  for (const ByteSpan cell : cells_of(header, {0, static_cast<int64_t>(header.size())})) heads.push_back(words_of(header, cell));
  return heads;
}

}  // namespace

std::string table_place(std::string_view text, ByteSpan range, std::string_view columns) {
  std::vector<std::string> heads;
  if (columns.find('|') != std::string_view::npos) heads = heads_of(columns);
  bool in_table = false;
  for (const Line& line : split_lines(text)) {
    if (line.kind == LineKind::kTableHeader) heads = heads_of(slice(text, line.range));
    const bool of_table =
        line.kind == LineKind::kTableHeader || line.kind == LineKind::kTableRule || line.kind == LineKind::kTableRow;
    if (!of_table && in_table) heads.clear();  // another table has its own
    in_table = of_table;
    if (line.range.end <= range.begin) continue;
    if (line.kind != LineKind::kTableRow || range.begin < line.range.begin) return {};
    const std::vector<ByteSpan> cells = cells_of(text, line.range);
    std::string place, names;
    bool beside_head = false;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (!cells[i].overlaps(range)) continue;
      beside_head = beside_head || i > 0;
      const std::string head = i < heads.size() ? heads[i] : std::string();
      if (!head.empty() && (i > 0 || range.end <= cells[i].end + 1)) (names += names.empty() ? "" : ", ") += head;
    }
    if (beside_head) place = words_of(text, cells.front());
    return place + (place.empty() || names.empty() ? "" : " / ") + names;
  }
  return {};
}

}  // namespace openbook
