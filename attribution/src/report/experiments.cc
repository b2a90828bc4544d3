#include "report/experiments.h"

#include "report/contrast.h"
#include "report/finders.h"
#include "report/surgery.h"
#include "report/tracking.h"

namespace openbook::attribution {

std::vector<Experiment> atlas_experiments() {
  return {
      {"contrast", "Contrast set and atlas", describe_contrast},
      {"surgery", "Surgery: what is left when heads are removed", run_surgery},
      {"tracking", "Source tracking", run_tracking},
      {"finders", "Other ways to find heads", run_finders},
  };
}

}  // namespace openbook::attribution
