#include "answer/append.h"

#include <utility>

#include "answer/clause_citations.h"

namespace openbook::guard {

std::vector<TokenRecord> token_records(const Spoken& spoken, const Judgement& judgement) {
  std::vector<TokenRecord> records;
  for (size_t i = 0; i < spoken.tokens.size(); ++i) {
    const TokenObservation& seen = spoken.tokens[i];
    records.push_back({seen.id, spoken.token_bytes[i], seen.evidence, seen.probability_continuation, seen.edited});
  }
  for (const Word& word : judgement.words)
    records[word.first_token].probability_copied = spoken.tokens[word.first_token].probability_first;
  return records;
}

Attempt attempt_of(std::string what, const Spoken& spoken, const Judgement& judgement, std::string outcome,
                   std::string_view lacks) {
  return {.what = std::move(what),
          .text = spoken.text,
          .outcome = std::move(outcome),
          .lacks = std::string(lacks),
          .tokens = token_records(spoken, judgement),
          .words = judgement.words,
          .claims = judgement.claims,
          .citations = judgement.citations};
}

void append_to(Answer& answer, const Spoken& spoken, const Judgement& judgement, const std::vector<ReadPassage>& passages,
               Delivery delivery, bool steered, std::string reason) {
  const auto byte = static_cast<int64_t>(answer.text.size());
  const auto token = static_cast<int32_t>(answer.tokens.size());
  const auto word = static_cast<int32_t>(answer.words.size());
  const auto citation = static_cast<int32_t>(answer.citations.size());
  const auto shifted = [&](ByteSpan span) { return ByteSpan{span.begin + byte, span.end + byte}; };

  for (TokenRecord each : token_records(spoken, judgement)) {
    each.answer = shifted(each.answer);
    answer.tokens.push_back(std::move(each));
  }
  for (Word each : judgement.words) {
    each.answer = shifted(each.answer);
    each.first_token += token;
    answer.words.push_back(each);
  }
  CitedClauses cited = cite_clauses(judgement, passages);
  for (Claim each : cited.claims) {
    each.answer = shifted(each.answer);
    each.first_word += word;
    if (each.citation) *each.citation += citation;
    answer.claims.push_back(each);
  }
  for (Citation& each : cited.citations) {
    each.answer = shifted(each.answer);
    answer.citations.push_back(std::move(each));
  }
  answer.sentences.push_back({.answer = shifted({0, static_cast<int64_t>(spoken.text.size())}),
                              .delivery = delivery,
                              .steered = steered,
                              .quoted = judgement.quoted,
                              .reason = std::move(reason)});
  answer.text += spoken.text;
}

}  // namespace openbook::guard
