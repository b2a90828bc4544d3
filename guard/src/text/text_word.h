// The words of a text as the guard compares them, read once. Thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/language.h"
#include "openbook/base/span.h"

namespace openbook::guard {

struct TextWord {
  ByteSpan bytes;       // of the text
  std::string written;  // those bytes
  std::string folded;   // as fold_case gives it: what words are compared by
  bool punctuation = false;
  // Spelt like a name although its small letters are a function word: "May", "US", "WHO", the label "A". It is compared as it is
  // spelt, and it claims something.
  bool spelt_as_name = false;
  bool begins_sentence = false;  // a capital says nothing there
  // Of the first word of a number or a day (openbook/base/values.h): its normal form, and how many words, with punctuation, it is
  // written in. "2001-05-09" and "9 May 2001" have one normal form.
  std::string value;
  size_t value_words = 0;
  bool within_value = false;  // one of its other words
};

// Words and punctuation of valid UTF-8, in order (openbook/base/words.h).
std::vector<TextWord> read_words(std::string_view text, Language language);

// Whether the two are one word: equal when folded, and spelt alike where one is spelt as a name.
bool same_word(const TextWord& a, const TextWord& b);

// The words with each value that lies whole among them as a single word, folded to its normal form.
std::vector<TextWord> with_values(std::span<const TextWord> words);

// What says whether a text speaks of something: its words folded, and the normal forms of its values; of a day also those without
// its year and without its day.
std::vector<std::string> comparable_words(std::string_view text);

}  // namespace openbook::guard
