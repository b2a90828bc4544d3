// What the report stands on: how often the model answered from the document or from memory, and the atlas that came of it.
#pragma once

#include "report/experiment.h"

namespace openbook::attribution {

// Counts of cases and labels by setting and split; heads, thresholds, steering dose and validation of the atlas.
Json describe_contrast(const Laboratory& laboratory);

}  // namespace openbook::attribution
