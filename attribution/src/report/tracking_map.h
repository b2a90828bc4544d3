// A map of the probe's features: its two principal components, and the features themselves for other maps
// (attribution/tools/umap_of_features.py).
#pragma once

#include "report/tracking_methods.h"

namespace openbook::attribution {

// Of own relations' test split, at most 800 answers; adds a chart and "features" to `part`.
void map_features(const Laboratory& laboratory, const TrackedSets& sets, Json& part);

}  // namespace openbook::attribution
