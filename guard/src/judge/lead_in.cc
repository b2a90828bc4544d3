#include "judge/lead_in.h"

#include <string>
#include <unordered_set>

namespace openbook::guard {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// Words folded, as they are said of an answer.
struct LeadInWords {
  std::string_view answer, question;  // "question" only behind "answer": alone it asks another one
  WordSet sources;                    // announce with a word that reports, or with a colon behind them
  WordSet reporting;
};

const LeadInWords& lead_in_words(Language language) {
  static const LeadInWords english = {"answer",
                                      "question",
                                      {"document", "documents", "passage", "passages", "text", "texts", "context"},
                                      {"according", "based", "given", "provided", "says", "say", "states", "state", "stated",
                                       "mentions", "mention", "mentioned"}};
  static const LeadInWords spanish = {
      "respuesta",
      "pregunta",
      {"documento", "documentos", "pasaje", "pasajes", "texto", "textos", "contexto"},
      {"según", "basado", "dice", "dicen", "afirma", "afirman", "indica", "indican", "menciona", "mencionan"}};
  return language == Language::kSpanish ? spanish : english;
}

}  // namespace

size_t lead_in(std::span<const TextWord> words, Language language) {
  if (language != Language::kEnglish && language != Language::kSpanish) return 0;
  const LeadInWords& list = lead_in_words(language);
  bool answers = false, sources = false, reports = false;
  size_t count = 0;
  for (; count < words.size(); ++count) {
    const std::string& word = words[count].folded;
    if (word == ":") return answers || sources ? count + 1 : 0;
    if (word == list.answer)
      answers = true;
    else if (list.sources.contains(word))
      sources = true;
    else if (list.reporting.contains(word))
      reports = true;
    else if (!words[count].punctuation && !is_function_word(word, language) && !(answers && word == list.question))
      break;
  }
  return answers || (sources && reports) ? count : 0;
}

}  // namespace openbook::guard
