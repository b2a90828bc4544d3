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

// Weights that maximise sum_n log(share_n), share_n being the part of the weighted attention over the candidates that falls on
// the right keys of example n. The share does not depend on the weights' scale, and the update
//   w_h <- w_h * sum_n (r_nh / w.r_n) / sum_n (c_nh / w.c_n)      (r: attention on right keys, c: on candidates)
// maximises a lower bound that touches the objective at w (minorise-maximise; Hunter and Lange 2004), so every step is up.
// Deterministic: starts at equal weights. Examples without a right key set nowhere_below: the quantile `nowhere_quantile` of
// their best key's weighted attention, so that this part of them is found to be nowhere; 0 when there are none. Throws
// invalid_argument when no example has a right key.
Localizer fit_localizer(std::vector<engine::HeadId> heads, const std::vector<LocalizerExample>& examples,
                        double nowhere_quantile = 0.95);

}  // namespace openbook::attribution
