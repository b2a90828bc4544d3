// The closed lists of words that carry no content. What is left out matters more than what is in: whatever can also be a modal
// verb, a negation, a quantifier, a preposition of place, time or direction, "or", "if" or "because", and a word that is spelt
// like one with content: "am" (10 am), "mine", Spanish "al" (to the), "unos" (some) and "este" (east), French "été" (summer).
#include <string>
#include <unordered_set>

#include "openbook/base/language.h"
#include "openbook/base/utf8.h"

namespace openbook {
namespace {

using WordSet = std::unordered_set<std::string_view>;

const WordSet& english_words() {
  static const WordSet words = {
      "a", "an", "the", "of", "and", "that", "which", "who", "whom", "whose", "what", "as", "than", "also", "such", "there",
      // pronouns
      "i", "me", "my", "myself", "you", "your", "yours", "yourself", "yourselves", "he", "him", "his", "himself", "she", "her",
      "hers", "herself", "it", "its", "itself", "we", "us", "our", "ours", "ourselves", "they", "them", "their", "theirs",
      "themselves", "this", "these", "those",
      // copulas and auxiliaries
      "is", "are", "was", "were", "be", "been", "being", "has", "have", "had", "having", "do", "does", "did", "doing",
      // what joins clauses without denying one
      "but", "so", "then", "when", "where", "while", "how", "why", "here",
      // beside a name or a place, where the source may say it in another way ("is located in" for "is in")
      "called", "named", "known", "located", "situated", "namely", "indeed",
      // joined by an apostrophe; "s" is what split_words leaves of "Paris's" and "it's"
      "s", "i'm", "you're", "we're", "they're", "i've", "you've", "we've", "they've"};
  return words;
}

const WordSet& spanish_words() {
  static const WordSet words = {
      "el", "la", "lo", "los", "las", "un", "una", "unas", "de", "del", "y", "e", "que", "qué", "pero", "como", "también",
      // what joins clauses, and what stands beside a name or a place
      "cuando", "cuándo", "cómo", "donde", "dónde", "llamado", "llamada", "ubicado", "ubicada", "situado", "situada",
      // pronouns
      "yo", "me", "mi", "mis", "mí", "tú", "tu", "tus", "te", "ti", "él", "ella", "ello", "ellos", "ellas", "usted", "ustedes",
      "nosotros", "nosotras", "nos", "vosotros", "vosotras", "os", "le", "les", "se", "su", "sus", "suyo", "suya", "suyos",
      "suyas", "nuestro", "nuestra", "nuestros", "nuestras", "vuestro", "vuestra", "vuestros", "vuestras", "esta", "estos",
      "estas", "esto", "ese", "esa", "esos", "esas", "eso", "aquel", "aquella", "aquellos", "aquellas", "aquello", "quien",
      "quién", "quienes", "quiénes", "cual", "cuál", "cuales", "cuáles", "cuyo", "cuya", "cuyos", "cuyas",
      // copulas and auxiliaries
      "ser", "sido", "siendo", "soy", "eres", "es", "somos", "sois", "son", "era", "eras", "éramos", "eran", "fue", "fui",
      "fuimos", "fueron", "estar", "estando", "estoy", "estás", "está", "estamos", "están", "estaba", "estábamos", "estaban",
      "estuvo", "estuvieron", "haber", "habido", "habiendo", "he", "has", "ha", "hemos", "han", "hay", "había", "habían", "hubo",
      "hubieron"};
  return words;
}

const WordSet& german_words() {
  static const WordSet words = {"der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "eines",
                                "und", "dass", "daß", "als", "wie", "auch", "aber",
                                // pronouns
                                "ich", "mich", "mir", "mein", "meine", "meinen", "meinem", "meiner", "meines", "du", "dich",
                                "dir", "dein", "deine", "deinen", "deinem", "deiner", "deines", "er", "ihn", "ihm", "sein",
                                "seine", "seinen", "seinem", "seiner", "seines", "sie", "ihr", "ihre", "ihren", "ihrem", "ihrer",
                                "ihres", "ihnen", "es", "wir", "uns", "unser", "unsere", "unseren", "unserem", "unserer",
                                "unseres", "euch", "euer", "eure", "sich", "dieser", "diese", "dieses", "diesen", "diesem",
                                "jener", "jene", "jenes", "jenen", "jenem", "welcher", "welche", "welches", "welchen", "welchem",
                                "wer", "wen", "wem", "wessen", "was", "dessen", "deren", "denen",
                                // copulas and auxiliaries
                                "bin", "bist", "ist", "sind", "seid", "war", "warst", "waren", "gewesen", "habe", "hast", "hat",
                                "haben", "habt", "hatte", "hatten", "gehabt", "wurde", "wurden", "worden"};
  return words;
}

const WordSet& french_words() {
  static const WordSet words = {
      "le", "la", "les", "un", "une", "de", "du", "et", "que", "qui", "quoi", "dont", "mais", "comme", "aussi",
      // pronouns
      "je", "me", "moi", "mon", "ma", "mes", "tu", "te", "toi", "ton", "ta", "tes", "il", "elle", "on", "ils", "elles", "lui",
      "leur", "leurs", "eux", "se", "soi", "son", "sa", "ses", "nous", "notre", "nos", "vous", "votre", "vos", "ce", "cet",
      "cette", "ces", "ceci", "cela", "ça", "celui", "celle", "ceux", "celles", "lequel", "laquelle", "lesquels", "lesquelles",
      "quel", "quelle", "quels", "quelles",
      // copulas and auxiliaries
      "être", "étant", "suis", "es", "est", "êtes", "sont", "étais", "était", "étions", "étaient", "fut", "furent", "avoir", "eu",
      "ayant", "ai", "as", "a", "avons", "avez", "ont", "avais", "avait", "avaient", "eut", "eurent",
      // joined by an apostrophe
      "c'est", "c'était", "qu'il", "qu'elle", "qu'ils", "qu'elles", "qu'on", "qu'un", "qu'une", "d'un", "d'une", "s'est",
      "s'était", "l'on", "j'ai", "l'a", "l'ont"};
  return words;
}

const WordSet& neutral_words(Language language) {
  static const WordSet none;
  switch (language) {
    case Language::kEnglish:
      return english_words();
    case Language::kSpanish:
      return spanish_words();
    case Language::kGerman:
      return german_words();
    case Language::kFrench:
      return french_words();
    case Language::kItalian:
    case Language::kPortuguese:
    case Language::kDutch:
    case Language::kUnknown:
      return none;
  }
  return none;
}

bool is_capital(char32_t value) { return to_lower(value) != value; }

}  // namespace

bool is_neutral_word(std::string_view written_word, bool begins_sentence, Language language) {
  std::string folded;
  for (const CodePoint& point : code_points(written_word)) {
    const bool may_be_capital = begins_sentence && point.offset == 0;
    if (is_capital(point.value) && !may_be_capital) return false;
    append_utf8(folded, point.value == U'\u2019' ? U'\'' : to_lower(point.value));
  }
  return neutral_words(language).contains(folded);
}

}  // namespace openbook
