// Other ways to find retrieval heads than AttnLRP: do they name the same heads, and are probe and localizer as good under theirs?
//
// Heads are scored on fit relations, probe and localizer fitted there, the finder that comes closest without LRP is chosen on
// calibrate relations, and figures are of test relations.
#pragma once

#include "report/experiment.h"

namespace openbook::attribution {

Json run_finders(const Laboratory& lab);

// What every head's removal takes from log p of the next token, mean over the cases: [layers, heads] float64.
struct NextToken;
at::Tensor ablation_effect(const Laboratory& lab, const std::vector<NextToken>& cases, const std::string& stage);

}  // namespace openbook::attribution
