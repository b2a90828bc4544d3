#include "base/test_support.h"

#include <cstdlib>
#include <fstream>

namespace openbook::test {
namespace {

std::optional<std::filesystem::path> if_there(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) return path;
  return std::nullopt;
}

std::filesystem::path from_environment(const char* variable, const std::filesystem::path& otherwise) {
  const char* value = std::getenv(variable);
  return value ? std::filesystem::path(value) : otherwise;
}

}  // namespace

std::filesystem::path source_folder() { return OPENBOOK_SOURCE_DIR; }
std::filesystem::path golden(const std::string& name) { return source_folder() / "tests/golden" / name; }
std::filesystem::path test_data(const std::string& name) { return source_folder() / "tests/data" / name; }

std::optional<std::filesystem::path> evaluation_data(const std::string& name) {
  return if_there(from_environment("OPENBOOK_EVAL_DATA", source_folder() / "../shared/data") / name);
}

std::optional<std::filesystem::path> model_folder(const std::string& name) {
  return if_there(from_environment("OPENBOOK_MODELS", source_folder() / "build/models") / name);
}

std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("can't open " + path.string());
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

}  // namespace openbook::test
