// A question, read once when a request begins and handed to everybody who asks about it.
//
// Immutable; thread-safe.
//
//   const Question question("How many days of leave do I get?");
//   question.holds("leave");     // true
//   question.asks_quantity();    // true
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/language.h"
#include "text/text_word.h"

namespace openbook::guard {

class Question {
 public:
  explicit Question(std::string_view valid_utf8);

  const std::string& text() const { return text_; }
  Language language() const { return language_; }
  const std::vector<TextWord>& words() const { return words_; }

  // Whether the word is one of the question's. Such a word repeats what was asked and claims nothing by itself; so do the
  // question's numbers: "Windows 7" in an answer about Windows 7 must not count as what the answer rests on.
  bool holds(const std::string& folded_word) const { return held_.contains(folded_word); }
  // The same for the normal form of a number or day.
  bool holds_value(const std::string& normal) const { return values_.contains(normal); }

  // "how many", "how long", "cuánto", ...: its answer has to give a quantity (judge/quantity.h).
  bool asks_quantity() const { return asks_quantity_; }

 private:
  std::string text_;
  Language language_;
  std::vector<TextWord> words_;
  std::set<std::string, std::less<>> held_, values_;
  bool asks_quantity_;
};

}  // namespace openbook::guard
