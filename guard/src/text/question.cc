#include "text/question.h"

#include "judge/quantity.h"

namespace openbook::guard {

Question::Question(std::string_view valid_utf8)
    : text_(valid_utf8), language_(language_of(valid_utf8)), words_(read_words(valid_utf8, language_)) {
  for (const TextWord& word : words_)
    if (!word.punctuation) held_.insert(word.folded);
  for (const TextWord& word : words_)
    if (word.value_words > 0) values_.insert(word.value);
  asks_quantity_ = guard::asks_quantity(words_);
}

}  // namespace openbook::guard
