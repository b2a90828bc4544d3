// The language of a text, and the closed lists of words that claim nothing by themselves. Thread-safe.
#pragma once

#include <string_view>

namespace openbook {

enum class Language { kEnglish, kSpanish, kGerman, kFrench, kItalian, kPortuguese, kDutch, kUnknown };

// By the commonest words of each language; kUnknown when the text uses none of them.
Language language_of(std::string_view valid_utf8);

// Whether a word carries no content, so that no document needs to say it: an article, a form of to be, to have or to do, a
// pronoun, "and", "that", "which", "of". A modal verb, a negation, a quantifier, a number, and a preposition of place, time or
// direction are never neutral. Nor is a word that is written with a capital (US, WHO, May, Roman I), but for the first letter of
// a word that begins a sentence. English, Spanish, German and French have a list; in any other language no word is neutral.
//
//   is_neutral_word("It", true, Language::kEnglish)    // true
//   is_neutral_word("IT", true, Language::kEnglish)    // false
//   is_neutral_word("may", false, Language::kEnglish)  // false
bool is_neutral_word(std::string_view written_word, bool begins_sentence, Language language);

// Words that tell little about the subject of a text, prepositions and modal verbs among them. English and Spanish have a list.
// `folded_word` as fold_case gives it.
bool is_function_word(std::string_view folded_word, Language language);

// Interrogatives (who, which, cuándo, ...): they say nothing about the topic of a question. English and Spanish have a list.
bool is_question_word(std::string_view folded_word, Language language);

}  // namespace openbook
