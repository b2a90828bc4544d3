// Finds where in the passages a copied token was read.
//
// Place of token t: argmax_j sum_h w_h * A_h[j] over passage tokens j only (Kahardipraja et al. 2025, section 7, with fitted weights >= 0 instead of
// the paper's probe weights). Markup between the passages is never a candidate.
//
// Thread-safe: plain data.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "openbook/engine/head_id.h"

namespace openbook::attribution {

struct Place {
  int64_t token = 0;      // index into the tapped keys
  float share = 0;        // of the weighted attention over candidate keys that falls on this token, 0..1
  float mass = 0;         // weighted attention over all candidate keys together, 0..1: how much the heads looked at the passages at all
};

struct Localizer {
  std::vector<engine::HeadId> heads;   // in this order
  std::vector<float> weights;          // >= 0, sum 1
  float nowhere_below = 0;             // no place when the best token's weighted attention is below this

  // Weighted attention over the keys, [keys] float32 on the CPU; 0 where `candidate` is false. `pattern` is [head, keys] as HeadTaps gives it.
  std::vector<float> attention(const at::Tensor& pattern, const std::vector<bool>& candidate) const;
  std::optional<Place> locate(const std::vector<float>& attention) const;
};

}  // namespace openbook::attribution
