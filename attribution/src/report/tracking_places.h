// Where answers were read: figures of the localizer, and other methods beside it.
#pragma once

#include "report/tracking_methods.h"

namespace openbook::attribution {

// F1 of the tokens from the first place to the last one against the occurrence that overlaps them most.
double span_f1(const TrackedAnswer& answer);

// Adds figures, tables and the heat texts to `part`.
void localize(const Laboratory& laboratory, const TrackedSets& sets, Json& part);

}  // namespace openbook::attribution
