#include "link_definition.h"

#include <algorithm>

#include "line_ends.h"

namespace openbook {
namespace {

constexpr size_t kMaxLabel = 999;  // bytes, as in CommonMark

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_line_end(char c) { return c == '\n' || c == '\r'; }

class Definition {
 public:
  Definition(std::string_view text, size_t end) : text_(text.substr(0, end)) {}

  size_t read(size_t at) const {
    size_t next = blanks(at);
    if (!label(next) || !destination(next)) return at;
    const size_t without_title = ends_line(next) ? blanks(next) : at;
    if (next < text_.size() && (is_blank(text_[next]) || is_line_end(text_[next]))) {
      size_t titled = blanks_and_line_end(next);
      if (title(titled) && ends_line(titled)) return blanks(titled);
    }
    return without_title;
  }

 private:
  size_t blanks(size_t at) const {
    while (at < text_.size() && is_blank(text_[at])) ++at;
    return at;
  }
  size_t blanks_and_line_end(size_t at) const {
    at = blanks(at);
    return at < text_.size() && is_line_end(text_[at]) ? blanks(line_end(text_, at).next) : at;
  }
  bool ends_line(size_t at) const {
    at = blanks(at);
    return at >= text_.size() || is_line_end(text_[at]);
  }

  bool label(size_t& at) const {
    if (at >= text_.size() || text_[at] != '[') return false;
    bool any = false;
    const size_t last = std::min(text_.size(), at + 2 + kMaxLabel);
    size_t next = at + 1;
    if (next < last && text_[next] == '^') return false;  // a footnote is shown
    for (; next < last && text_[next] != ']'; ++next) {
      if (text_[next] == '[') return false;
      any = any || (!is_blank(text_[next]) && !is_line_end(text_[next]));
      if (text_[next] == '\\') ++next;
    }
    if (!any || next + 1 >= last || text_[next + 1] != ':') return false;
    at = blanks_and_line_end(next + 2);
    return true;
  }

  bool destination(size_t& at) const {
    if (at >= text_.size() || is_line_end(text_[at])) return false;
    if (text_[at] == '<') {
      const size_t close = text_.find_first_of("<>\n\r", at + 1);
      if (close == std::string_view::npos || text_[close] != '>') return false;
      at = close + 1;
      return true;
    }
    at = std::min(text_.find_first_of(" \t\n\r", at), text_.size());
    return true;
  }

  bool title(size_t& at) const {
    if (at >= text_.size()) return false;
    const char open = text_[at], close = open == '(' ? ')' : open;
    if (open != '"' && open != '\'' && open != '(') return false;
    for (++at; at < text_.size() && text_[at] != close; ++at)
      if (text_[at] == '\\') ++at;
    return at++ < text_.size();
  }

  std::string_view text_;
};

}  // namespace

size_t link_definition_end(std::string_view text, size_t at, size_t end) { return Definition(text, end).read(at); }

}  // namespace openbook
