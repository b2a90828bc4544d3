// Which heads read and which recite: scores of every head, and the heads chosen by them.
//
// In-context minus parametric: D_h = mean over open-book cases of R_h - mean over closed-book cases of R_h, each case's relevance normalised to sum 1 (the paper leaves the
// normalisation open; without it the mean is that of a few cases with large logits). Task and retrieval: mean relevance of attention weights on the question's tokens and on the answer's tokens in the
// passages (Kahardipraja et al. 2025, sections 4 and 5).
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "openbook/engine/head_id.h"

namespace openbook::attribution {

struct HeadScores {
  at::Tensor open_book, closed_book;   // [layers, heads] float64, mean normalised relevance
  at::Tensor task, retrieval;          // [layers, heads] float64, mean relevance on question / answer tokens
  int64_t open_cases = 0, closed_cases = 0;

  at::Tensor difference() const { return open_book - closed_book; }
};

// The `count` heads of the largest (or smallest) score, best first; ties by layer, then head.
std::vector<engine::HeadId> largest(const at::Tensor& score, int64_t count);
std::vector<engine::HeadId> smallest(const at::Tensor& score, int64_t count);

}  // namespace openbook::attribution
