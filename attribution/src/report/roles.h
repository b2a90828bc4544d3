// Roles: relevance sorts heads into in-context and parametric, task and retrieval ones (Kahardipraja et al. 2025, sections 4 and
// 5). How many of each, where they stand, and whether halves of the data and another finder say the same.
#pragma once

#include "openbook/attribution/head_roles.h"
#include "report/experiment.h"

namespace openbook::attribution {

// A chart. Shade is a head's score relative to the largest of its role; a head of several roles has the one in which that is
// highest, the first of equals.
Json functional_map(const std::string& title, int64_t layers, int64_t heads, const std::vector<HeadRole>& roles);

// Of the finder that the atlas was made by, and of AttnLRP beside it where that is another.
Json run_roles(const Laboratory& laboratory);

}  // namespace openbook::attribution
