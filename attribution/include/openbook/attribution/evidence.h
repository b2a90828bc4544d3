// How much each head added to a token's logit: the evidence that the probe reads.
//
// f_h(t) = (W_O^h z_h) . (g * W_U[t]) / rms, with g the final norm's gain and rms the root mean square of the position's final
// residual stream. It is the share of the token's logit that head h wrote (direct logit attribution, Elhage et al. 2021).
//
// Thread-safe: immutable. The taps that it reads must observe the same heads in the same order.
//
//   EvidenceReader reader(model, atlas.probe.heads);
//   std::vector<float> f = reader.read(*session.taps(), token);
#pragma once

#include <memory>
#include <vector>

#include "openbook/engine/head_taps.h"
#include "openbook/engine/model.h"

namespace openbook::attribution {

class EvidenceReader {
 public:
  // Throws invalid_argument when `heads` is empty or names a head that the model does not have.
  EvidenceReader(std::shared_ptr<const engine::Model> model, std::vector<engine::HeadId> heads);

  const std::vector<engine::HeadId>& heads() const { return heads_; }

  // [head] float32, in logits. Throws invalid_argument when the taps observe other heads or the token is outside the vocabulary.
  std::vector<float> read(const engine::HeadTaps& taps, engine::TokenId token) const;

 private:
  std::shared_ptr<const engine::Model> model_;
  std::vector<engine::HeadId> heads_;
  at::Tensor output_;  // [head * d_head, d_model] in the model's dtype: the columns of W_O that each head owns, as rows
};

}  // namespace openbook::attribution
