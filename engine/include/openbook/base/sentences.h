// Where sentences begin and end: what the chunker cuts by, a citation quotes from and an answer is judged by. Rules, no model.
// Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook {

// Sentence borders: ranges that cover `text` (valid UTF-8) without its blank margins, in order. Also ends at blank lines, list
// items, headings, table rows, lines of fenced code and the sentence marks of Chinese; does not end at abbreviations, initials
// and decimal points.
std::vector<ByteSpan> split_sentences(std::string_view text);

}  // namespace openbook
