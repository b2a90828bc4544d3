// The paper's own test of source tracking (Kahardipraja et al. 2025, section 7): of two candidate tokens under the same
// activations, which is contextual, the document's answer or memory's? Features, heads and fit are the paper's: its logit lens on
// retrieval heads, and linear regression. It is fitted on own relations' fit split and tested on their test split and on
// conflict.
//
// Deterministic. Not thread-safe, as a Laboratory is not.
#pragma once

#include "report/tracked_answers.h"

namespace openbook::attribution {

// Weights of the probe's heads by that fit. Nothing where too few prompts have both candidate tokens.
std::optional<std::vector<float>> paper_weights(const Laboratory& laboratory, const TrackedSets& sets);

// Adds figures to `part`, or to its "left_out" why there are none.
void follow_the_paper(const Laboratory& laboratory, const TrackedSets& sets, Json& part);

}  // namespace openbook::attribution
