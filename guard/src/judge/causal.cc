#include "judge/causal.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace openbook::guard {
namespace {

using TokenIds = std::vector<engine::TokenId>;

TokenIds joined(std::span<const engine::TokenId> front, std::span<const engine::TokenId> back) {
  TokenIds tokens(front.begin(), front.end());
  tokens.insert(tokens.end(), back.begin(), back.end());
  return tokens;
}

std::vector<std::string> telling_words(std::span<const TextWord> words, Language language) {
  std::vector<std::string> telling;
  for (const TextWord& word : words)
    if (!word.punctuation && !is_function_word(word.folded, language)) telling.push_back(word.folded);
  return telling;
}

// Whether a document says the sentence word for word, function words aside, in one of its own.
bool stands_in_a_sentence(const Judgement& judgement) {
  return std::any_of(judgement.citations.begin(), judgement.citations.end(), [&](const Citation& citation) {
    const Language language = language_of(citation.sentence_text);
    const std::vector<std::string> said = telling_words(judgement.said, language),
                                   written = telling_words(read_words(citation.sentence_text, language), language);
    return std::search(written.begin(), written.end(), said.begin(), said.end()) != written.end();
  });
}

// The claim's tokens in the sentence.
TokenRange tokens_of(const Claim& claim, const Judgement& judgement) {
  const Word& last = judgement.words[claim.first_word + claim.words - 1];
  return {judgement.words[claim.first_word].first_token, last.first_token + last.tokens};
}

double sum_over(TokenRange range, const std::vector<double>& each) {
  return std::accumulate(each.begin() + range.begin, each.begin() + range.end, 0.0);
}

}  // namespace

std::vector<Source> sentences_that_hold(std::span<const TextWord> words, const std::vector<ReadPassage>& passages) {
  std::vector<Source> sentences;
  for (size_t p = 0; p < passages.size(); ++p)
    for (const ByteSpan& place : passages[p].find(words)) {
      const Source sentence{static_cast<int32_t>(p), passages[p].sentence_around(place)};
      if (sentences.empty() || sentences.back() != sentence) sentences.push_back(sentence);
    }
  return sentences;
}

TokenIds without(const engine::Prompt& prompt, const std::vector<Source>& sentences) {
  TokenIds kept;
  for (size_t i = 0; i < prompt.tokens.size(); ++i) {
    const engine::TokenSource& token = prompt.sources[i];
    const bool gone = std::any_of(sentences.begin(), sentences.end(), [&](const Source& sentence) {
      return token.passage == sentence.passage && token.range.overlaps(sentence.range);
    });
    if (!gone) kept.push_back(prompt.tokens[i]);
  }
  return kept;
}

void measure_causal(Judgement& judgement, const Spoken& spoken, std::span<const engine::TokenId> before,
                    const CausalCheck& check) {
  // By the tokens that are left, so that claims which rest on the same sentences share a pass.
  std::map<TokenIds, std::vector<Claim*>> claims_without;
  for (Claim& claim : judgement.claims) {
    if (!claim.citation) continue;
    const auto words = std::span(judgement.said).subspan(claim.first_word, claim.words);
    claims_without[without(*check.prompt, sentences_that_hold(words, *check.passages))].push_back(&claim);
  }
  if (claims_without.empty()) return;
  TokenIds said;
  for (const TokenObservation& token : spoken.tokens) said.push_back(token.id);
  const auto log_p = [&](const TokenIds& prompt) {
    return engine::log_probabilities(*check.session, joined(prompt, before), said, check.cancellation);
  };
  const std::vector<double> with = log_p(check.prompt->tokens);
  for (const auto& [prompt, claims] : claims_without) {
    const std::vector<double> without = log_p(prompt);
    for (Claim* const claim : claims) {
      const TokenRange tokens = tokens_of(*claim, judgement);
      claim->causal_nats = sum_over(tokens, with) - sum_over(tokens, without);
      claim->causal = *claim->causal_nats > check.threshold_nats;
    }
  }
}

void require_causal(Judgement& judgement) {
  const bool some_causal =
      std::any_of(judgement.claims.begin(), judgement.claims.end(), [](const Claim& claim) { return claim.causal; });
  if (some_causal && stands_in_a_sentence(judgement)) return;
  for (Claim& claim : judgement.claims) {
    if (claim.support != Support::kSupported || claim.causal) continue;
    claim.support = Support::kUnsupported;
    claim.verdict = Verdict::kUnchecked;
  }
}

}  // namespace openbook::guard
