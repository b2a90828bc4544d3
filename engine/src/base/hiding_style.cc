#include "hiding_style.h"

#include <algorithm>
#include <string>

namespace openbook {
namespace {

constexpr size_t kFarAway = 3;  // digits of a negative distance that moves a text off the page

// Small letters, without blanks and comments.
std::string plain(std::string_view style) {
  std::string out;
  for (size_t at = 0; at < style.size(); ++at) {
    if (style.substr(at).starts_with("/*")) {
      const size_t end = style.find("*/", at + 2);
      if (end == std::string_view::npos) break;
      at = end + 1;
    } else if (static_cast<unsigned char>(style[at]) > ' ') {
      out += style[at] >= 'A' && style[at] <= 'Z' ? static_cast<char>(style[at] | 0x20) : style[at];
    }
  }
  return out;
}

// "0", "0.0", "0px".
bool is_zero(std::string_view value) {
  const size_t digits = std::min(value.find_first_not_of("0."), value.size());
  return digits > 0 && value.find_first_of("0") < digits && value.find_first_of("123456789", digits) == std::string_view::npos;
}

bool is_far_away(std::string_view value) {
  if (!value.starts_with('-')) return false;
  return std::min(value.find_first_not_of("0123456789", 1), value.size()) - 1 > kFarAway;
}

bool is_white(std::string_view value) {
  return value == "white" || value == "#fff" || value == "#ffffff" || value == "rgb(255,255,255)";
}

const char* hides(std::string_view name, std::string_view value, bool has_background) {
  if (name == "display" && value == "none") return "display:none";
  if (name == "visibility" && (value == "hidden" || value == "collapse")) return "visibility:hidden";
  if (name == "content-visibility" && value == "hidden") return "content-visibility:hidden";
  if (name == "opacity" && is_zero(value)) return "opacity:0";
  if (name == "font-size" && is_zero(value)) return "font-size:0";
  if (name == "color" && (value == "transparent" || (is_white(value) && !has_background))) return "text without colour";
  const bool moves = name == "left" || name == "right" || name == "top" || name == "text-indent" || name == "margin-left";
  return moves && is_far_away(value) ? "off the page" : nullptr;
}

std::string_view value_of(std::string_view value) { return value.substr(0, value.find('!')); }  // without "!important"

}  // namespace

const char* hiding_style(std::string_view style) {
  const std::string declarations = plain(style);
  const bool has_background = declarations.find("background") != std::string::npos;
  for (size_t begin = 0; begin < declarations.size();) {
    const size_t end = std::min(declarations.find(';', begin), declarations.size());
    const std::string_view one = std::string_view(declarations).substr(begin, end - begin);
    const size_t colon = one.find(':');
    if (colon != std::string_view::npos)
      if (const char* why = hides(one.substr(0, colon), value_of(one.substr(colon + 1)), has_background)) return why;
    begin = end + 1;
  }
  return nullptr;
}

}  // namespace openbook
