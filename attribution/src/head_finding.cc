#include "head_finding.h"

#include <algorithm>

namespace openbook::attribution {
namespace {

constexpr size_t kAtOnce = 8;  // cases whose key relevance is held together

RelevanceRequest request_for(const ObservedCase& observed, bool key_relevance) {
  RelevanceRequest request;
  request.tokens = observed.prompt.tokens;
  request.tokens.insert(request.tokens.end(), observed.said.begin(), observed.said.begin() + observed.answer.begin);
  request.target = observed.said[observed.answer.begin];
  request.key_relevance = key_relevance;
  return request;
}

// Every token, in the prompt, of the document's answer in the passages.
std::vector<TokenRange> answer_tokens(const ObservedCase& observed) {
  std::vector<TokenRange> spans;
  for (const int64_t key : tokens_of(observed.prompt, observed.made.document_answer)) {
    const int64_t token = observed.prompt.all_passages.begin + key;
    spans.push_back({token, token + 1});
  }
  return spans;
}

template <typename Use>
void for_each_relevance(const Relevance& relevance, const std::vector<const ObservedCase*>& cases, bool key_relevance, Use use) {
  for (size_t begin = 0; begin < cases.size(); begin += kAtOnce) {
    const size_t end = std::min(begin + kAtOnce, cases.size());
    std::vector<RelevanceRequest> requests;
    for (size_t i = begin; i < end; ++i) requests.push_back(request_for(*cases[i], key_relevance));
    const std::vector<HeadRelevance> found = relevance.of(requests);
    for (size_t i = begin; i < end; ++i) use(*cases[i], found[i - begin]);
  }
}

}  // namespace

HeadScores score_heads(const Relevance& relevance, const engine::ModelConfig& config, const std::vector<const ObservedCase*>& open_book,
                       const std::vector<const ObservedCase*>& closed_book, const std::function<void(int64_t)>& after_each) {
  HeadScoreMeans means(config.layers, config.heads);
  int64_t done = 0;
  for_each_relevance(relevance, open_book, true, [&](const ObservedCase& observed, const HeadRelevance& found) {
    means.add_open_book(found.heads);
    means.add_keys(found.keys, {observed.prompt.question_tokens}, answer_tokens(observed));
    after_each(++done);
  });
  for_each_relevance(relevance, closed_book, false, [&](const ObservedCase&, const HeadRelevance& found) {
    means.add_closed_book(found.heads);
    after_each(++done);
  });
  return means.scores();
}

}  // namespace openbook::attribution
