// Reads the rows of an evaluation file (JSON Lines).
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace openbook::attribution {

// Throws not_found; invalid_argument naming the line that is no JSON object, lacks one of `fields`, or of which `fault` says what
// is wrong (empty: nothing).
std::vector<nlohmann::json> read_rows(const std::filesystem::path& file, const std::vector<std::string>& fields,
                                      const std::function<std::string(const nlohmann::json& row)>& fault = {});

// `limit` rows drawn by `seed`, in file order; all when limit is 0.
template <typename Row>
std::vector<Row> draw_rows(std::vector<Row> rows, int64_t limit, uint64_t seed) {
  if (limit <= 0 || limit >= static_cast<int64_t>(rows.size())) return rows;
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 random(seed);
  for (size_t i = 0; i + 1 < order.size(); ++i) std::swap(order[i], order[i + random() % (order.size() - i)]);
  order.resize(limit);
  std::sort(order.begin(), order.end());
  std::vector<Row> drawn;
  for (const size_t i : order) drawn.push_back(std::move(rows[i]));
  return drawn;
}

}  // namespace openbook::attribution
