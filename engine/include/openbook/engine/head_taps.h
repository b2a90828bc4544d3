// What to observe of chosen heads while the model runs.
//
// For the heads asked for, and for them alone, z and the attention row are computed a second time beside the fused attention;
// the other heads never leave the fused path. Buffers are preallocated with a fixed shape and overwritten by every step.
//
// Not thread-safe: one session owns it.
//
//   HeadTaps taps(*model, {{18, 6}, {23, 7}}, /*first_key=*/12, /*keys=*/300);
//   decoder.step({{.tokens = ..., .cache = &cache, .taps = &taps}});
//   taps.z();        // [head, d_head] of the step's last position
//   taps.pattern();  // [head, key], keys 12 .. 311
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "openbook/base/span.h"
#include "openbook/engine/head_id.h"
#include "openbook/engine/model.h"

namespace openbook::engine {

class HeadTaps {
 public:
  // Observes `heads` (kept in this order) and their attention over prompt positions `keys` (the passages). Throws
  // invalid_argument for a head that the model doesn't have or one named twice.
  HeadTaps(const Model& model, std::vector<HeadId> heads, TokenRange keys);

  const std::vector<HeadId>& heads() const { return heads_; }
  TokenRange keys() const { return keys_; }

  // Of the last position of the last step; float32 on the model's device.
  const at::Tensor& z() const { return z_; }                          // [head, d_head], head output before W_O, edits included
  const at::Tensor& pattern() const { return pattern_; }              // [head, keys], attention after the softmax; 0 for keys not yet there
  const at::Tensor& resid_final() const { return resid_final_; }      // [d_model], residual stream before the final norm

  // For the decoder: indices into heads() of those in `layer`, and the buffers to fill.
  struct LayerSlots { std::vector<int64_t> slots; std::vector<int64_t> heads; };
  const LayerSlots& layer(int64_t index) const { return by_layer_.at(index); }
  at::Tensor& mutable_z() { return z_; }
  at::Tensor& mutable_pattern() { return pattern_; }
  at::Tensor& mutable_resid_final() { return resid_final_; }

 private:
  std::vector<HeadId> heads_;
  TokenRange keys_;
  std::vector<LayerSlots> by_layer_;
  at::Tensor z_, pattern_, resid_final_;
};

}  // namespace openbook::engine
