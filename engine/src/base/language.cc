#include "openbook/base/language.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "openbook/base/words.h"

namespace openbook {
namespace {

using WordSet = std::unordered_set<std::string_view>;

const WordSet& function_words(Language language) {
  static const WordSet english = {
      "a", "an", "the", "of", "in", "on", "at", "to", "for", "from", "by", "with", "as", "into", "onto", "upon", "about", "than",
      "and", "or", "but", "so", "if", "that", "this", "these", "those", "which", "who", "whom", "whose", "what", "when", "where",
      "while", "how", "why", "it", "its", "it's", "he", "his", "him", "she", "her", "hers", "they", "their", "them", "we", "our",
      "us", "you", "your", "i", "my", "me", "is", "are", "was", "were", "be", "been", "being", "am", "has", "have", "had",
      "having", "do", "does", "did", "will", "would", "can", "could", "may", "might", "shall", "should", "must", "there", "here",
      "also", "then", "such", "itself", "himself", "herself", "themselves", "s",
      // joined to what they name or affirm, nothing is claimed by them alone
      "called", "named", "known", "located", "situated", "indeed", "namely"};
  static const WordSet spanish = {
      "el",     "la",    "los",   "las",     "un",      "una",     "unos",    "unas",    "de",      "del",    "al",
      "a",      "en",    "por",   "para",    "con",     "sobre",   "entre",   "y",       "e",       "o",      "u",
      "pero",   "que",   "qué",   "quien",   "quién",   "cual",    "cuál",    "cuando",  "cuándo",  "donde",  "dónde",
      "como",   "cómo",  "si",    "se",      "su",      "sus",     "lo",      "le",      "les",     "este",   "esta",
      "estos",  "estas", "ese",   "esa",     "eso",     "esto",    "es",      "son",     "era",     "eran",   "fue",
      "fueron", "ser",   "sido",  "ha",      "han",     "había",   "hay",     "está",    "están",   "estaba", "él",
      "ella",   "ellos", "ellas", "también", "llamado", "llamada", "ubicado", "ubicada", "situado", "situada"};
  static const WordSet none;
  switch (language) {
    case Language::kEnglish:
      return english;
    case Language::kSpanish:
      return spanish;
    case Language::kUnknown:
      return none;
  }
  return none;
}

}  // namespace

Language language_of(std::string_view valid_utf8) {
  int64_t english = 0, spanish = 0;
  for (const std::string& word : folded_words(valid_utf8)) {
    english += function_words(Language::kEnglish).contains(word);
    spanish += function_words(Language::kSpanish).contains(word);
  }
  if (english == 0 && spanish == 0) return Language::kUnknown;
  return english >= spanish ? Language::kEnglish : Language::kSpanish;
}

bool is_function_word(std::string_view folded_word, Language language) { return function_words(language).contains(folded_word); }

bool is_question_word(std::string_view folded_word, Language language) {
  static const WordSet english = {"who", "whom", "whose", "what", "which", "when", "where", "why", "how", "many", "much"};
  static const WordSet spanish = {"qué",   "quién", "quiénes", "cuál",   "cuáles",  "cuándo",
                                  "dónde", "cómo",  "cuánto",  "cuánta", "cuántos", "cuántas"};
  if (language == Language::kEnglish) return english.contains(folded_word);
  if (language == Language::kSpanish) return spanish.contains(folded_word);
  return false;
}

}  // namespace openbook
