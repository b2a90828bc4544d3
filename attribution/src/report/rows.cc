#include "report/rows.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "openbook/base/error.h"
#include "openbook/base/file.h"

namespace openbook::attribution {

std::vector<nlohmann::json> read_rows(const std::filesystem::path& file, const std::vector<std::string>& fields) {
  const std::string text = read_file(file);
  std::vector<nlohmann::json> rows;
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \r") == std::string::npos) continue;
    const std::string where = file.string() + ": line " + std::to_string(number);
    nlohmann::json row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_object())
      throw Error(Code::kInvalidArgument, where + ": not a JSON object", "The file must be JSON Lines, one object a line.");
    for (const std::string& field : fields)
      if (!row.contains(field))
        throw Error(Code::kInvalidArgument, where + ": no field \"" + field + "\"", "Is it the file for this evaluation?");
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw Error(Code::kInvalidArgument, file.string() + ": holds no rows");
  return rows;
}

std::vector<nlohmann::json> draw_rows(std::vector<nlohmann::json> rows, int64_t limit, uint64_t seed) {
  if (limit <= 0 || limit >= static_cast<int64_t>(rows.size())) return rows;
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937_64 random(seed);
  for (size_t i = 0; i + 1 < order.size(); ++i) std::swap(order[i], order[i + random() % (order.size() - i)]);
  order.resize(limit);
  std::sort(order.begin(), order.end());
  std::vector<nlohmann::json> drawn;
  for (const size_t i : order) drawn.push_back(std::move(rows[i]));
  return drawn;
}

}  // namespace openbook::attribution
