// Which heads read and which recite: scores of every head, and the heads chosen by them.
//
// In-context minus parametric: D_h = mean over open-book cases of R_h - mean over closed-book cases of R_h, each case's relevance
// normalised to sum 1 (the paper leaves the normalisation open; without it the mean is that of a few cases with large logits).
// Task and retrieval: mean relevance of attention weights on the question's tokens and on the answer's tokens in the passages, of
// the same cases, each case's key relevance normalised by its sum over heads and keys (Kahardipraja et al. 2025, sections 4 and
// 5).
//
// Not thread-safe while means are being added to. Errors: invalid_argument where shapes disagree; internal when a relevance is
// not finite or sums to 0.
//
//   HeadScoreMeans means(layers, heads);
//   means.add_open_book(relevance.heads);
//   means.add_keys(relevance.keys, {question_tokens}, answer_tokens);
//   std::vector<HeadId> in_context = largest(means.scores().difference(), 28);
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "openbook/base/span.h"
#include "openbook/engine/head_id.h"

namespace openbook::attribution {

struct HeadScores {
  at::Tensor open_book, closed_book;  // [layers, heads] float64, mean normalised relevance; 0 without cases
  at::Tensor task, retrieval;         // [layers, heads] float64, mean relevance on question / answer tokens; 0 without cases
  int64_t open_cases = 0, closed_cases = 0, key_cases = 0;

  at::Tensor difference() const { return open_book - closed_book; }
};

// Running means over cases, so that the relevance of one case at a time is held.
class HeadScoreMeans {
 public:
  HeadScoreMeans(int64_t layers, int64_t heads);

  // `relevance` is HeadRelevance::heads, [layers, heads].
  void add_open_book(const at::Tensor& relevance);
  void add_closed_book(const at::Tensor& relevance);

  // `keys` is HeadRelevance::keys, [layers, heads, tokens], of an open-book case; the spans are prompt tokens of the question and
  // of every occurrence of the answer in the passages.
  void add_keys(const at::Tensor& keys, const std::vector<TokenRange>& question, const std::vector<TokenRange>& answer);

  HeadScores scores() const;

 private:
  HeadScores sums_;
};

// The `count` heads of the largest (or smallest) score, best first; ties by layer, then head. `score` is [layers, heads].
std::vector<engine::HeadId> largest(const at::Tensor& score, int64_t count);
std::vector<engine::HeadId> smallest(const at::Tensor& score, int64_t count);

}  // namespace openbook::attribution
