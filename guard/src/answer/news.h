// What sentences say that the question has not said: where steering draws attention to.
//
// A model whose heads are drawn to words that the question holds says those again ("Turkey's capital, Turkey, is a city") and
// goes on from memory; function words lead it to phrases of its own ("as well as"). What answers is among the other words.
//
// Thread-safe. Texts are UTF-8.
#pragma once

#include <span>
#include <vector>

#include "judge/topic.h"
#include "openbook/engine/prompt.h"
#include "text/question.h"
#include "text/read_passage.h"

namespace openbook::guard {

// Runs of words of a sentence that are neither the question's nor function words, in order; function words between two of one run
// belong to it ("Bank of England").
std::vector<ByteSpan> news_in(std::span<const TextWord> sentence, const Question& question);

// The prompt's tokens of the sentences.
std::vector<TokenRange> tokens_of(const engine::Prompt& prompt, const std::vector<SentencePlace>& sentences);

// Of what is new in them; empty where nothing is ("Is the cover of steel?").
std::vector<TokenRange> tokens_of_news(const engine::Prompt& prompt, const std::vector<SentencePlace>& sentences,
                                       const Question& question, const std::vector<ReadPassage>& passages);

}  // namespace openbook::guard
