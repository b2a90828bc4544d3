// Scores every head by AttnLRP on observed cases: open-book ones, which gave the document's answer, and closed-book ones, which gave memory's.
#pragma once

#include <functional>
#include <vector>

#include "case_runner.h"
#include "openbook/attribution/head_roles.h"
#include "openbook/attribution/relevance.h"

namespace openbook::attribution {

// `after_each` is called with the number of cases done.
HeadScores score_heads(const Relevance& relevance, const engine::ModelConfig& config, const std::vector<const ObservedCase*>& open_book,
                       const std::vector<const ObservedCase*>& closed_book, const std::function<void(int64_t)>& after_each);

}  // namespace openbook::attribution
