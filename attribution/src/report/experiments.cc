#include "report/experiments.h"

#include "report/contrast.h"
#include "report/drift.h"
#include "report/finders.h"
#include "report/roles.h"
#include "report/surgery.h"
#include "report/tracking.h"

namespace openbook::attribution {

std::vector<Experiment> atlas_experiments() {
  return {
      {"contrast", "Contrast set and atlas", describe_contrast},   {"roles", "Roles of heads", run_roles},
      {"surgery", "Surgery: heads removed in order", run_surgery}, {"tracking", "Source tracking", run_tracking},
      {"finders", "Other finders of heads", run_finders},          {"drift", "Changed models", run_drift},
  };
}

}  // namespace openbook::attribution
