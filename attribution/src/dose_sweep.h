// Chooses how hard to steer: bias and number of retrieval heads first, then the gain of parametric heads at the best of them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "openbook/attribution/contrast_set.h"
#include "openbook/attribution/head_atlas.h"

namespace openbook::attribution {

// `run_all` gives the answers of the calibrate split's facts in `bare` under a dose. A case is worth 1 where it gave the
// document's answer and -1 where memory's. Of the doses whose worth is within one standard error (of the paired difference) of
// the best, the weakest wins: what a stronger one gains there is noise, what it costs is not, for a model that is pushed too hard
// repeats itself. Every dose tried and its shares are written into `record`.
SteeringDose sweep_dose(const std::vector<engine::HeadId>& retrieval, const std::vector<engine::HeadId>& parametric,
                        int64_t probe_heads,
                        const std::function<std::vector<GivenAnswer>(const SteeringDose&, const std::string& stage)>& run_all,
                        std::map<std::string, std::string>& record);

}  // namespace openbook::attribution
