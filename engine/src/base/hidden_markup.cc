#include "hidden_markup.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "html.h"
#include "line_marks.h"
#include "link_definition.h"

namespace openbook {
namespace {

// A paragraph, an item, a row, a heading, or an HTML block: what an inline element can't reach beyond.
struct Block {
  size_t begin, end;
  bool html;
};

struct Mark {
  size_t begin, end;
  std::string name;  // of an element; empty for comments and the like, which are hidden themselves
  bool closing;
  const char* why;  // null: it hides nothing
  Block block;
  bool fills_line;  // nothing else stands on its line
};

std::vector<Block> blocks_of(std::string_view text, const std::vector<Line>& lines) {
  std::vector<Block> blocks;
  bool goes_on = false;  // the next line of text belongs to the last block
  for (const Line& line : lines) {
    const bool read = line.kind == LineKind::kText || line.kind == LineKind::kItem || line.kind == LineKind::kHeading ||
                      line.kind == LineKind::kTableHeader || line.kind == LineKind::kTableRow || line.html;
    if (!read) {
      goes_on = false;
      continue;
    }
    const auto begin = static_cast<size_t>(line.range.begin), end = static_cast<size_t>(line.range.end);
    const bool joins = goes_on && line.html == blocks.back().html && (line.html || line.kind == LineKind::kText);
    if (joins) {
      blocks.back().end = end;
      continue;
    }
    const std::string_view words = slice(text, line.range);
    size_t content = content_begin(words);
    if (line.kind == LineKind::kItem) content = item_content(words);
    blocks.push_back({begin + (line.html ? 0 : content), end, line.html});
    goes_on = line.html || line.kind == LineKind::kText || line.kind == LineKind::kItem;
  }
  return blocks;
}

// Reads the marks of a text, block by block.
class Marks {
 public:
  explicit Marks(std::string_view text) : text_(text) {}

  void read(const Block& block) {
    size_t at = std::max(block.begin, done_);
    if (at >= block.end) return;
    block_ = block;
    endless_.fill(false);
    code_marks_.clear();
    if (!block.html) {
      at = read_definitions(at);
      find_code_marks(at);
    }
    while (at < block.end) {
      at = std::min(text_.find_first_of("<`\\", at), block.end);
      if (at < block.end) at = read_at(at);
    }
    done_ = std::max(done_, at);
  }

  std::vector<Mark> take() { return std::move(marks_); }

 private:
  void add(size_t begin, size_t end, const char* why) { marks_.push_back({begin, end, {}, false, why, block_, false}); }

  size_t read_definitions(size_t at) {
    for (;;) {
      const size_t end = link_definition_end(text_, at, block_.end);
      if (end == at) return at;
      add(text_.find('[', at), end, "link definition");
      at = std::min(text_.find_first_not_of("\n\r \t>", end), block_.end);
    }
  }

  // Where runs of backticks begin, by their length.
  void find_code_marks(size_t at) {
    while ((at = text_.find('`', at)) < block_.end) {
      const size_t end = skip(text_, at, "`");
      code_marks_[end - at].push_back(at);
      at = end;
    }
  }

  size_t read_at(size_t at) {
    if (text_[at] == '<') return read_markup(at);
    if (block_.html) return at + 1;
    return text_[at] == '\\' ? at + 2 : behind_code(at);
  }

  // Code ends at a run of as many backticks; without one they are just backticks.
  size_t behind_code(size_t at) {
    const size_t after = skip(text_, at, "`");
    const std::vector<size_t>& runs = code_marks_[after - at];
    const auto closing = std::upper_bound(runs.begin(), runs.end(), at);
    return closing == runs.end() ? after : *closing + (after - at);
  }

  size_t read_markup(size_t at) {
    const size_t limit = block_.html ? text_.size() : block_.end;
    // A kind that has no end in this block once has none further on.
    bool& endless = endless_[at + 1 < text_.size() && text_[at + 1] == '?' ? 0 : text_.substr(at).starts_with("<!--") ? 1 : 2];
    if (!endless) {
      if (const auto end = unseen_markup_end(text_, at, limit)) {
        endless = *end == std::string_view::npos;
        if (!endless || block_.html) {
          add(at, std::min(*end, limit), text_[at + 1] == '!' ? "HTML comment" : "HTML instruction");
          return std::min(*end, limit);
        }
      }
    }
    const auto tag = tag_at(text_, at, block_.end);
    if (!tag) return at + 1;
    marks_.push_back({at, tag->end, tag->name, tag->closing, tag->hides, block_, fills_line(at, tag->end)});
    if (!tag->closing && holds_raw_text(tag->name)) return behind_raw_text(tag->name, tag->end, limit);
    return tag->end;
  }

  // A script's text has no tags: what closes it is the next mark.
  size_t behind_raw_text(const std::string& name, size_t begin, size_t limit) {
    const size_t closing = find_closing(text_, name, begin, limit);
    return closing == std::string_view::npos ? limit : closing;
  }

  bool fills_line(size_t begin, size_t end) const {
    const size_t before = text_.find_last_not_of(" \t>", begin == 0 ? 0 : begin - 1);
    const bool first = begin == 0 || before == std::string_view::npos || text_[before] == '\n' || text_[before] == '\r';
    const size_t after = skip(text_, end, " \t");
    return first && (after >= text_.size() || text_[after] == '\n' || text_[after] == '\r');
  }

  std::string_view text_;
  size_t done_ = 0;  // where reading goes on: a comment may end behind its block
  Block block_{};
  std::array<bool, 3> endless_{};
  std::map<size_t, std::vector<size_t>> code_marks_;
  std::vector<Mark> marks_;
};

// For every mark that opens an element, the mark that closes it; 0 where there is none.
std::vector<size_t> closing_marks(const std::vector<Mark>& marks) {
  std::vector<size_t> closing(marks.size());
  std::map<std::string_view, std::vector<size_t>> open;
  for (size_t i = 0; i < marks.size(); ++i) {
    if (marks[i].name.empty() || is_void_element(marks[i].name)) continue;
    std::vector<size_t>& of_name = open[marks[i].name];
    if (!marks[i].closing) {
      of_name.push_back(i);
    } else if (!of_name.empty()) {
      closing[of_name.back()] = i;
      of_name.pop_back();
    }
  }
  return closing;
}

// Where an element that hides ends. `closing`: what closes it, or null.
size_t element_end(const Mark& open, const Mark* closing, size_t text_end) {
  if (is_void_element(open.name)) return open.end;
  const bool bounded = !open.block.html || open.name == "p";
  if (closing && (!bounded || closing->begin < open.block.end)) return closing->end;
  const bool runs_on = !bounded && ((is_block_element(open.name) && !may_stay_open(open.name)) || open.fills_line);
  return runs_on ? text_end : open.block.end;
}

}  // namespace

std::vector<HiddenText> hidden_markup(std::string_view text, const std::vector<Line>& lines) {
  if (text.find('<') == std::string_view::npos && text.find("]:") == std::string_view::npos) return {};
  Marks reader(text);
  for (const Block& block : blocks_of(text, lines)) reader.read(block);
  const std::vector<Mark> marks = reader.take();
  const std::vector<size_t> closing = closing_marks(marks);
  std::vector<HiddenText> hidden;
  size_t seen_from = 0;
  for (size_t i = 0; i < marks.size(); ++i) {
    if (marks[i].begin < seen_from || !marks[i].why) continue;
    const Mark* const ends = closing[i] > 0 ? &marks[closing[i]] : nullptr;
    const size_t end = marks[i].name.empty() ? marks[i].end : element_end(marks[i], ends, text.size());
    hidden.push_back({{static_cast<int64_t>(marks[i].begin), static_cast<int64_t>(end)}, marks[i].why});
    seen_from = end;
  }
  return hidden;
}

}  // namespace openbook
