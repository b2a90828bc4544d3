#include "openbook/base/passage.h"

#include <algorithm>
#include <utility>

#include "openbook/base/hash.h"
#include "openbook/base/hidden_text.h"
#include "openbook/base/lines.h"
#include "openbook/base/utf8.h"

namespace openbook {

std::string_view text_at(const Passage& passage, ByteSpan in_document) {
  return slice(passage.text, {in_document.begin - passage.range.begin, in_document.end - passage.range.begin});
}

Passage whole_document(std::string id, std::string text) {
  Passage passage;
  passage.document_id = std::move(id);
  passage.document_sha256 = sha256_hex(text);
  passage.range = {0, static_cast<int64_t>(text.size())};
  passage.line = 1;
  passage.text = std::move(text);
  return passage;
}

std::vector<Passage> visible_passages(const std::string& id, std::string_view text, std::string_view format) {
  const std::string sha256 = sha256_hex(text);
  const std::vector<Line> lines = split_lines(text), above = outline(lines);
  std::vector<Passage> passages;
  for (const ByteSpan visible : visible_ranges(text, format)) {
    const ByteSpan range = trim(text, visible);
    const std::vector<CodePoint> points = code_points(slice(text, range));
    if (std::none_of(points.begin(), points.end(), [](const CodePoint& each) { return is_letter_or_digit(each.value); }))
      continue;
    const auto line = std::upper_bound(lines.begin(), lines.end(), range.begin,
                                       [](int64_t at, const Line& each) { return at < each.range.begin; });
    passages.push_back({.document_id = id,
                        .document_sha256 = sha256,
                        .range = range,
                        .text = std::string(slice(text, range)),
                        .context = context_above(text, format, above, range.begin),
                        .line = line - lines.begin()});
  }
  return passages;
}

}  // namespace openbook
