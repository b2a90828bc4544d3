// A sample without a draw.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace openbook::attribution {

// Up to `most` of them, as far apart as they can be.
template <typename T>
std::vector<T> spread(const std::vector<T>& all, int64_t most) {
  const auto size = static_cast<int64_t>(all.size());
  std::vector<T> picked;
  for (int64_t i = 0; i < std::min(most, size); ++i) picked.push_back(all[i * size / std::min(most, size)]);
  return picked;
}

}  // namespace openbook::attribution
