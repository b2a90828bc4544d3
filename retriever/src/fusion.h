// Joins two rankings whose scores can't be compared.
#pragma once

#include <cstddef>
#include <vector>

#include "chunk_ranges.h"

namespace openbook::retriever {

// Reciprocal rank fusion (Cormack, Clarke & Büttcher 2009): score = sum over rankings of 1 / (60 + rank), ranks from 1. Best
// first; equal scores in order of chunk id.
std::vector<Hit> fuse(const std::vector<Hit>& one, const std::vector<Hit>& other, size_t limit);

}  // namespace openbook::retriever
