// What to observe of chosen heads while the model runs.
//
// z is taken from the fused attention; the attention row is computed a second time after the step, for the heads asked for and
// for them alone, from the cached keys. Buffers are preallocated with a fixed shape and overwritten by every step; after a step
// that threw they are undefined. A copy shares them.
//
// Not thread-safe: one session owns it.
//
//   HeadTaps taps(*model, {{18, 6}, {23, 7}}, /*keys=*/{12, 312});
//   decoder.step({{.tokens = ids, .cache = &cache, .taps = &taps}});
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
  // Observes `heads` (kept in this order) and their attention over prompt positions `keys` (the passages; may be empty). Throws
  // invalid_argument for a head that the model doesn't have or one named twice, and for keys outside [0, max_positions).
  HeadTaps(const Model& model, std::vector<HeadId> heads, TokenRange keys);

  const std::vector<HeadId>& heads() const { return heads_; }
  TokenRange keys() const { return keys_; }

  // Of the last position of the last step; float32 on the model's device. Zero before the first step.
  const at::Tensor& z() const { return z_; }              // [head, d_head], head output before W_O, edits included
  const at::Tensor& pattern() const { return pattern_; }  // [head, keys], attention after the softmax; 0 for keys not yet there
  const at::Tensor& resid_final() const { return resid_final_; }  // [d_model], residual stream before the final norm

  // For the decoder, which fills them. What a step leaves behind of the layers that hold a tapped head: queries after rope and z,
  // of all heads of the layer at the last position, [layers, heads * d_head] in the model's dtype; other layers' rows are
  // undefined.
  bool taps_layer(int64_t layer) const { return tapped_layers_.at(layer); }
  const at::Tensor& layer_queries() const { return layer_queries_; }
  const at::Tensor& layer_z() const { return layer_z_; }
  // [head, d_head] in the model's dtype: a place to gather the tapped ones.
  const at::Tensor& queries() const { return queries_; }
  // int64 [head] on the model's device: layer * heads + head, and layer * kv_heads + the key/value head that it reads.
  const at::Tensor& query_rows() const { return query_rows_; }
  const at::Tensor& key_rows() const { return key_rows_; }

 private:
  std::vector<HeadId> heads_;
  TokenRange keys_;
  std::vector<bool> tapped_layers_;
  at::Tensor query_rows_, key_rows_, layer_queries_, layer_z_, queries_;
  at::Tensor z_, pattern_, resid_final_;
};

}  // namespace openbook::engine
