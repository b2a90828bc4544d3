#include "answer/news.h"

#include <algorithm>

#include "openbook/base/language.h"

namespace openbook::guard {
namespace {

// In order; places of the prompt's documents.
std::vector<TokenRange> tokens_in(const engine::Prompt& prompt, const std::vector<Source>& places) {
  std::vector<TokenRange> tokens;
  for (int64_t token = prompt.all_passages.begin; token < prompt.all_passages.end; ++token) {
    const engine::TokenSource& source = prompt.sources[token];
    const bool wanted = std::any_of(places.begin(), places.end(), [&](const Source& place) {
      return place.passage == source.passage && source.range.overlaps(place.range);
    });
    if (!wanted) continue;
    if (!tokens.empty() && tokens.back().end == token)
      ++tokens.back().end;
    else
      tokens.push_back({token, token + 1});
  }
  return tokens;
}

}  // namespace

std::vector<ByteSpan> news_in(std::span<const TextWord> sentence, const Question& question) {
  std::vector<ByteSpan> news;
  bool in_run = false;
  for (const TextWord& word : sentence) {
    if (!word.punctuation && is_function_word(word.folded, question.language())) continue;
    const bool said = word.punctuation || question.holds(word.folded);
    if (!said && in_run) news.back().end = word.bytes.end;
    if (!said && !in_run) news.push_back(word.bytes);
    in_run = !said;
  }
  return news;
}

std::vector<TokenRange> tokens_of(const engine::Prompt& prompt, const std::vector<SentencePlace>& sentences) {
  std::vector<Source> places;
  for (const SentencePlace& sentence : sentences) places.push_back({sentence.passage, sentence.range});
  return tokens_in(prompt, places);
}

std::vector<TokenRange> tokens_of_news(const engine::Prompt& prompt, const std::vector<SentencePlace>& sentences,
                                       const Question& question, const std::vector<ReadPassage>& passages) {
  std::vector<Source> places;
  for (const SentencePlace& place : sentences) {
    const ReadPassage& passage = passages[place.passage];
    const ReadSentence* const sentence = passage.sentence_at(place.range.begin);
    if (!sentence) continue;
    const auto words = std::span(passage.words()).subspan(sentence->first_word, sentence->words);
    for (const ByteSpan& news : news_in(words, question)) places.push_back({place.passage, news});
  }
  return tokens_in(prompt, places);
}

}  // namespace openbook::guard
