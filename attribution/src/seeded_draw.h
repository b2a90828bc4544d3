// Draws that are the same for a seed on every standard library, which the distributions of <random> are not.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <utility>
#include <vector>

namespace openbook::attribution {

using Random = std::mt19937_64;

inline Random seeded(std::initializer_list<uint64_t> parts) {
  std::seed_seq sequence(parts.begin(), parts.end());
  return Random(sequence);
}

// Uniform in [0, count), count > 0.
inline size_t draw(Random& random, size_t count) { return static_cast<size_t>(random() % count); }

template <typename T>
const T& pick(Random& random, const std::vector<T>& from) {
  return from[draw(random, from.size())];
}

// `count` different ones, or all in random order when there are no more.
template <typename T>
std::vector<T> pick_several(Random& random, std::vector<T> from, size_t count) {
  for (size_t i = 0; i + 1 < from.size(); ++i) std::swap(from[i], from[i + draw(random, from.size() - i)]);
  from.resize(std::min(count, from.size()));
  return from;
}

}  // namespace openbook::attribution
