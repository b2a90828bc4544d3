#include "answer/abstention.h"

#include <algorithm>
#include <array>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "judge/binding.h"
#include "openbook/base/words.h"
#include "text/writing.h"

namespace openbook::guard {
namespace {

constexpr size_t kMostWords = 50;  // longer sentences say more than that

// The patterns read a sentence whose words are folded and joined by single spaces, without punctuation.
const std::string kSource = "(?:documents?|passages?|texts?|context|sources?|excerpts?|information|materials?)";
const std::string kSources =
    "(?:(?:none|any|either|all|of|the|these|this|those|your|my|our|two|three|four|given|provided|supplied|"
    "available|above|following|retrieved|relevant|other) )*" +
    kSource +
    "(?: (?:given|provided|supplied|above|"
    "available|here|that (?:i|you) (?:have|were given|was given)|i (?:have|was given)|you (?:gave|provided)))*";
const std::string kHow =
    "(?: (?:explicitly|directly|specifically|clearly|actually|really|even|also|appear to|seem to|itself|themselves))*";
const std::string kSay =
    "(?:say|state|mention|contain|provide|specify|answer|give|include|indicate|tell|address|discuss|offer|explain|"
    "describe|list|cover|reveal|disclose|name|have|hold|help)";
const std::string kSaid =
    "(?:said|stated|mentioned|contained|provided|specified|answered|given|included|indicated|addressed|discussed|"
    "explained|described|listed|covered|found|available|known|clear|determined|disclosed|named|in|present|possible)";
const std::string kNot =
    "(?:do not|does not|did not|don't|doesn't|didn't|cannot|can not|can't|could not|couldn't|fail to|fails to)";
const std::string kIsNot =
    "(?:is not|are not|isn't|aren't|was not|were not|wasn't|weren't|cannot be|can not be|can't be|could not be|"
    "couldn't be|is nowhere|are nowhere)";
const std::string kNone = "(?:no|not any|not enough|insufficient|not sufficient|nothing)";
const std::string kThing = "(?:information|mention|answer|answers|details?|data|reference|statement|indication)";
const std::string kSorry = "(?:(?:unfortunately|sorry|i'm sorry|i am sorry|i'm afraid|i am afraid|apologies|no|but|that) )*";
const std::string kRest = "(?: (.*))?";  // what follows: looked at below

// Each captures what follows the abstention, or stands in front of it, last.
const std::array<std::regex, 9>& patterns() {
  const auto pattern = [](const std::string& text) { return std::regex(text, std::regex::ECMAScript | std::regex::optimize); };
  static const std::array<std::regex, 9> all = {
      pattern(kSorry + "(?:i|we) (?:really )?(?:don't|do not) know" + kRest),
      pattern(kSorry +
              "(?:i|we) (?:(?:am|was|are|were) (?:not able|unable) to|cannot|can not|can't|could not|couldn't|did not|didn't|"
              "don't|do not) (?:(?:answer|determine|tell|say|confirm|identify)|(?:find|see|have|provide|locate)(?: "
              "(?:any|enough|sufficient|"
              "the|an))* " +
              kThing + ")" + kRest),
      pattern(kSorry + kSources + " " + kNot + kHow + " " + kSay + kRest),
      pattern(kSorry + kSources +
              " (?:say|says|contain|contains|have|has|provide|provides|give|gives|offer|offers|hold|holds|make|makes|"
              "are|is) " +
              "(?:" + kNone + "(?: " + kThing + ")?|silent)" + kRest),
      pattern(kSorry + "none of " + kSources +
              " (?:say|says|state|states|mention|mentions|contain|contains|provide|provides|answer|"
              "answers|specify|specifies|give|gives)" +
              kRest),
      pattern(kSorry + "(?:there is|there are|there's) " + kNone + " " + kThing + "((?: .*)? (?:in|from|within) " + kSources +
              ")"),
      pattern(kSorry + "(.*?) ?" + kIsNot + kHow + " " + kSaid + "(?: (?:in|by|from|within|on|anywhere in) " + kSources + ")"),
      pattern(kSorry + "no " + kThing + "( .*)? (?:is|are|was|were|can be|could be) " + kSaid + "(?: .*)?"),
      pattern("(?:unable to|cannot|can't|could not) answer" + kRest)};
  return all;
}

const std::string kSourceEs = "(?:documentos?|pasajes?|textos?|contexto|fuentes?|fragmentos?|información)";
const std::string kSourcesEs =
    "(?:(?:ninguno|de|los|las|el|la|estos|estas|este|esta) )*" + kSourceEs +
    "(?: (?:dados|dado|proporcionados|proporcionado|proporcionada|disponibles|disponible|facilitados))*";

const std::array<std::regex, 5>& spanish_patterns() {
  const auto pattern = [](const std::string& text) { return std::regex(text, std::regex::ECMAScript | std::regex::optimize); };
  const std::string sorry = "(?:(?:lo siento|lamentablemente|desafortunadamente|pero) )*";
  static const std::array<std::regex, 5> all = {
      pattern(sorry + "no (?:lo )?sé" + kRest),
      pattern(sorry + "no (?:puedo|podemos|pude) (?:responder|contestar|encontrar|determinar)" + kRest),
      pattern(sorry + kSourcesEs +
              " no (?:dicen?|mencionan?|responden?|contestan?|contienen?|indican?|especifican?|proporcionan?|"
              "ofrecen?|incluyen?|aclaran?|explican?|lo dicen?|lo mencionan?)" +
              kRest),
      pattern(sorry + "no hay (?:información|respuesta|mención|datos)((?: .*)? en " + kSourcesEs + ")"),
      pattern(sorry + "(.*?) ?no se (?:menciona|indica|especifica|dice|aclara|proporciona|encuentra)n? (?:.* )?en " +
              kSourcesEs)};
  return all;
}

bool goes_on(std::string_view word) {
  static const std::set<std::string_view> words = {"but",     "however", "although", "though",       "yet",    "while",
                                                   "whereas", "except",  "instead",  "nevertheless", "still",  "because",
                                                   "pero",    "aunque",  "sino",     "mientras",     "excepto"};
  return words.contains(word);
}

// Whether the words bring anything of their own: another clause, or a name or number that was not asked about.
bool says_more(const std::vector<TextWord>& words, const Question& question) {
  return std::any_of(words.begin(), words.end(), [&](const TextWord& word) {
    if (word.punctuation) return word.written == ";" || word.written == ":";
    if (goes_on(word.folded)) return true;
    const bool own = !question.holds(word.folded) && !is_function_word(word.folded, question.language()) &&
                     binding_of(word.folded, question.language()) == Binding::kNone;
    return own && (has_digit(word.folded) || (!word.begins_sentence && has_capital(word.written)));
  });
}

bool asks_about_sources(const Question& question) {
  static const std::regex source("(?:" + kSource + "|" + kSourceEs + ")");
  return std::any_of(question.words().begin(), question.words().end(),
                     [](const TextWord& word) { return std::regex_match(word.folded, source); });
}

// What a passive form stands behind must be what was asked, or a word for it: "The price is not stated in the documents."
bool only_asked(const std::string& subject, const Question& question) {
  static const std::set<std::string_view> generic = {"answer", "question", "information", "respuesta", "pregunta", "información",
                                                     "this",   "that",     "it",          "exact",     "specific"};
  for (const std::string& word : folded_words(subject))
    if (!generic.contains(word) && !question.holds(word) && !is_function_word(word, question.language())) return false;
  return true;
}

}  // namespace

bool is_abstention(std::string_view sentence, const Question& question) {
  const std::string valid = with_valid_utf8(std::string(sentence));
  const std::vector<TextWord> words = read_words(valid, question.language());
  if (words.size() > kMostWords || says_more(words, question)) return false;
  std::string said;
  for (const TextWord& word : words)
    if (!word.punctuation) (said += said.empty() ? "" : " ") += word.folded;
  // "Based on the given passages, ...": only announces it.
  static const std::regex lead("^(?:based on|according to|from|in|según|de acuerdo con) " + kSources + " ");
  said = std::regex_replace(said, lead, "", std::regex_constants::format_first_only);
  const bool about_sources = asks_about_sources(question);
  const auto matches = [&](const std::regex& pattern, bool by_speaker, bool subject_first) {
    std::smatch found;
    if (!std::regex_match(said, found, pattern)) return false;
    if (about_sources && !by_speaker) return false;
    return !subject_first || only_asked(found[1], question);
  };
  for (size_t i = 0; i < patterns().size(); ++i)
    if (matches(patterns()[i], i < 2 || i == 8, i == 6)) return true;
  for (size_t i = 0; i < spanish_patterns().size(); ++i)
    if (matches(spanish_patterns()[i], i < 2, i == 4)) return true;
  return false;
}

}  // namespace openbook::guard
