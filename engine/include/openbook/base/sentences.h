// Where sentences begin and end: what the chunker cuts by, a citation quotes from and an answer is judged by. Rules, no model.
// Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "openbook/base/lines.h"
#include "openbook/base/span.h"

namespace openbook {

// Sentence borders: ranges of `text` (valid UTF-8) without blank margins, in order. A sentence ends at its marks, in any script
// (Unicode's STerm), and at blank lines, list items, headings and lines of code. It does not end at a point that belongs to an
// abbreviation (Dr. Vane, Fig. 7, approx. 12, z. B., p. ej.), to initials, to an ordinal or the number of a day (3. August,
// der 2. Weltkrieg), or to a decimal. Where both can be meant (Inc., p.m., etc.) it ends before a word that sentences begin with.
// Rules of our own, not ICU's: its exceptions know words, but neither numbers, German ordinals nor what follows, and it reads no
// text that still grows.
//
// A row of a table is one sentence; a heading is one, with its underline. What is no prose is in none: the header and the rules
// of a table, front matter, lines that are hidden.
std::vector<ByteSpan> split_sentences(std::string_view text);

// The same within `visible` (ranges in order): no sentence holds a byte of another. `lines` are those of split_lines.
std::vector<ByteSpan> split_sentences(std::string_view text, const std::vector<Line>& lines,
                                      const std::vector<ByteSpan>& visible);

// For an answer that grows: whether a new sentence begins in `next`, which follows `text`. Where the point at the end of `text`
// may belong to an abbreviation, `next` goes on with the sentence. Bytes that are not UTF-8 yet count as letters.
bool begins_new_sentence(std::string_view text, std::string_view next);

}  // namespace openbook
