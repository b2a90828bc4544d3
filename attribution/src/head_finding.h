// Scores every head by AttnLRP on observed cases: open-book where the document's answer was given, closed-book where memory's was.
#pragma once

#include <functional>
#include <vector>

#include "case_runner.h"
#include "openbook/attribution/head_roles.h"
#include "openbook/attribution/relevance.h"

namespace openbook::attribution {

// Cases whose answer is not the wanted one are passed over. `after_each` is called with the number of cases done.
HeadScores score_heads(const Relevance& relevance, const engine::ModelConfig& config, const std::vector<const ObservedCase*>& open_book,
                       const std::vector<const ObservedCase*>& closed_book, const std::function<void(int64_t)>& after_each);

}  // namespace openbook::attribution
