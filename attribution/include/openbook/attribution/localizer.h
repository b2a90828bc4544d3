// Finds where in the passages a copied token was read, and how much attention the heads pay to tokens that are spelt like it.
//
// Place of token t: argmax_j s_t(j) * sum_h w_h * A_h[j] over passage tokens j only, s_t(j) = kAlike where j is spelt like t and
// 1 elsewhere. The weights w_h are fitted and >= 0 (Kahardipraja et al. 2025, section 7, use the probe's signed weights times
// evidence instead); s_t uses that the text at the place where a token was read is the token itself. Markup between the passages
// is never a candidate.
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

// How much more a passage token counts when it is spelt like the token that was said. Of 4, 8 and 16 this is the smallest that
// best told answers whose source had been removed from answers whose source was there, on the fit relations. Places hardly depend
// on it.
constexpr float kAlike = 8;

struct Look {
  std::vector<float> attention;  // [keys] s_t(j) * sum_h w_h * A_h[j]; 0 for keys that are no candidates
  float echo = 0;                // Localizer::echo of each head's attention to candidates that are spelt like the token
};

struct Localizer {
  std::vector<engine::HeadId> heads;  // in this order
  std::vector<float> weights;         // >= 0, sum 1
  float nowhere_below = 0;            // there is no place when the best key's attention in a Look is below this

  // `pattern` is [head, keys] as HeadTaps gives it, of the position that chose the token; `candidate` and `alike` [keys].
  Look look(const at::Tensor& pattern, const std::vector<bool>& candidate, const std::vector<bool>& alike) const;

  // sqrt(sum_h w_h * a_h), a_h being head h's attention to candidates that are spelt like the token. It is the probe's last
  // feature. The root is there because the step from none to a little says more than the step from much to all.
  float echo(const std::vector<float>& attention_to_alike) const;

  // The first of the best keys. No place when `attention` is 0 everywhere or below nowhere_below.
  std::optional<int64_t> locate(const std::vector<float>& attention) const;

  // The same without regard to nowhere_below.
  static std::optional<int64_t> best(const std::vector<float>& attention);
};

struct LocalizerExample {
  at::Tensor pattern;                  // [head, keys] float32, attention of the position that chose the token
  std::vector<bool> candidate, alike;  // [keys]
  std::vector<int64_t> right;          // the candidate keys where the answer is; at least one
};

// Weights >= 0 that maximise the mean log probability of the right keys in the choice among all candidates,
//   p(j) = exp(w . A[j]) / sum_k exp(w . A[k])      (conditional logit, McFadden 1974; several right keys add up)
// This fits which key is best, not how much attention falls on it. Fitting the amount would favour heads that seldom look at the
// passages but then at little else, and such weights do not carry over to other documents. Spelling takes no part in it.
// nowhere_below is set so that the share `lost` of the examples has no place. Deterministic. Throws invalid_argument when an
// example has no right key.
Localizer fit_localizer(std::vector<engine::HeadId> heads, const std::vector<LocalizerExample>& examples, double lost = 0.005);

}  // namespace openbook::attribution
