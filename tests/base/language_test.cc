#include "openbook/base/language.h"

#include <gtest/gtest.h>

#include <vector>

namespace openbook {
namespace {

TEST(Language, ALanguageIsKnownByItsFunctionWords) {
  EXPECT_EQ(language_of("Where is the office?"), Language::kEnglish);
  EXPECT_EQ(language_of("¿Dónde está la oficina?"), Language::kSpanish);
  EXPECT_EQ(language_of("Wo liegt das Amt?"), Language::kGerman);
  EXPECT_EQ(language_of("Où est le bureau de la poste ?"), Language::kFrench);
  EXPECT_EQ(language_of("Quanto costa il biglietto per la mostra?"), Language::kItalian);
  EXPECT_EQ(language_of("Quando foi fundada a escola em Lisboa?"), Language::kPortuguese);
  EXPECT_EQ(language_of("Hoeveel dagen verlof heeft een medewerker?"), Language::kDutch);
  EXPECT_EQ(language_of("Gdzie stoi zamek?"), Language::kUnknown);
  EXPECT_EQ(language_of(""), Language::kUnknown);
  EXPECT_TRUE(is_function_word("está", Language::kSpanish));
  EXPECT_FALSE(is_function_word("the", Language::kUnknown));
  EXPECT_TRUE(is_question_word("cuándo", Language::kSpanish));
  EXPECT_FALSE(is_question_word("norway", Language::kEnglish));
  for (const char* word : {"not", "no", "never", "none", "all", "some", "many", "every", "yes", "one", "two", "only", "nunca",
                           "no", "sí", "todos", "ningún", "tres"})
    for (const Language language : {Language::kEnglish, Language::kSpanish})
      EXPECT_FALSE(is_function_word(word, language)) << word;
}

TEST(NeutralWords, CarryNoContent) {
  const struct {
    Language language;
    std::vector<const char*> words;
  } rows[] = {
      {Language::kEnglish, {"the", "a", "of", "is", "were", "has", "did", "it", "their", "and", "that", "which", "they\u2019re"}},
      {Language::kSpanish, {"el", "una", "de", "es", "están", "ha", "que", "y", "su", "aquella"}},
      {Language::kGerman, {"der", "eine", "und", "ist", "wurden", "hat", "dass", "sich", "welche"}},
      {Language::kFrench, {"le", "une", "du", "est", "ont", "et", "que", "leurs", "c'est", "qu\u2019il"}},
  };
  for (const auto& row : rows)
    for (const char* word : row.words) EXPECT_TRUE(is_neutral_word(word, false, row.language)) << word;
}

TEST(NeutralWords, WhatChangesAClaimIsNone) {
  const struct {
    Language language;
    std::vector<const char*> words;
  } rows[] = {
      {Language::kEnglish,
       {"may",   "might", "can",     "could",  "will",  "would",  "shall", "should", "must",  "not",     "no",   "never",
        "don't", "isn't", "all",     "some",   "every", "most",   "only",  "one",    "two",   "to",      "from", "in",
        "on",    "at",    "by",      "before", "after", "under",  "over",  "until",  "with",  "without", "for",  "against",
        "or",    "if",    "because", "unless", "into",  "she'll", "he'd",  "",       "paris", "they'll", "am",   "mine"}},
      {Language::kSpanish, {"no",    "nunca", "ni",   "o",     "si",   "a",    "al",    "en",   "por",   "para", "desde",
                            "hasta", "sin",   "unos", "puede", "debe", "será", "sería", "solo", "todos", "dos",  "tampoco"}},
      {Language::kGerman,
       {"nicht", "kein", "nie", "oder", "wenn", "von", "nach", "in", "am", "bis", "ohne", "kann", "muss", "wird", "würde", "nur",
        "alle", "zwei"}},
      {Language::kFrench, {"ne",    "pas",  "jamais", "ou",   "si",   "à",         "au",   "dans", "en",    "sans",
                           "avant", "peut", "doit",   "sera", "tous", "seulement", "deux", "des",  "n'est", "été"}},
      {Language::kUnknown, {"the", "la", "der", "le"}},
      {Language::kItalian, {"il", "la"}},
  };
  for (const auto& row : rows)
    for (const char* word : row.words)
      for (const bool begins : {false, true}) EXPECT_FALSE(is_neutral_word(word, begins, row.language)) << word;
}

TEST(NeutralWords, ACapitalIsContentButAtTheBeginningOfASentence) {
  for (const char* word : {"It", "A", "The", "I", "Who", "Us"}) {
    EXPECT_TRUE(is_neutral_word(word, true, Language::kEnglish)) << word;
    EXPECT_FALSE(is_neutral_word(word, false, Language::kEnglish)) << word;
  }
  for (const char* word : {"IT", "US", "WHO", "AM", "wHo", "May", "Will"})
    for (const bool begins : {false, true}) EXPECT_FALSE(is_neutral_word(word, begins, Language::kEnglish)) << word;
  EXPECT_TRUE(is_neutral_word("Él", true, Language::kSpanish));
  EXPECT_FALSE(is_neutral_word("Él", false, Language::kSpanish));
}

}  // namespace
}  // namespace openbook
