// The language of a text, by its function words: the closed lists of words that claim nothing by themselves.
//
// English and Spanish have a list; any other language has none. Negations, numbers, quantifiers, yes and no are never in a list:
// they change what is claimed. Thread-safe.
#pragma once

#include <string_view>

namespace openbook {

enum class Language { kEnglish, kSpanish, kUnknown };

// By the function words that a text uses; kUnknown when it uses none.
Language language_of(std::string_view valid_utf8);

// `folded_word` as fold_case gives it.
bool is_function_word(std::string_view folded_word, Language language);

// Interrogatives (who, which, cuándo, ...): they say nothing about the topic of a question.
bool is_question_word(std::string_view folded_word, Language language);

}  // namespace openbook
