// Where methods other than the localizer hold an answer's first token to have been read: baselines of the place.
#pragma once

#include <optional>

#include "case_runner.h"

namespace openbook::attribution {

// Places are indices into the passages' tokens; markup between passages is never one.
struct OtherPlaces {
  std::optional<int64_t> unspelt;      // the localizer's heads and weights, whatever a token's spelling
  std::optional<int64_t> first_alike;  // string match: the first token spelt like the answer's
  std::optional<int64_t> mean;         // the most attended by the probe's heads on average
  std::optional<int64_t> probe;        // the paper's rule with the atlas's probe: argmax_j sum_h w_h f_h A_h[j]
  // For the paper's rule with the paper's own weights, which are fitted later: [probe head, token] its lens times attention.
  at::Tensor lens_attention;
  std::vector<bool> readable;  // [token]
};

// `lens` [probe head] is the paper's logit lens of the answer's first token. Needs an observed answer with passages.
OtherPlaces other_places(const HeadAtlas& atlas, const ObservedCase& observed, const std::vector<float>& lens);

// The best of the readable tokens, scores of either sign; the first of equals.
std::optional<int64_t> best_readable(const at::Tensor& scores, const std::vector<bool>& readable);

}  // namespace openbook::attribution
