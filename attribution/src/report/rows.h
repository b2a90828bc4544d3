// Reads the rows of an evaluation file (JSON Lines).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

namespace openbook::attribution {

// Throws not_found; invalid_argument naming the line that is no JSON object or lacks one of `fields`.
std::vector<nlohmann::json> read_rows(const std::filesystem::path& file, const std::vector<std::string>& fields);

// `limit` rows drawn by `seed`, in file order; all when limit is 0.
std::vector<nlohmann::json> draw_rows(std::vector<nlohmann::json> rows, int64_t limit, uint64_t seed);

}  // namespace openbook::attribution
