#include "html.h"

#include <algorithm>
#include <array>

#include "hiding_style.h"
#include "line_marks.h"

namespace openbook {
namespace {

using Names = std::string_view;  // each between two blanks

constexpr Names kBlockNames =
    " address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link main menu menuitem "
    "nav noframes ol optgroup option p param search section summary table tbody td template tfoot th thead title tr track ul ";
constexpr Names kRawTextNames = " script style pre textarea ";
constexpr Names kVoidNames = " area base br col embed hr img input link meta param source track wbr ";
constexpr Names kMayStayOpenNames = " p li dt dd td th tr option ";
constexpr Names kUnseenNames = " script style template head title meta link base datalist noframes ";

bool is_among(std::string_view name, Names names) {
  for (size_t at = names.find(name); at != Names::npos && !name.empty(); at = names.find(name, at + 1))
    if (names[at - 1] == ' ' && names[at + name.size()] == ' ') return true;
  return false;
}

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_name_part(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return out;
}

size_t skip_blanks(std::string_view text, size_t at, size_t end) {
  while (at < end && is_blank(text[at])) ++at;
  return at;
}

const char* unseen_name(const std::string& name) {
  if (!is_among(name, kUnseenNames)) return nullptr;
  if (name == "script") return "script";
  if (name == "style") return "style";
  return name == "template" ? "template" : "HTML head";
}

// One attribute; moves `at` behind it.
struct Attribute {
  std::string name;
  std::string_view value;
};

std::optional<Attribute> read_attribute(std::string_view text, size_t& at, size_t end) {
  const size_t begin = at;
  while (at < end && !is_blank(text[at]) && std::string_view("\"'=<>`/").find(text[at]) == std::string_view::npos) ++at;
  if (at == begin) return std::nullopt;
  Attribute attribute{lower(text.substr(begin, at - begin)), {}};
  const size_t sign = skip_blanks(text, at, end);
  if (sign >= end || text[sign] != '=') return attribute;
  size_t value = skip_blanks(text, sign + 1, end);
  if (value >= end) return std::nullopt;
  if (text[value] == '"' || text[value] == '\'') {
    const size_t closing = text.substr(0, end).find(text[value], value + 1);
    if (closing == std::string_view::npos) return std::nullopt;
    attribute.value = text.substr(value + 1, closing - value - 1);
    at = closing + 1;
    return attribute;
  }
  for (at = value; at < end && !is_blank(text[at]) && text[at] != '>' && text[at] != '<';) ++at;
  attribute.value = text.substr(value, at - value);
  return attribute;
}

const char* hidden_by(const Attribute& attribute, const std::string& element) {
  if (attribute.name == "hidden") return "hidden attribute";
  if (attribute.name == "style") return hiding_style(attribute.value);
  return element == "input" && attribute.name == "type" && lower(attribute.value) == "hidden" ? "hidden attribute" : nullptr;
}

}  // namespace

bool is_block_element(std::string_view name) { return is_among(name, kBlockNames) || is_among(name, kRawTextNames); }
bool is_void_element(std::string_view name) { return is_among(name, kVoidNames); }
bool may_stay_open(std::string_view name) { return is_among(name, kMayStayOpenNames); }
bool holds_raw_text(std::string_view name) { return name == "script" || name == "style"; }

std::optional<Tag> tag_at(std::string_view text, size_t at, size_t end) {
  Tag tag;
  size_t next = at + 1;
  if (next < end && text[next] == '/') tag.closing = true, ++next;
  if (next >= end || !is_letter(text[next])) return std::nullopt;
  const size_t name = next;
  while (next < end && is_name_part(text[next])) ++next;
  tag.name = lower(text.substr(name, next - name));
  tag.hides = unseen_name(tag.name);
  bool open = tag.name == "dialog";  // shown only when it says so
  for (;;) {
    const size_t attribute_at = skip_blanks(text, next, end);
    if (attribute_at >= end) return std::nullopt;
    const bool apart = attribute_at > next;
    next = attribute_at;
    if (text[next] == '>') break;
    if (text[next] == '/') {
      ++next;
      continue;
    }
    if (!apart && text[next - 1] != '/' && text[next - 1] != '"' && text[next - 1] != '\'') return std::nullopt;
    const auto attribute = read_attribute(text, next, end);
    if (!attribute) return std::nullopt;
    if (attribute->name == "open") open = false;
    if (!tag.hides) tag.hides = hidden_by(*attribute, tag.name);
  }
  if (open && !tag.hides) tag.hides = "closed dialog";
  if (tag.closing) tag.hides = nullptr;
  tag.end = next + 1;
  return tag;
}

std::optional<size_t> unseen_markup_end(std::string_view text, size_t at, size_t end) {
  const std::string_view rest = text.substr(at, end - at);
  const auto behind = [&](std::string_view mark, size_t from) {
    const size_t found = rest.find(mark, from);
    return found == std::string_view::npos ? found : at + found + mark.size();
  };
  if (rest.starts_with("<!--")) {
    if (rest.starts_with("<!-->")) return at + 5;
    if (rest.starts_with("<!--->")) return at + 6;
    for (size_t dashes = rest.find("--", 4); dashes != std::string_view::npos; dashes = rest.find("--", dashes + 1)) {
      const std::string_view after = rest.substr(dashes + 2);
      if (after.starts_with('>')) return at + dashes + 3;
      if (after.starts_with("!>")) return at + dashes + 4;
    }
    return std::string_view::npos;
  }
  if (rest.starts_with("<?")) return behind("?>", 2);
  if (rest.starts_with("<![CDATA[")) return behind("]]>", 9);
  if (rest.starts_with("<!") && rest.size() > 2 && is_letter(rest[2])) return behind(">", 2);
  return std::nullopt;
}

size_t find_closing(std::string_view text, std::string_view name, size_t from, size_t end) {
  for (size_t at = text.find("</", from); at != std::string_view::npos && at < end; at = text.find("</", at + 2)) {
    const std::string_view found = text.substr(at + 2, name.size());
    const size_t after = at + 2 + name.size();
    if (found.size() == name.size() && lower(found) == name && (after >= end || !is_name_part(text[after]))) return at;
  }
  return std::string_view::npos;
}

HtmlBlock html_block_of(std::string_view line, bool in_paragraph) {
  size_t at = content_begin(line);
  if (at >= line.size() || line[at] != '<')
    if (const size_t item = item_content(line); item > 0 && item < line.size()) at = item;
  if (at >= line.size() || line[at] != '<') return HtmlBlock::kNone;
  const std::string_view rest = line.substr(at);
  if (rest.starts_with("<!--")) return HtmlBlock::kComment;
  if (rest.starts_with("<?")) return HtmlBlock::kInstruction;
  if (rest.starts_with("<![CDATA[")) return HtmlBlock::kData;
  if (rest.starts_with("<!") && rest.size() > 2 && is_letter(rest[2])) return HtmlBlock::kDeclaration;
  const bool closing = rest.starts_with("</");
  const size_t name = closing ? 2 : 1;
  size_t after = name;
  while (after < rest.size() && is_name_part(rest[after])) ++after;
  const std::string element = lower(rest.substr(name, after - name));
  const bool complete =
      after >= rest.size() || is_blank(rest[after]) || rest[after] == '>' || rest.substr(after).starts_with("/>");
  if (complete && !closing && is_among(element, kRawTextNames)) return HtmlBlock::kRawText;
  if (complete && is_among(element, kBlockNames)) return HtmlBlock::kElement;
  if (in_paragraph) return HtmlBlock::kNone;
  const auto tag = tag_at(rest, 0, rest.size());
  return tag && skip(rest, tag->end, " \t") == rest.size() ? HtmlBlock::kElement : HtmlBlock::kNone;
}

bool ends_html_block(std::string_view line, HtmlBlock block) {
  const auto holds = [&](std::string_view mark) { return line.find(mark) != std::string_view::npos; };
  switch (block) {
    case HtmlBlock::kRawText: {
      const std::string folded = lower(line);
      for (const std::string_view mark : {"</script>", "</style>", "</pre>", "</textarea>"})
        if (folded.find(mark) != std::string::npos) return true;
      return false;
    }
    case HtmlBlock::kComment:
      return holds("-->");
    case HtmlBlock::kInstruction:
      return holds("?>");
    case HtmlBlock::kDeclaration:
      return holds(">");
    case HtmlBlock::kData:
      return holds("]]>");
    default:
      return false;
  }
}

}  // namespace openbook
