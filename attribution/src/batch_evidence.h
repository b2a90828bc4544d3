// The evidence of EvidenceReader (openbook/attribution/evidence.h), of every head of the model for every row of a batch.
//
// Thread-safe: immutable.
#pragma once

#include "openbook/engine/batch_session.h"

namespace openbook::attribution {

class BatchEvidence {
 public:
  explicit BatchEvidence(std::shared_ptr<const engine::Model> model);

  // What each head said of its row's token at the observed position: float32 [rows, layers * heads] on the CPU, in logits.
  at::Tensor read(const engine::BatchObservation& observed, const std::vector<engine::TokenId>& tokens) const;

  // The same by the paper's logit lens, W_U[t] . LN(W_O^h z_h): the final norm divides by the length of what the head wrote, as
  // if it had spoken alone (Kahardipraja et al. 2025, section 7). How much it said does not show.
  at::Tensor lens(const engine::BatchObservation& observed, const std::vector<engine::TokenId>& tokens) const;

 private:
  std::shared_ptr<const engine::Model> model_;
  at::Tensor output_;  // float32 [layers, d_model, heads * d_head]: W_O of every layer
};

}  // namespace openbook::attribution
