#include "judge/quantity.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "text/writing.h"

namespace openbook::guard {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// What makes "how" a question for a quantity. Not "often" or "soon": those are answered without a number as well.
bool measures(std::string_view folded_word) {
  static const WordSet words = {"many", "much", "few",   "long",  "old",   "far", "tall",  "high",
                                "deep", "wide", "thick", "heavy", "large", "big", "small", "fast"};
  return words.contains(folded_word);
}

bool is_spanish_quantity_question(std::string_view folded_word) {
  static const WordSet words = {"cuánto", "cuánta", "cuántos", "cuántas"};
  return words.contains(folded_word);
}

// Number words, and the words that stand for a number: of amounts and prices (none, free) and of the end of a time (until).
bool is_quantity_word(std::string_view folded_word) {
  static const WordSet words = {
      "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
      "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty",
      "seventy", "eighty", "ninety", "hundred", "hundreds", "thousand", "thousands", "million", "millions", "billion", "billions",
      "half", "third", "thirds", "quarter", "quarters", "dozen", "dozens", "once", "twice", "both", "none", "no", "nothing",
      "nobody", "all", "every", "several", "few", "free", "unlimited", "until", "forever", "always",
      // Spanish
      "cero", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "doce", "trece", "catorce", "quince",
      "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro",
      "veinticinco", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa", "cien", "ciento", "cientos",
      "doscientos", "trescientos", "quinientos", "mil", "millón", "millones", "mitad", "tercio", "docena", "ambos", "ambas",
      "ninguno", "ninguna", "ningún", "nada", "nadie", "todos", "todas", "varios", "varias", "gratis", "gratuito", "gratuita",
      "hasta", "siempre"};
  return words.contains(folded_word);
}

}  // namespace

bool asks_quantity(std::span<const TextWord> question) {
  for (size_t i = 0; i < question.size(); ++i) {
    if (is_spanish_quantity_question(question[i].folded)) return true;
    if (question[i].folded == "how" && i + 1 < question.size() && measures(question[i + 1].folded)) return true;
  }
  return false;
}

bool gives_quantity(std::string_view text, const Question& question) {
  const std::vector<TextWord> words = read_words(text, question.language());
  return std::any_of(words.begin(), words.end(), [&](const TextWord& word) {
    return (has_digit(word.folded) || is_quantity_word(word.folded)) && !question.holds(word.folded);
  });
}

}  // namespace openbook::guard
