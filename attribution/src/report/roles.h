// Which heads read, which recite: the scores of every head, the map, and how stable both are.
#pragma once

#include "report/experiment.h"

namespace openbook::attribution {

Json run_roles(const Laboratory& laboratory);

}  // namespace openbook::attribution
