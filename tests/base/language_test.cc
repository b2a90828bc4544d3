#include "openbook/base/language.h"

#include <gtest/gtest.h>

namespace openbook {
namespace {

TEST(Language, ALanguageIsKnownByItsFunctionWords) {
  EXPECT_EQ(language_of("Where is the office?"), Language::kEnglish);
  EXPECT_EQ(language_of("¿Dónde está la oficina?"), Language::kSpanish);
  EXPECT_EQ(language_of("Wo liegt das Amt?"), Language::kUnknown);
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

}  // namespace
}  // namespace openbook
