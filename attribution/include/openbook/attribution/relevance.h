// How much every head mattered for a token: gradient times input, with AttnLRP's backward rules or the plain ones.
//
// AttnLRP's rules (Achtibat et al. 2024, arXiv 2402.05602, in the gradient-times-input form):
// - a norm's scale counts as constant;
// - SiLU passes y / x;
// - the factors of a product share equally (gate * up: half each; attention: query and key a quarter each, value half);
// - linear maps, embedding, rotary positions, residual adds and softmax keep their plain gradient.
// Head relevance: R_h = sum over positions and dimensions of max(0, z * dz) (Kahardipraja et al. 2025, section 4).
//
// LRP may be patented; see the licences in README.md. BackwardRules::kPlainGradient uses none of it.
//
// Thread-safe. The backward pass goes layer by layer from stored layer inputs, so memory does not grow with heads x positions x
// positions of all layers.
//
//   Relevance relevance(model);
//   HeadRelevance heads = relevance.of({{.tokens = prompt, .target = token}}).at(0);
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "openbook/base/span.h"
#include "openbook/engine/model.h"

namespace openbook::attribution {

enum class BackwardRules {
  kAttnLrp,
  kPlainGradient,  // gradient times activation: what a small change of the activation does to the logit
};

struct RelevanceRequest {
  std::vector<engine::TokenId> tokens;
  engine::TokenId target = 0;  // the token whose logit, at the last position, is explained
  bool key_relevance = false;  // also fill HeadRelevance::keys
};

struct HeadRelevance {
  at::Tensor heads;   // [layers, heads] float32, >= 0
  at::Tensor keys;    // [layers, heads, tokens] float32, >= 0: sum over queries of max(0, A * dA); undefined unless asked for
  at::Tensor tokens;  // [tokens] float32: signed relevance of each input embedding, summed over dimensions
  float logit = 0;    // the target's logit
};

class Relevance {
 public:
  explicit Relevance(std::shared_ptr<const engine::Model> model, BackwardRules rules = BackwardRules::kAttnLrp);

  // Requests of similar length are batched. Throws internal, naming the layer, when a relevance is NaN or infinite.
  std::vector<HeadRelevance> of(const std::vector<RelevanceRequest>& requests) const;

 private:
  std::shared_ptr<const engine::Model> model_;
  BackwardRules rules_;
};

}  // namespace openbook::attribution
