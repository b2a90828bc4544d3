// Source tracking: was an answer copied or recited, and where was it read? The probe and the localizer beside other methods, on
// the same answers.
#pragma once

#include "report/experiment.h"

namespace openbook::attribution {

// Needs Laboratory::data for all but the contrast set's own test relations.
Json run_tracking(const Laboratory& laboratory);

}  // namespace openbook::attribution
