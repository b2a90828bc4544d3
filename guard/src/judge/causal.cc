#include "judge/causal.h"

#include <algorithm>
#include <numeric>

#include "judge/quote.h"
#include "openbook/base/language.h"
#include "openbook/base/words.h"

namespace openbook::guard {
namespace {

std::vector<engine::TokenId> joined(std::span<const engine::TokenId> front, std::span<const engine::TokenId> back) {
  std::vector<engine::TokenId> tokens(front.begin(), front.end());
  tokens.insert(tokens.end(), back.begin(), back.end());
  return tokens;
}

std::vector<std::string> telling_words(std::string_view text, Language language) {
  std::vector<std::string> words = folded_words(text);
  std::erase_if(words, [&](const std::string& word) { return is_function_word(word, language); });
  return words;
}

// Whether a document says the sentence word for word, function words aside, in one of its own.
bool stands_in_a_sentence(const Spoken& spoken, const Judgement& judgement) {
  return std::any_of(judgement.citations.begin(), judgement.citations.end(), [&](const Citation& citation) {
    const Language language = language_of(citation.sentence_text);
    const std::vector<std::string> said = telling_words(spoken.text, language),
                                   written = telling_words(citation.sentence_text, language);
    return std::search(written.begin(), written.end(), said.begin(), said.end()) != written.end();
  });
}

}  // namespace

std::vector<engine::TokenId> without_quote(const engine::Prompt& prompt, std::string_view quote) {
  std::vector<Source> removed;
  for (const Occurrence& occurrence : find_quotes(quote, prompt, {}))
    removed.push_back(
        {occurrence.source.passage, sentence_around(prompt.passages[occurrence.source.passage], occurrence.source.range)});
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

void measure_causal(Judgement& judgement, const Spoken& spoken, std::span<const engine::TokenId> before,
                    const engine::Prompt& prompt, const engine::Decoder& decoder, double threshold_nats) {
  if (judgement.citations.empty()) return;
  std::vector<engine::TokenId> said;
  for (const TokenObservation& token : spoken.tokens) said.push_back(token.id);
  // One pass with everything serves all claims; without a quote each claim needs its own.
  const std::vector<double> with = engine::log_probabilities(decoder, joined(prompt.tokens, before), said);
  for (const Claim& claim : judgement.claims) {
    if (!claim.citation) continue;
    Citation& citation = judgement.citations[*claim.citation];
    const Word& last = judgement.words[claim.first_word + claim.words - 1];
    const int32_t begin = judgement.words[claim.first_word].first_token, end = last.first_token + last.tokens;
    const auto context = joined(joined(without_quote(prompt, citation.quote), before), std::span(said).first(begin));
    const auto without = engine::log_probabilities(decoder, context, std::span(said).subspan(begin, end - begin));
    citation.causal_nats =
        std::accumulate(with.begin() + begin, with.begin() + end, 0.0) - std::accumulate(without.begin(), without.end(), 0.0);
    citation.causal = *citation.causal_nats > threshold_nats;
  }
}

void require_causal(const Spoken& spoken, Judgement& judgement) {
  const bool some_causal = std::any_of(judgement.citations.begin(), judgement.citations.end(),
                                       [](const Citation& citation) { return citation.causal; });
  if (some_causal && stands_in_a_sentence(spoken, judgement)) return;
  for (Claim& claim : judgement.claims) {
    if (claim.support != Support::kSupported || judgement.citations[*claim.citation].causal) continue;
    claim.support = Support::kUnsupported;
    claim.verdict = Verdict::kUnchecked;
  }
}

}  // namespace openbook::guard
