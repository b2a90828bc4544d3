#include "openbook/base/hidden_text.h"

#include <algorithm>

#include "blocks.h"
#include "front_matter.h"
#include "hidden_markup.h"

namespace openbook {

std::vector<HiddenText> hidden_text(std::string_view text, std::string_view format) {
  if (format != "markdown") return {};
  return hidden_markup(text, block_lines(text));
}

std::vector<ByteSpan> visible_ranges(std::string_view text, std::string_view format) {
  std::vector<ByteSpan> ranges;
  int64_t begin = format == "markdown" ? front_matter(text).end : 0;
  const auto add_up_to = [&](int64_t end) {
    if (begin < end) ranges.push_back({begin, end});
  };
  for (const HiddenText& hidden : hidden_text(text, format)) {
    add_up_to(hidden.range.begin);
    begin = hidden.range.end;
  }
  add_up_to(static_cast<int64_t>(text.size()));
  return ranges;
}

std::string hidden_text_note(std::string_view document, const std::vector<HiddenText>& hidden) {
  if (hidden.empty()) return {};
  std::vector<std::string_view> reasons;
  for (const HiddenText& each : hidden)
    if (std::find(reasons.begin(), reasons.end(), each.why) == reasons.end()) reasons.push_back(each.why);
  std::string note = std::string(document) + ": " + std::to_string(hidden.size()) + " hidden " +
                     (hidden.size() == 1 ? "piece" : "pieces") + " left out (";
  for (const std::string_view reason : reasons) (note += reason == reasons.front() ? "" : ", ") += reason;
  return note + ")";
}

}  // namespace openbook
