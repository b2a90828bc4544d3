#include "head_finding.h"

#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

RelevanceRequest request_for(const ObservedCase& observed, bool key_relevance) {
  RelevanceRequest request;
  request.tokens = observed.prompt.tokens;
  request.tokens.insert(request.tokens.end(), observed.said.begin(), observed.said.begin() + observed.answer.begin);
  request.target = observed.said[observed.answer.begin];
  request.key_relevance = key_relevance;
  return request;
}

at::Tensor normalised(const at::Tensor& relevance) {
  const at::Tensor wide = relevance.to(at::kCPU, at::kDouble);
  return wide / wide.sum().clamp_min(1e-30);
}

// Sum over the keys in `positions`, as shares of all key relevance: [layers, heads].
at::Tensor on_keys(const at::Tensor& keys, const std::vector<int64_t>& positions) {
  const at::Tensor wide = keys.to(at::kCPU, at::kDouble);
  return wide.index_select(2, at::tensor(positions, at::kLong)).sum(2) / wide.sum().clamp_min(1e-30);
}

std::vector<int64_t> positions_in(TokenRange range) {
  std::vector<int64_t> positions;
  for (int64_t i = range.begin; i < range.end; ++i) positions.push_back(i);
  return positions;
}

}  // namespace

HeadScores score_heads(const Relevance& relevance, const engine::ModelConfig& config, const std::vector<const ObservedCase*>& open_book,
                       const std::vector<const ObservedCase*>& closed_book, const std::function<void(int64_t)>& after_each) {
  const at::Tensor zero = at::zeros({config.layers, config.heads}, at::kDouble);
  HeadScores scores{zero.clone(), zero.clone(), zero.clone(), zero.clone(), 0, 0};
  for (const ObservedCase* observed : open_book) {
    if (observed->given != GivenAnswer::kDocument) continue;
    const HeadRelevance of_case = relevance.of({request_for(*observed, true)}).at(0);
    scores.open_book += normalised(of_case.heads);
    scores.task += on_keys(of_case.keys, positions_in(observed->prompt.question_tokens));
    std::vector<int64_t> answer = tokens_of(observed->prompt, observed->made.document_answer);
    for (int64_t& key : answer) key += observed->prompt.all_passages.begin;
    scores.retrieval += on_keys(of_case.keys, answer);
    after_each(++scores.open_cases + scores.closed_cases);
  }
  for (const ObservedCase* observed : closed_book) {
    if (observed->given != GivenAnswer::kMemory) continue;
    scores.closed_book += normalised(relevance.of({request_for(*observed, false)}).at(0).heads);
    after_each(scores.open_cases + ++scores.closed_cases);
  }
  if (scores.open_cases > 0)
    for (at::Tensor* sum : {&scores.open_book, &scores.task, &scores.retrieval}) *sum /= scores.open_cases;
  if (scores.closed_cases > 0) scores.closed_book /= scores.closed_cases;
  return scores;
}

}  // namespace openbook::attribution
