#include "openbook/base/language.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
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
  if (language == Language::kEnglish) return english;
  return language == Language::kSpanish ? spanish : none;
}

// What a language is known by: its function words, or, where the guard has no list of those, the commonest words of its texts.
const WordSet& common_words(Language language) {
  static const WordSet german = {"der",   "die",   "das",  "den",   "dem",   "des",   "ein", "eine",   "einen", "einem",
                                 "einer", "eines", "und",  "oder",  "aber",  "nicht", "ist", "sind",   "war",   "wird",
                                 "hat",   "haben", "kann", "im",    "am",    "zum",   "zur", "vom",    "von",   "zu",
                                 "mit",   "auf",   "für",  "bei",   "nach",  "aus",   "als", "wie",    "wo",    "wer",
                                 "wann",  "was",   "sich", "es",    "er",    "sie",   "ich", "wir",    "auch",  "nur",
                                 "noch",  "dass",  "über", "unter", "durch", "bis",   "um",  "welche", "in"};
  static const WordSet french = {"le",   "la",   "les", "un",    "une",   "des",  "du",    "de",   "au",     "aux",
                                 "et",   "ou",   "est", "sont",  "était", "été",  "a",     "ont",  "dans",   "en",
                                 "sur",  "pour", "par", "avec",  "sans",  "qui",  "que",   "quel", "quelle", "où",
                                 "ne",   "pas",  "ce",  "cette", "ces",   "il",   "elle",  "ils",  "elles",  "nous",
                                 "vous", "leur", "son", "sa",    "ses",   "plus", "aussi", "très", "à"};
  static const WordSet italian = {
      "il",    "lo",    "la",  "gli",   "le",  "i",      "un",   "uno",   "una",    "di",     "del",    "della",  "dei",
      "delle", "degli", "al",  "alla",  "ai",  "alle",   "nel",  "nella", "nei",    "sul",    "sulla",  "da",     "dal",
      "dalla", "in",    "con", "per",   "che", "chi",    "è",    "sono",  "era",    "ha",     "hanno",  "e",      "ed",
      "o",     "non",   "si",  "anche", "più", "quando", "dove", "come",  "quanto", "quanti", "questo", "questa", "a"};
  static const WordSet portuguese = {"o",    "os",     "as",      "um",   "uma",  "uns",  "do",     "da",   "dos",    "das",
                                     "no",   "na",     "nos",     "nas",  "ao",   "à",    "aos",    "de",   "em",     "por",
                                     "pelo", "pela",   "para",    "com",  "que",  "quem", "é",      "são",  "foi",    "era",
                                     "tem",  "há",     "e",       "ou",   "não",  "se",   "também", "mais", "quando", "onde",
                                     "como", "quanto", "quantos", "este", "esta", "isso", "a"};
  static const WordSet dutch = {"de",   "het",   "een",   "van",   "en",     "of",   "maar",   "niet",    "is",   "zijn",
                                "was",  "waren", "wordt", "heeft", "hebben", "kan",  "in",     "op",      "aan",  "met",
                                "voor", "bij",   "naar",  "uit",   "door",   "om",   "te",     "tot",     "over", "dat",
                                "die",  "dit",   "deze",  "wie",   "wat",    "waar", "hoe",    "wanneer", "er",   "ze",
                                "hij",  "zij",   "ik",    "wij",   "ook",    "nog",  "hoeveel"};
  switch (language) {
    case Language::kGerman:
      return german;
    case Language::kFrench:
      return french;
    case Language::kItalian:
      return italian;
    case Language::kPortuguese:
      return portuguese;
    case Language::kDutch:
      return dutch;
    default:
      return function_words(language);
  }
}

// Of languages with as many words in a text the first is taken.
constexpr std::array kKnown = {Language::kEnglish, Language::kSpanish,    Language::kGerman, Language::kFrench,
                               Language::kItalian, Language::kPortuguese, Language::kDutch};

// The languages that a word is common in, one bit each in the order of kKnown.
const std::unordered_map<std::string_view, uint8_t>& languages_by_word() {
  static const auto* const languages = [] {
    auto* made = new std::unordered_map<std::string_view, uint8_t>;
    for (size_t i = 0; i < kKnown.size(); ++i)
      for (const std::string_view word : common_words(kKnown[i])) (*made)[word] |= static_cast<uint8_t>(1 << i);
    return made;
  }();
  return *languages;
}

}  // namespace

Language language_of(std::string_view valid_utf8) {
  const auto& languages = languages_by_word();
  std::array<int64_t, kKnown.size()> words{};
  for (const std::string& word : folded_words(valid_utf8)) {
    const auto known = languages.find(word);
    if (known == languages.end()) continue;
    for (size_t i = 0; i < kKnown.size(); ++i) words[i] += known->second >> i & 1;
  }
  const auto most = std::max_element(words.begin(), words.end());
  return *most == 0 ? Language::kUnknown : kKnown[static_cast<size_t>(most - words.begin())];
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
