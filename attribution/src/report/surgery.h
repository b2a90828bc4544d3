// Surgery: accuracy and graded recall as heads are removed, and whether reading and reciting can be taken away one without the
// other.
//
// Everything reported is of test relations' facts; what was chosen was chosen on the others (surgery_choice.h).
#pragma once

#include "report/experiment.h"

namespace openbook::attribution {

Json run_surgery(const Laboratory& lab);

}  // namespace openbook::attribution
