#include "judge/causal.h"

#include <numeric>

#include "judge/quote.h"
#include "openbook/base/words.h"

namespace openbook::guard {
namespace {

std::vector<engine::TokenId> joined(const std::vector<engine::TokenId>& prompt, std::span<const engine::TokenId> before,
                                    std::span<const TokenObservation> spoken) {
  std::vector<engine::TokenId> tokens = prompt;
  tokens.insert(tokens.end(), before.begin(), before.end());
  for (const TokenObservation& token : spoken) tokens.push_back(token.id);
  return tokens;
}

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

}  // namespace

std::vector<engine::TokenId> without_quote(const engine::Prompt& prompt, std::string_view quote) {
  std::vector<Source> removed;
  for (const Occurrence& occurrence : find_quotes(quote, prompt, {}))
    removed.push_back({occurrence.source.passage, sentence_around(prompt.passages[occurrence.source.passage], occurrence.source.range)});
  std::vector<engine::TokenId> kept;
  for (size_t i = 0; i < prompt.tokens.size(); ++i) {
    const engine::TokenSource& token = prompt.sources[i];
    const bool gone = std::any_of(removed.begin(), removed.end(), [&](const Source& sentence) {
      return token.passage == sentence.passage && token.range.overlaps(sentence.range);
    });
    if (!gone) kept.push_back(prompt.tokens[i]);
  }
  return kept;
}

void measure_causal(Judgement& judgement, const Spoken& spoken, std::span<const engine::TokenId> before, const engine::Prompt& prompt,
                    const engine::Decoder& decoder, double threshold_nats) {
  for (const Claim& claim : judgement.claims) {
    if (!claim.citation) continue;
    Citation& citation = judgement.citations[*claim.citation];
    const Word& first = judgement.words[claim.first_word];
    const Word& last = judgement.words[claim.first_word + claim.words - 1];
    const std::span<const TokenObservation> tokens(spoken.tokens);
    const auto lead = tokens.first(first.first_token);
    std::vector<engine::TokenId> said;
    for (int32_t i = first.first_token; i < last.first_token + last.tokens; ++i) said.push_back(spoken.tokens[i].id);
    const double with = sum(engine::log_probabilities(decoder, joined(prompt.tokens, before, lead), said));
    const double without = sum(engine::log_probabilities(decoder, joined(without_quote(prompt, citation.quote), before, lead), said));
    citation.causal_nats = with - without;
    citation.causal = *citation.causal_nats > threshold_nats;
  }
}

}  // namespace openbook::guard
