// Where sentences begin and end: what the chunker cuts by, a citation quotes from and an answer is judged by. Rules, no model.
// Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook {

// Sentence borders: ranges that cover `text` (valid UTF-8) without its blank margins, in order. A sentence ends at its marks, in
// any script (Unicode's STerm), and at blank lines, list items, headings, table rows and lines of fenced code. It does not end at
// a point that belongs to an abbreviation (Dr. Vane, Fig. 7, approx. 12, z. B., p. ej.), to initials, to an ordinal or the number
// of a day (3. August, der 2. Weltkrieg), or to a decimal. Where both can be meant (Inc., p.m., etc.) it ends before a word that
// sentences begin with. Rules of our own, not ICU's: its exceptions know words, but neither numbers, German ordinals nor what
// follows, and it reads no text that still grows.
std::vector<ByteSpan> split_sentences(std::string_view text);

// For an answer that grows: whether a new sentence begins in `next`, which follows `text`. Where the point at the end of `text`
// may belong to an abbreviation, `next` goes on with the sentence. Bytes that are not UTF-8 yet count as letters.
bool begins_new_sentence(std::string_view text, std::string_view next);

}  // namespace openbook
