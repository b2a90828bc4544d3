// Words and punctuation of a text, as claims, quotes and answers are compared by.
//
// A word is a run of letters, marks and digits; apostrophes between letters (but for a possessive 's) and the marks within a
// number (12,500 and 12 500 with a no-break space) stay inside, and so does what a reader doesn't see, such as a soft hyphen.
// Every Chinese, Japanese or Korean ideograph is a word of its own; words of Thai, Lao, Khmer and Burmese are found by ICU's
// dictionaries. Everything else but white space is punctuation, one code point each. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook {

struct WordSpan {
  ByteSpan bytes;
  bool punctuation = false;
};

std::vector<WordSpan> split_words(std::string_view valid_utf8);

// The words alone, each as fold_case gives it: what two texts are compared by.
std::vector<std::string> folded_words(std::string_view valid_utf8);

// Every place in `text` where the words of `piece`, at least one, stand one after another, in the form of fold_case and whatever
// stands between them. Numbers and days (openbook/base/values.h) are compared by value: "12500" is found as 12,500 but not in
// 112,500, and "2001-05-09" as 9 May 2001. Places begin and end with a word or a value of `text`. In order; they may overlap.
std::vector<ByteSpan> find_words(std::string_view text, std::string_view piece);
inline bool holds_words(std::string_view text, std::string_view piece) { return !find_words(text, piece).empty(); }

// `text` with every such place (of overlapping ones the first) replaced by `with`.
std::string replace_words(std::string_view text, std::string_view piece, std::string_view with);

// Replaces every byte that is not valid UTF-8 by '?', so that offsets stay.
std::string with_valid_utf8(std::string text);

}  // namespace openbook
