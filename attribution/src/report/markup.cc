#include "report/markup.h"

#include <cmath>
#include <cstdio>

#include "openbook/base/utf8.h"

namespace openbook::attribution {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// Not allowed in XML, or able to make text look like another.
bool unshowable(char32_t value) {
  const bool control = (value < 0x20 && value != '\t' && value != '\n') || (value >= 0x7F && value < 0xA0);
  const bool override = (value >= 0x202A && value <= 0x202E) || (value >= 0x2066 && value <= 0x2069);
  return control || override || value == 0xFFFE || value == 0xFFFF;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  while (const auto bad = first_invalid_utf8(text)) {
    valid.append(text.substr(0, *bad));
    append_utf8(valid, kReplacement);
    text.remove_prefix(*bad + 1);
  }
  return valid.append(text);
}

const Json kNoList = Json::array();
const Json kNoObject = Json::object();

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (const CodePoint& point : code_points(valid_utf8(text))) {
    switch (point.value) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        append_utf8(safe, unshowable(point.value) ? kReplacement : point.value);
    }
  }
  return safe;
}

std::string element(const std::string& name, const std::string& attributes, const std::string& content) {
  return "<" + name + (attributes.empty() ? "" : " " + attributes) + ">" + content + "</" + name + ">";
}

std::string number_text(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return "–";
  const double size = std::abs(*value);
  const char* format = *value == std::round(*value) && size < 1e15 ? "%.0f"
                       : size >= 1e6                               ? "%.3g"
                       : size >= 100                               ? "%.0f"
                       : size >= 10                                ? "%.1f"
                       : size >= 1                                 ? "%.2f"
                       : size >= 0.01                              ? "%.3f"
                                                                   : "%.2g";
  char text[40];
  std::snprintf(text, sizeof text, format, *value == 0 ? 0.0 : *value);
  return text;
}

std::string estimate_text(const Json& estimate) {
  if (!estimate.is_object()) return number_text(finite(estimate));
  std::string text = number_text(number_in(estimate, "value"));
  const auto low = number_in(estimate, "low"), high = number_in(estimate, "high");
  if (low && high) text += " (" + number_text(low) + " to " + number_text(high) + ")";
  if (const auto cases = number_in(estimate, "n")) text += ", n = " + number_text(cases);
  return text;
}

std::optional<double> finite(const Json& value) {
  if (!value.is_number()) return std::nullopt;
  const double number = value.get<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<double> number_in(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) ? finite(object[key]) : std::nullopt;
}

std::string text_in(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : "";
}

const Json& list_in(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_array() ? object[key] : kNoList;
}

const Json& object_in(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_object() ? object[key] : kNoObject;
}

}  // namespace openbook::attribution
