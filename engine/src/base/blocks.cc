#include "blocks.h"

#include <algorithm>
#include <optional>

#include "front_matter.h"
#include "html.h"
#include "line_ends.h"
#include "line_marks.h"

namespace openbook {
namespace {

constexpr int64_t kCodeIndent = 4;

bool is_table(LineKind kind) {
  return kind == LineKind::kTableHeader || kind == LineKind::kTableRule || kind == LineKind::kTableRow;
}

bool begins_with_pipe(std::string_view line) { return line.substr(content_begin(line)).starts_with('|'); }

// Words in a row, as prose has them and code has not.
bool is_prose(std::string_view line) {
  size_t words = 0, others = 0;
  bool in_word = false;
  for (const char c : line) {
    const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    const bool of_word = letter || static_cast<unsigned char>(c) >= 0x80;
    words += of_word && !in_word;
    in_word = of_word;
    others += !of_word && c != ' ' && c != '\t';
  }
  const size_t first = skip(line, 0, " \t");
  const bool marked = first < line.size() && std::string_view("#$/%;{}<>=@+").find(line[first]) != std::string_view::npos;
  return !marked && words >= 4 && others * 10 <= line.size();
}

class Blocks {
 public:
  explicit Blocks(std::string_view text) : text_(text) {}

  std::vector<Line> read() {
    const ByteSpan matter = front_matter(text_);
    for (size_t begin = 0; begin < text_.size();) {
      const LineEnd end = line_end(text_, begin);
      lines_.push_back({.range = {static_cast<int64_t>(begin), static_cast<int64_t>(end.at)}});
      begin = end.next;
    }
    for (at_ = 0; at_ < lines_.size(); ++at_) {
      Line& line = lines_[at_];
      if (line.range.begin < matter.end)
        line.kind = LineKind::kFrontMatter;
      else
        read(line, slice(text_, line.range));
    }
    join_rows_without_edges();
    return std::move(lines_);
  }

 private:
  LineKind before() const { return at_ == 0 ? LineKind::kBlank : lines_[at_ - 1].kind; }
  bool in_paragraph() const { return (before() == LineKind::kText || before() == LineKind::kItem) && !lines_[at_ - 1].html; }
  bool blank(const Line& line) const { return trim(text_, line.range).empty(); }

  void read(Line& line, std::string_view words) {
    const bool is_blank = blank(line);
    if (html_ != HtmlBlock::kNone) {
      line.html = !(is_blank && html_ == HtmlBlock::kElement);
      line.kind = is_blank ? LineKind::kBlank : LineKind::kText;
      if (!line.html || ends_html_block(words, html_)) html_ = HtmlBlock::kNone;
    } else if (is_blank) {
      line.kind = LineKind::kBlank;
    } else if (!fence_.empty()) {
      line.kind = LineKind::kVerbatim;
      if (closes(words, fence_)) fence_ = {};
    } else {
      leave_items(words);
      open_block(line, words);
    }
  }

  void open_block(Line& line, std::string_view words) {
    if (indented_code_until_ > at_ || begins_indented_code(words)) {
      line.kind = LineKind::kVerbatim;
    } else if (fence_ = fence_of(words); !fence_.empty()) {
      line.kind = LineKind::kVerbatim;
    } else if (html_ = html_block_of(words, in_paragraph()); html_ != HtmlBlock::kNone) {
      line.html = true;
      if (ends_html_block(words, html_)) html_ = HtmlBlock::kNone;
    } else if (const size_t level = heading_level(words)) {
      line.kind = LineKind::kHeading;
      line.level = static_cast<int8_t>(level);
    } else if (is_table_rule(words) && begins_or_goes_on_with_table(words)) {
      line.kind = LineKind::kTableRule;
      name_columns();
    } else if (begins_with_pipe(words) || (is_table(before()) && count_pipes(words) > 0 && item_content(words) == 0)) {
      line.kind = LineKind::kTableRow;
      if (!is_table(before())) table_rule_.reset(), columns_named_ = false;
    } else if (underlines_heading(words)) {
      line.kind = LineKind::kUnderline;
      lines_[at_ - 1].kind = LineKind::kHeading;
      lines_[at_ - 1].level = underline_of(words) == '=' ? 1 : 2;
    } else if (is_rule(words)) {
      line.kind = LineKind::kRule;
    } else if (const size_t content = item_content(words)) {
      line.kind = LineKind::kItem;
      open_item(words, content);
    }
  }

  // Items whose text begins further right than this line are over, unless it goes on with their paragraph.
  void leave_items(std::string_view words) {
    const int64_t indent = indent_columns(words);
    if (in_paragraph() && item_content(words) == 0) return;
    while (!items_.empty() && items_.back() > indent) items_.pop_back();
  }

  // An item's text begins where its first word stands, or a blank behind its mark when that is far away.
  void open_item(std::string_view words, size_t content) {
    const size_t mark_end = words.find_last_not_of(" \t", content - 1) + 1;
    const auto mark_columns = static_cast<int64_t>(mark_end - skip(words, 0, " \t"));
    const auto blanks = static_cast<int64_t>(content - mark_end);
    items_.push_back(indent_columns(words) + mark_columns + (blanks > kCodeIndent ? 1 : std::max<int64_t>(blanks, 1)));
  }

  // Decided for all lines up to the next one that is blank or not indented.
  bool begins_indented_code(std::string_view words) {
    const int64_t least = kCodeIndent + (items_.empty() ? 0 : items_.back());
    if (in_paragraph() || is_table(before()) || indent_columns(words) < least || item_content(words) > 0) return false;
    if (html_block_of(words, false) != HtmlBlock::kNone && before() != LineKind::kBlank) return false;
    size_t end = at_;
    bool prose = true;
    for (; end < lines_.size() && !blank(lines_[end]); ++end) {
      const std::string_view each = slice(text_, lines_[end].range);
      if (indent_columns(each) < least) break;
      prose = prose && is_prose(each);
    }
    // The first line of a paragraph in a book is indented, too.
    const bool goes_on = end < lines_.size() && !blank(lines_[end]);
    if (prose || (goes_on && end == at_ + 1 && is_prose(words))) return false;
    indented_code_until_ = end;
    return true;
  }

  bool begins_or_goes_on_with_table(std::string_view words) const {
    if (is_table(before()) || is_grid_rule(words) || begins_with_pipe(words)) return true;
    return at_ > 0 && has_cells(at_ - 1);
  }

  // The row above the first rule names the columns; where a rule stands above the first row, all rows down to the second one do.
  void name_columns() {
    if (!is_table(before())) table_rule_.reset(), columns_named_ = false;
    const size_t row_below_rule = table_rule_ ? *table_rule_ + 1 : at_ - std::min<size_t>(at_, 1);
    const bool has_rows = at_ > 0 && row_below_rule < at_ && (lines_[at_ - 1].kind == LineKind::kTableRow || has_cells(at_ - 1));
    const bool was_ruled = table_rule_.has_value();
    table_rule_ = at_;
    if (!has_rows || columns_named_ || (was_ruled && !row_follows())) return;
    columns_named_ = true;
    for (size_t row = row_below_rule; row < at_; ++row) lines_[row].kind = LineKind::kTableHeader;
  }

  // Text with pipes in it: a row without pipes at its edges.
  bool has_cells(size_t i) const {
    return lines_[i].kind == LineKind::kText && !lines_[i].html && count_pipes(slice(text_, lines_[i].range)) > 0;
  }

  bool row_follows() const {
    if (at_ + 1 >= lines_.size()) return false;
    const std::string_view below = slice(text_, lines_[at_ + 1].range);
    return count_pipes(below) > 0 && !is_table_rule(below);
  }

  // Only a line that stands alone is taken for a heading, and a sentence above --- is a sentence above a rule.
  bool underlines_heading(std::string_view words) const {
    const char mark = underline_of(words);
    if (mark == 0 || before() != LineKind::kText || lines_[at_ - 1].html) return false;
    const LineKind above = at_ < 2 ? LineKind::kBlank : lines_[at_ - 2].kind;
    if (above == LineKind::kText || above == LineKind::kItem) return false;
    const ByteSpan title = trim(text_, lines_[at_ - 1].range);
    return mark == '=' || text_[static_cast<size_t>(title.end - 1)] != '.';
  }

  // Rows without pipes at their edges, cut from below their header: lines of one paragraph with as many " | " each.
  void join_rows_without_edges() {
    const auto cells = [&](size_t i) -> size_t {
      if (i >= lines_.size() || lines_[i].kind != LineKind::kText || lines_[i].html) return 0;
      const std::string_view words = slice(text_, lines_[i].range);
      return words.find(" | ") == std::string_view::npos ? 0 : count_pipes(words);
    };
    size_t above = 0;
    for (size_t i = 0; i < lines_.size(); ++i) {
      const size_t here = cells(i);
      if (here > 0 && (here == above || here == cells(i + 1))) lines_[i].kind = LineKind::kTableRow;
      above = here;
    }
  }

  std::string_view text_;
  std::vector<Line> lines_;
  size_t at_ = 0;
  std::string_view fence_;
  HtmlBlock html_ = HtmlBlock::kNone;
  std::vector<int64_t> items_;  // open list items: the column in which their text begins
  size_t indented_code_until_ = 0;
  std::optional<size_t> table_rule_;  // the last one of the table that is being read
  bool columns_named_ = false;        // of that table
};

}  // namespace

std::vector<Line> block_lines(std::string_view text) { return Blocks(text).read(); }

}  // namespace openbook
