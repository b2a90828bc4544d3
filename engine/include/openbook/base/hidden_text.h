// What stands in a document and is not seen by who reads it: an instruction to a model or a price in a comment is no statement of
// the document, and no passage holds it. Thread-safe.
//
//   for (const ByteSpan range : visible_ranges(text, "markdown")) index(slice(text, range));
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook {

struct HiddenText {
  ByteSpan range;
  std::string_view why;  // "HTML comment", "display:none", "link definition", ...
};

// In Markdown: HTML comments and other markup without a text; script, style, template and head elements; elements with the
// attribute hidden or a style that leaves nothing to see; definitions of links. In order, disjoint. In plain text: nothing, since
// its reader sees all of it. Code shows such marks and hides nothing. Style sheets are not read.
std::vector<HiddenText> hidden_text(std::string_view text, std::string_view format);

// The rest of the text without its front matter: half-open ranges in order, none empty, that may begin and end with blanks.
std::vector<ByteSpan> visible_ranges(std::string_view text, std::string_view format);

// "menu.md: 2 hidden pieces left out (HTML comment, display:none)"; empty when there are none.
std::string hidden_text_note(std::string_view document, const std::vector<HiddenText>& hidden);

}  // namespace openbook
