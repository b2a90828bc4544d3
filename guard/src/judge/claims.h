// The words of a spoken sentence, and the claims that they are joined to. Thread-safe.
#pragma once

#include <span>
#include <vector>

#include "judge/spoken.h"
#include "openbook/base/language.h"
#include "openbook/guard/answer.h"
#include "text/question.h"
#include "text/text_word.h"

namespace openbook::guard {

// One for each of `said`, the words of the sentence: its tokens and its probability. Neutral words and what only announces the
// answer (lead_in.h) have the verdict neutral, all others unchecked.
std::vector<Word> words_of(const Spoken& spoken, std::span<const TextWord> said, Language language);

// Makes the words that the question holds neutral, but for binding words (binding.h).
void neutralise_asked_words(std::vector<Word>& words, std::span<const TextWord> said, const Question& question,
                            Language language);

// Maximal runs of words that are neither neutral nor binding.
std::vector<Claim> claims_of(const std::vector<Word>& words, std::span<const TextWord> said, Language language);

// Whether the word only binds others: a binding word that is not spelt as a name.
bool is_binding(const TextWord& word, Language language);

}  // namespace openbook::guard
