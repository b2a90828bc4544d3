// Whether the model could end its sentence at some place: a cut there leaves a sentence, not a piece of one.
//
// Immutable; thread-safe.
#pragma once

#include <ATen/ATen.h>

#include "openbook/engine/model.h"

namespace openbook::guard {

class SentenceEnd {
 public:
  explicit SentenceEnd(const engine::Model& model);

  // The share of the next token's probability that ends the sentence: a mark such as a full stop, or the end of the answer.
  // `logits` float32 [vocabulary].
  double probability(const at::Tensor& logits) const;

 private:
  at::Tensor enders_;  // int64, ids, on the model's device
};

}  // namespace openbook::guard
