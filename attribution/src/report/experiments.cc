#include "report/experiments.h"

#include "report/contrast.h"
#include "report/drift.h"
#include "report/finders.h"
#include "report/roles.h"
#include "report/surgery.h"
#include "report/tracking.h"
#include "report/vectors.h"

namespace openbook::attribution {

std::vector<Experiment> atlas_experiments() {
  return {
      {"contrast", "Contrast set and atlas", describe_contrast},
      {"roles", "Roles of heads", run_roles},
      {"surgery", "Surgery: what is left when heads are removed", run_surgery},
      {"vectors", "Function vectors", run_vectors},
      {"tracking", "Source tracking", run_tracking},
      {"finders", "Other ways to find heads", run_finders},
      {"drift", "Changed models", run_drift},
  };
}

}  // namespace openbook::attribution
