// Two scores of how a head fetches a needle from a haystack while the model says it, and the attention that both rest on.
//
// Copy score (Wu et al. 2024): a step counts 1 / |needle| for a head whose attention is largest on a needle token that equals the
// token said. Write score (LOCOS): at a step that says a needle token, phi_j = A_j * u . (W_O^h v_j), u the raw unembedding row
// of the token said; sum over the needle less (|needle| / |rest|) times the sum over all other keys; mean over those steps.
// Attention: the same with A_j in phi_j's place. Scores are means over trials.
//
// Thread-safe. Errors: those of BatchSession; cancelled.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "openbook/base/cancellation.h"
#include "openbook/engine/decoder.h"

namespace openbook::attribution {

struct NeedleTrial {
  std::vector<engine::TokenId> prompt;
  std::vector<int64_t> needle;  // prompt tokens where the answer stands, every occurrence
  int64_t needle_size = 1;      // tokens of one occurrence
};

struct NeedleScores {
  at::Tensor copy, write, attention;  // [layers, heads] float64; 0 without trials
  int64_t trials = 0;                 // that were kept
};

struct NeedleOptions {
  int64_t max_tokens = 16;
  std::function<bool(size_t trial, const std::string& said)> keep;  // whether the needle was fetched at all
  std::function<void(int64_t done)> progress;
  const Cancellation* cancellation = nullptr;
};

NeedleScores needle_scores(const engine::Decoder& decoder, const std::vector<NeedleTrial>& trials, const NeedleOptions& options);

}  // namespace openbook::attribution
