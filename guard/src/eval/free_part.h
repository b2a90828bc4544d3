// The atlas report's part "free": answers that other models wrote, read by this one (docs/free-answers.md). Other parts need a
// model and its atlas; this one needs the guard too, so it stands here and not among theirs.
#pragma once

#include "report/experiment.h"

namespace openbook::guard {

// Needs ragtruth_qa.jsonl in Laboratory::data; its failed_precondition or not_found says so where there is none.
attribution::Experiment free_answers_experiment();

}  // namespace openbook::guard
