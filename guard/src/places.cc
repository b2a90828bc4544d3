#include "openbook/guard/places.h"

#include <array>
#include <cstdlib>
#include <vector>

#include "openbook/base/error.h"

namespace openbook {
namespace {

namespace fs = std::filesystem;

// Where `made` is looked for: here, in the repository whose build/PRESET/bin holds this program, and beside an installed program.
std::vector<fs::path> candidates(const char* made) {
  std::vector<fs::path> found = {made};
  std::error_code problem;
  const fs::path program = fs::read_symlink("/proc/self/exe", problem);
  if (problem) return found;
  const fs::path bin = program.parent_path();
  found.push_back(bin.parent_path().parent_path().parent_path() / made);
  found.push_back(bin.parent_path() / "share/openbook" / fs::path(made).filename());
  return found;
}

std::optional<Found> named(const PlaceRules& rules, const std::string& given) {
  if (!given.empty()) return Found{given, rules.flag};
  const char* variable = std::getenv(rules.variable);
  if (variable && *variable) return Found{variable, rules.variable};
  return std::nullopt;
}

}  // namespace

const PlaceRules& rules_of(Place place) {
  static constexpr std::array<PlaceRules, 8> kRules = {{
      {"language model", "--model", "DIR", "OPENBOOK_MODEL", "build/models/smollm2-135m-instruct", "cmake/setup.sh fetches one."},
      {"text encoder", "--embedder", "DIR", "OPENBOOK_EMBEDDER", "build/models/all-minilm-l6-v2", "cmake/setup.sh fetches one."},
      {"head atlas", "--atlas", "FILE", "OPENBOOK_ATLAS", "examples/smollm2.atlas.json", "`openbook atlas build` makes one."},
      {"policy", "--policy", "FILE", "OPENBOOK_POLICY", "cite-or-refuse", ""},
      {"index", "--index", "DIR", "OPENBOOK_INDEX", "build/quickstart/index", "`openbook ingest PATH... --index DIR` makes one."},
      {"provenance log", "--log", "DIR", "OPENBOOK_LOG", "build/quickstart/log",
       "`openbook log init --log DIR --log-key FILE` makes one."},
      {"log key", "--log-key", "FILE", "OPENBOOK_LOG_KEY", "build/quickstart/log.key",
       "`openbook log init --log DIR --log-key FILE` makes one."},
      {"folder with relations.json and facts.tsv", "--facts", "DIR", "OPENBOOK_FACTS", "attribution/data",
       "openbook's source holds them in attribution/data."},
  }};
  return kRules[static_cast<size_t>(place)];
}

std::optional<Found> look_for(Place place, const std::string& given) {
  const PlaceRules& rules = rules_of(place);
  if (auto found = named(rules, given)) return found;
  if (place == Place::kPolicy) return Found{rules.made, "shipped"};
  for (const fs::path& path : candidates(rules.made)) {
    std::error_code problem;
    if (fs::exists(path, problem)) return Found{path, "set-up"};
  }
  return std::nullopt;
}

Found find(Place place, const std::string& given) {
  if (auto found = look_for(place, given)) return *found;
  const PlaceRules& rules = rules_of(place);
  throw Error(Code::kNotFound,
              std::string("no ") + rules.what + ": neither " + rules.flag + " nor " + rules.variable + " names one, and " +
                  rules.made + " is not there",
              rules.hint);
}

std::optional<Found> look_for_named(Place place, const std::string& given) { return named(rules_of(place), given); }

}  // namespace openbook
