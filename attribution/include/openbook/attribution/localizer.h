// Finds where in the passages a copied token was read, and how much the heads look at its like.
//
// Place of token t: argmax_j s_t(j) * sum_h w_h * A_h[j] over passage tokens j only, s_t(j) = kAlike where j is spelt like t and
// 1 elsewhere (Kahardipraja et al. 2025, section 7, weigh by the probe's signed weights times evidence; ours are fitted, >= 0,
// and know that a copied token stands where it was read). Markup between the passages is never a candidate.
//
// Thread-safe: plain data. Errors: invalid_argument where sizes disagree.
//
//   Look look = localizer.look(taps.pattern(), prompt.readable(), spelling.like(token));
//   if (auto place = localizer.locate(look.attention)) cite(taps.keys().begin + *place);
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "openbook/engine/head_id.h"

namespace openbook::attribution {

// How much more a token counts as the place of one that it is spelt like. The least of 4, 8 and 16 that told most removed sources
// of the fit relations from those that stand there; places hardly depend on it.
constexpr float kAlike = 8;

struct Look {
  std::vector<float> attention;  // [keys] s_t(j) * sum_h w_h * A_h[j]; 0 where no candidate is
  float echo = 0;                // Localizer::echo of what each head pays to candidates that are alike
};

struct Localizer {
  std::vector<engine::HeadId> heads;  // in this order
  std::vector<float> weights;         // >= 0, sum 1
  float nowhere_below = 0;            // no place when the best key's attention in a Look is below this

  // `pattern` is [head, keys] as HeadTaps gives it, of the position that chose the token; `candidate` and `alike` [keys].
  Look look(const at::Tensor& pattern, const std::vector<bool>& candidate, const std::vector<bool>& alike) const;

  // sqrt(sum_h w_h * a_h), a_h being head h's attention to candidates that are spelt like the token: the last feature of the
  // probe. A root, because between none and a little lies more than between much and all.
  float echo(const std::vector<float>& attention_to_alike) const;

  // The first of the best keys. No place: `attention` is 0 everywhere or nowhere_below says so.
  std::optional<int64_t> locate(const std::vector<float>& attention) const;

  // The same whatever nowhere_below says.
  static std::optional<int64_t> best(const std::vector<float>& attention);
};

struct LocalizerExample {
  at::Tensor pattern;                  // [head, keys] float32, attention of the position that chose the token
  std::vector<bool> candidate, alike;  // [keys]
  std::vector<int64_t> right;          // candidate keys where the answer stands; one at least
};

// Weights >= 0 that maximise the mean log probability of the right keys in the choice among all candidates,
//   p(j) = exp(w . A[j]) / sum_k exp(w . A[k])      (conditional logit, McFadden 1974; several right keys add up)
// so that what is fitted is the best key and not how much attention falls on it: a share is raised by heads that look at little
// else but seldom, and such weights do not carry over to other documents. Spelling takes no part in that. nowhere_below is such
// that the share `lost` of the examples has no place. Deterministic. Throws invalid_argument when an example has no right key.
Localizer fit_localizer(std::vector<engine::HeadId> heads, const std::vector<LocalizerExample>& examples, double lost = 0.005);

}  // namespace openbook::attribution
