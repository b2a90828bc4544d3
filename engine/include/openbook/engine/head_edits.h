// What to change of heads while the model runs: a gain per head and an additive attention bias toward chosen positions.
//
// z_h is multiplied by gain[h]; score[h, i, j] gets bias[h] added for chosen keys j before the softmax. Both act at query
// positions
// >= from_position only, so that the cache before it stays valid. Position 0, an attention sink, is never biased. A layer without
// an edit runs the fused path as if there were none: the neutral edit (gain 1, bias 0) costs nothing.
//
// Not thread-safe: one session owns it.
//
//   HeadEdits edits(*model);
//   edits.from_position = prompt.first_after_passages();
//   edits.set_gain({23, 4}, 0.25f);
//   edits.set_bias({18, 6}, 3.0f);
//   edits.set_biased_keys({prompt.passage_tokens[2]});
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "openbook/base/span.h"
#include "openbook/engine/head_id.h"
#include "openbook/engine/model.h"

namespace openbook::engine {

class HeadEdits {
 public:
  explicit HeadEdits(const Model& model);  // neutral
  HeadEdits(HeadEdits&&) = default;
  HeadEdits& operator=(HeadEdits&&) = default;
  HeadEdits(const HeadEdits&) = delete;  // copies would share their buffers
  HeadEdits& operator=(const HeadEdits&) = delete;

  int64_t from_position = 0;

  void set_gain(HeadId head,
                float gain);  // throws invalid_argument for a head that is not there or a gain that is not finite or < 0
  void set_bias(HeadId head,
                float bias);  // in nats, before the softmax; throws for a head that is not there or a bias that is not finite
  void set_biased_keys(
      std::vector<TokenRange> keys);  // the positions that every head's bias goes to; 0 is taken out, empty ranges too
  void clear();                       // neutral again; from_position stays

  float gain(HeadId head) const;
  float bias(HeadId head) const;
  const std::vector<TokenRange>& biased_keys() const { return biased_keys_; }

  bool neutral() const;
  bool edits_gain(int64_t layer) const;
  bool edits_bias(int64_t layer) const;  // some head has a bias and some key is chosen
  bool edits_any_bias() const;

  // For the decoder: [layers, heads] float32 on the model's device.
  const at::Tensor& gains() const { return gains_; }
  const at::Tensor& biases() const { return biases_; }

 private:
  size_t index(HeadId head) const;

  int64_t layers_, heads_;
  at::Tensor gains_, biases_;                     // on the model's device
  std::vector<float> gain_values_, bias_values_;  // the same, readable without waiting for a device
  std::vector<int64_t> gain_edits_, bias_edits_;  // heads of a layer that are not neutral, [layer]
  std::vector<TokenRange> biased_keys_;
};

}  // namespace openbook::engine
