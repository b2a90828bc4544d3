// The rows of an evaluation file (JSON Lines), every field checked before anything is run: a bad row is refused by file, line and
// field.
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

enum class FieldKind {
  kText,      // not blank
  kTexts,     // a list of texts, not empty
  kFlag,      // true or false
  kSpans,     // a list of {byte_start, byte_end} inside the row's "document", may be empty
  kPassages,  // a list of {title, text}, not empty
};

struct Field {
  std::string name;
  FieldKind kind = FieldKind::kText;
  bool optional = false;
};

// `more` says what else is wrong with a row whose fields are good (empty: nothing). Throws not_found; invalid_argument naming
// file, line and field, or for a file without rows.
std::vector<nlohmann::json> read_rows(const std::filesystem::path& file, const std::vector<Field>& fields,
                                      const std::function<std::string(const nlohmann::json& row)>& more = {});

// What is wrong with a {byte_start, byte_end} of `text`, which messages call `what`; empty: nothing.
std::string fault_of_range(const nlohmann::json& range, const std::string& text, const std::string& what);

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
