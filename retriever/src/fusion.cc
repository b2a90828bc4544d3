#include "fusion.h"

#include <algorithm>
#include <map>

namespace openbook::retriever {
namespace {

constexpr double kRankOffset = 60;

}  // namespace

std::vector<Hit> fuse(const std::vector<Hit>& one, const std::vector<Hit>& other, size_t limit) {
  std::map<uint64_t, double> scores;
  for (const auto* ranking : {&one, &other})
    for (size_t rank = 0; rank < ranking->size(); ++rank)
      scores[(*ranking)[rank].chunk_id] += 1 / (kRankOffset + 1 + static_cast<double>(rank));
  std::vector<Hit> fused;
  for (const auto& [chunk_id, score] : scores) fused.push_back({chunk_id, score});
  std::stable_sort(fused.begin(), fused.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
  fused.resize(std::min(limit, fused.size()));
  return fused;
}

}  // namespace openbook::retriever
