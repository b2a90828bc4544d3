#include "answer/news.h"

#include <algorithm>

#include "openbook/base/language.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"

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

std::vector<ByteSpan> news_in(std::string_view sentence, std::string_view question) {
  const Language language = language_of(question);
  const std::vector<std::string> asked = folded_words(question);
  std::vector<ByteSpan> news;
  bool in_run = false;
  for (const WordSpan& word : split_words(sentence)) {
    const std::string folded = fold_case(slice(sentence, word.bytes));
    if (!word.punctuation && is_function_word(folded, language)) continue;
    const bool said = word.punctuation || std::find(asked.begin(), asked.end(), folded) != asked.end();
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
                                       std::string_view question) {
  std::vector<Source> places;
  for (const SentencePlace& sentence : sentences)
    for (const ByteSpan& news : news_in(text_at(prompt.passages[sentence.passage], sentence.range), question))
      places.push_back({sentence.passage, {sentence.range.begin + news.begin, sentence.range.begin + news.end}});
  return tokens_in(prompt, places);
}

}  // namespace openbook::guard
