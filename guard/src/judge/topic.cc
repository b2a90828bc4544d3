#include "judge/topic.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "openbook/base/sentences.h"
#include "openbook/base/utf8.h"
#include "openbook/base/words.h"
#include "text/neutral_words.h"

namespace openbook::guard {
namespace {

constexpr double kRareShare = 0.8;       // a term is among the rarest when it is at least this rare beside the rarest
constexpr double kInPassageShare = 0.5;  // of `close`: enough in a passage that holds every rarest term

double surprisal(std::string_view word, const engine::Tokenizer& tokenizer) {
  double sum = 0;
  for (const engine::Token& token : tokenizer.encode(" " + std::string(word))) sum += std::log(1.0 + token.id);
  return sum;
}

bool looks_like_name(std::string_view word) {
  const char32_t value = code_point_at(word, 0).value;
  return to_lower(value) != value;
}

bool is_number(std::string_view word) { return word[0] >= '0' && word[0] <= '9'; }

// Equal, or the same word with another ending: a long common beginning.
bool same_term(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const size_t shorter = std::min(a.size(), b.size());
  const size_t common = std::mismatch(a.begin(), a.begin() + shorter, b.begin()).first - a.begin();
  return common >= 5 && common + 3 >= std::max(a.size(), b.size());
}

bool holds(const std::vector<std::string>& words, const std::string& term) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return same_term(word, term); });
}

// Names and numbers say what a question is about; its other words are used where it has none. Among names the rarest count, every
// number does.
std::vector<std::string> find_rarest_terms(std::string_view question, const engine::Tokenizer& tokenizer) {
  struct Term {
    std::string word;
    double rarity;
    bool number;
  };
  const Language language = language_of(question);
  std::vector<Term> names, others;
  for (const WordSpan& span : split_words(question)) {
    if (span.punctuation) continue;
    const std::string_view written = slice(question, span.bytes);
    const std::string word = fold_case(written);
    if (is_function_word(word, language) || is_question_word(word, language)) continue;
    const bool number = is_number(word);
    // Every sentence begins with a capital: its first word is a name only where others say so.
    const bool name = number || (looks_like_name(written) && span.bytes.begin > 0);
    (name ? names : others).push_back({word, surprisal(written, tokenizer), number});
  }
  const std::vector<Term>& terms = names.empty() ? others : names;
  double most = 0;
  for (const Term& term : terms) most = std::max(most, term.rarity);
  std::vector<std::string> rarest;
  for (const Term& term : terms)
    if (term.number || term.rarity >= kRareShare * most) rarest.push_back(term.word);
  return rarest;
}

}  // namespace

Topic::Topic(std::string_view question, const std::vector<Passage>& passages, const engine::Tokenizer& tokenizer,
             const Embedder& embedder, double close)
    : passages_(&passages),
      embedder_(&embedder),
      close_(close),
      question_(question),
      rarest_(find_rarest_terms(question, tokenizer)) {
  for (const Passage& passage : passages) {
    const std::vector<std::string> words = folded_words(passage.text);
    holds_all_.push_back(!rarest_.empty() && std::all_of(rarest_.begin(), rarest_.end(),
                                                         [&](const std::string& term) { return holds(words, term); }));
  }
}

std::vector<double> Topic::similarities(const std::vector<std::string>& sentences) const {
  std::vector<std::string> unknown;
  for (const std::string& sentence : sentences)
    if (!similarities_.contains(sentence)) unknown.push_back(sentence);
  if (!unknown.empty()) {
    if (question_vector_.empty()) question_vector_ = embedder_->embed({question_});
    const std::vector<float> vectors = embedder_->embed(unknown);
    const size_t dimension = question_vector_.size();
    for (size_t i = 0; i < unknown.size(); ++i)
      similarities_[unknown[i]] =
          std::inner_product(question_vector_.begin(), question_vector_.end(), vectors.begin() + i * dimension, 0.0);
  }
  std::vector<double> known;
  for (const std::string& sentence : sentences) known.push_back(similarities_.at(sentence));
  return known;
}

bool Topic::sentence_on_topic(int32_t passage, ByteSpan sentence_in_document) const {
  const Passage& whole = passages_->at(passage);
  const std::string_view sentence =
      slice(whole.text, {sentence_in_document.begin - whole.range.begin, sentence_in_document.end - whole.range.begin});
  if (holds_all_.at(passage)) {
    const std::vector<std::string> words = folded_words(sentence);
    if (std::any_of(rarest_.begin(), rarest_.end(), [&](const std::string& term) { return holds(words, term); })) return true;
    return similarities({std::string(sentence)}).front() >= kInPassageShare * close_;
  }
  return similarities({std::string(sentence)}).front() >= close_;
}

bool Topic::passage_close(int32_t passage) const {
  const std::string_view text = passages_->at(passage).text;
  std::vector<std::string> sentences;
  for (const ByteSpan& sentence : split_sentences(text)) sentences.emplace_back(slice(text, sentence));
  const std::vector<double> close = similarities(sentences);
  return std::any_of(close.begin(), close.end(), [&](double cosine) { return cosine >= close_; });
}

std::vector<int32_t> Topic::passages_on_topic() const {
  std::vector<int32_t> on_topic;
  for (int32_t i = 0; i < static_cast<int32_t>(passages_->size()); ++i)
    if (passage_on_topic(i)) on_topic.push_back(i);
  return on_topic;
}

ByteSpan sentence_around(const Passage& passage, ByteSpan source) {
  const int64_t base = passage.range.begin;
  for (const ByteSpan& sentence : split_sentences(passage.text))
    if (sentence.contains(source.begin - base)) return {base + sentence.begin, base + std::max(sentence.end, source.end - base)};
  return source;
}

}  // namespace openbook::guard
