// What other methods read of the position that chose an answer's first token: the baselines of source tracking.
//
// Definitions are those of the papers (shared method notes in docs/atlas.md): lookback ratio (Chuang et al. 2024), copy score (Wu
// et al. 2024), write score (LOCOS), and ReDeEP's external context and parametric knowledge scores (Sun et al. 2025). All are
// computed on the device for a batch at a time.
#pragma once

#include <vector>

#include "case_runner.h"

namespace openbook::attribution {

struct AnswerSignals {
  std::vector<float> mass;      // [head] attention on the passages
  std::vector<float> lookback;  // [head] mean attention on passage tokens / (that + mean attention on later ones)
  std::vector<float> copy;      // [head] 1 where the most attended position is in the passages and holds the answer's token
  std::vector<float> write;  // [head] what it writes of the token from the passages, less what it writes of it from elsewhere, by
                             // equal numbers of positions
  std::vector<float>
      external;  // [head] cosine of the mean final state of its 10 % most attended prompt tokens and the position's own (ECS)
  std::vector<float>
      parametric;  // [layer] Jensen-Shannon divergence of the next-token distributions before and after the MLP (PKS)
};

// The formulas. `pattern` is attention [rows, heads, positions]; masks are [rows, positions] of 0 and 1. All give [rows, heads],
// the last [rows].
at::Tensor lookback_ratio(const at::Tensor& pattern, const at::Tensor& passages, const at::Tensor& later);
at::Tensor copy_score(const at::Tensor& pattern, const at::Tensor& holds_token);
// `written` [rows, heads, positions]: what is written of the token from each position, attention included.
at::Tensor write_score(const at::Tensor& written, const at::Tensor& passages, const at::Tensor& elsewhere);
// `states` [rows, positions, d] are the final ones, `own` [rows, d] that of the position itself; the 10 % are of each row's own
// prompt.
at::Tensor external_context(const at::Tensor& pattern, const at::Tensor& in_prompt, const at::Tensor& states,
                            const at::Tensor& own);
at::Tensor jensen_shannon(const at::Tensor& log_p, const at::Tensor& log_q);

// Of every row of the batch; rows without passages or answer have empty vectors but for `parametric`.
std::vector<AnswerSignals> read_signals(const engine::Model& model, const AnswerMoment& moment);

}  // namespace openbook::attribution
