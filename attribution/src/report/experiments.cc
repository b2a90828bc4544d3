#include "report/experiments.h"

#include "report/contrast.h"
#include "report/tracking.h"

namespace openbook::attribution {

std::vector<Experiment> atlas_experiments() {
  return {
      {"contrast", "Contrast set and atlas", describe_contrast},
      {"tracking", "Source tracking", run_tracking},
  };
}

}  // namespace openbook::attribution
