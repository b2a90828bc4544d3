// The experiments of the atlas report, in the order of the page.
#pragma once

#include <vector>

#include "report/experiment.h"

namespace openbook::attribution {

// Those that need a model and its atlas alone; what also needs the guard joins them in the command line.
std::vector<Experiment> atlas_experiments();

}  // namespace openbook::attribution
