// Roles: relevance sorts heads into in-context and parametric, task and retrieval ones (Kahardipraja et al. 2025, sections 4 and
// 5). How many of each, where they stand, and whether halves of the data and another finder say the same.
#pragma once

#include "report/experiment.h"

namespace openbook::attribution {

struct HeadRole {
  std::string name;            // "in_context", "parametric", "task", "retrieval": colours of the report
  std::vector<double> scores;  // [layers * heads], by layer
  int64_t count = 0;           // of the heads with the largest scores: those that have the role
};

// How many heads have a role, by their scores alone: those before the elbow of the positive scores, sorted, which is where the
// curve lies farthest below the straight line between its ends (Satopaa et al. 2011, "Finding a Kneedle in a haystack"). Without
// an elbow all heads of a positive score. It has no parameter, and scores may be multiplied by anything.
int64_t heads_before_elbow(std::vector<double> scores);

// A chart. Shade is a head's score relative to the largest of its role; a head of several roles has the one in which that is
// highest, the first of equals.
Json functional_map(const std::string& title, int64_t layers, int64_t heads, const std::vector<HeadRole>& roles);

// Of the finder that the atlas was made by, and of AttnLRP beside it where that is another.
Json run_roles(const Laboratory& laboratory);

}  // namespace openbook::attribution
