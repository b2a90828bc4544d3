#include "judge/binding.h"

#include <unordered_set>

namespace openbook::guard {
namespace {

using WordSet = std::unordered_set<std::string_view>;

struct BindingWords {
  WordSet relation, force;
};

const BindingWords* binding_words(Language language) {
  static const BindingWords english = {
      {"to",      "from",   "in",      "on",     "at",     "by",   "before",  "after",   "under", "over", "below",
       "above",   "until",  "till",    "since",  "within", "with", "against", "between", "into",  "onto", "upon",
       "through", "during", "towards", "toward", "across", "for",  "per",     "beside",  "near",  "or"},
      {"may",      "might",     "can",     "could",   "will",     "would",   "shall",    "should", "must",     "cannot",
       "not",      "no",        "never",   "neither", "nor",      "nobody",  "nothing",  "none",   "without",  "except",
       "only",     "hardly",    "rarely",  "seldom",  "possibly", "perhaps", "probably", "partly", "almost",   "nearly",
       "about",    "up",        "least",   "most",    "some",     "all",     "every",    "each",   "any",      "few",
       "don't",    "doesn't",   "didn't",  "isn't",   "aren't",   "wasn't",  "weren't",  "won't",  "wouldn't", "can't",
       "couldn't", "shouldn't", "mustn't", "hasn't",  "haven't",  "hadn't",  "if",       "unless"}};
  static const BindingWords spanish = {
      {"en",    "a",   "al",   "desde", "hasta",  "hacia", "antes",   "después", "tras", "bajo",
       "sobre", "por", "para", "con",   "contra", "entre", "durante", "según",   "o",    "u"},
      {"puede", "pueden",  "podría",  "podrían", "podrá",     "podrán", "debe",   "deben",   "debería",       "deberían",
       "no",    "nunca",   "jamás",   "ni",      "nadie",     "nada",   "ningún", "ninguno", "ninguna",       "sin",
       "salvo", "excepto", "solo",    "sólo",    "solamente", "apenas", "quizá",  "quizás",  "probablemente", "casi",
       "todos", "todas",   "algunos", "algunas", "cada",      "si"}};
  switch (language) {
    case Language::kEnglish:
      return &english;
    case Language::kSpanish:
      return &spanish;
    default:
      return nullptr;
  }
}

}  // namespace

Binding binding_of(std::string_view folded_word, Language language) {
  const BindingWords* const words = binding_words(language);
  if (!words) return Binding::kNone;
  if (words->force.contains(folded_word)) return Binding::kForce;
  return words->relation.contains(folded_word) ? Binding::kRelation : Binding::kNone;
}

}  // namespace openbook::guard
