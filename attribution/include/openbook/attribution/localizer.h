// Finds where in the passages a copied token was read.
//
// Place of token t: argmax_j sum_h w_h * A_h[j] over passage tokens j only (Kahardipraja et al. 2025, section 7, with fitted
// weights >= 0 instead of the paper's probe weights). Markup between the passages is never a candidate.
//
// Thread-safe: plain data. Errors: invalid_argument where sizes disagree.
//
//   std::vector<float> attention = localizer.attention(taps.pattern(), passage_tokens);
//   if (auto place = localizer.locate(attention)) cite(taps.keys().begin + place->token);
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "openbook/engine/head_id.h"

namespace openbook::attribution {

struct Place {
  int64_t token = 0;  // index into the tapped keys
  float share = 0;    // of the weighted attention over candidate keys that falls on this token, 0..1
  float mass = 0;  // weighted attention over all candidate keys together, 0..1: how much the heads looked at the passages at all
};

struct Localizer {
  std::vector<engine::HeadId> heads;  // in this order
  std::vector<float> weights;         // >= 0, sum 1
  float nowhere_below = 0;            // no place when the best token's weighted attention is below this

  // Weighted attention over the keys, [keys] float32 on the CPU; 0 where `candidate` is false. `pattern` is [head, keys] as
  // HeadTaps gives it.
  std::vector<float> attention(const at::Tensor& pattern, const std::vector<bool>& candidate) const;

  // The first of the best keys. No place: `attention` is 0 everywhere or nowhere_below says so.
  std::optional<Place> locate(const std::vector<float>& attention) const;
};

struct LocalizerExample {
  at::Tensor pattern;           // [head, keys] float32, attention of the position that chose the token
  std::vector<bool> candidate;  // [keys]
  std::vector<int64_t> right;   // candidate keys where the answer stands; empty: in none of the passages
};

// Weights >= 0 that maximise the mean log probability of the right keys in the choice among all candidates,
//   p(j) = exp(w . A[j]) / sum_k exp(w . A[k])      (conditional logit, McFadden 1974; several right keys add up)
// so that what is fitted is the best key and not how much attention falls on it: a share is raised by heads that look at little
// else but seldom, and such weights do not carry over to other documents. Deterministic. Examples without a right key set
// nowhere_below: the quantile `nowhere_quantile` of their best key's weighted attention, so that this part of them is found to be
// nowhere; 0 when there are none. Throws invalid_argument when no example has a right key.
Localizer fit_localizer(std::vector<engine::HeadId> heads, const std::vector<LocalizerExample>& examples,
                        double nowhere_quantile = 0.95);

}  // namespace openbook::attribution
