#include "report/rows.h"

#include "openbook/base/error.h"
#include "openbook/base/file.h"

namespace openbook::attribution {

std::vector<nlohmann::json> read_rows(const std::filesystem::path& file, const std::vector<std::string>& fields,
                                      const std::function<std::string(const nlohmann::json& row)>& fault) {
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
    if (const std::string wrong = fault ? fault(row) : ""; !wrong.empty())
      throw Error(Code::kInvalidArgument, where + ": " + wrong, "Is it the file for this evaluation?");
    rows.push_back(std::move(row));
  }
  if (rows.empty()) throw Error(Code::kInvalidArgument, file.string() + ": holds no rows");
  return rows;
}

}  // namespace openbook::attribution
