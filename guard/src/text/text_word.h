// The words of a text as the guard compares them, read once. Thread-safe.
#pragma once

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
};

// Words and punctuation of valid UTF-8, in order (openbook/base/words.h).
std::vector<TextWord> read_words(std::string_view text, Language language);

// Whether the two are one word: equal when folded, and spelt alike where one is spelt as a name.
bool same_word(const TextWord& a, const TextWord& b);

}  // namespace openbook::guard
