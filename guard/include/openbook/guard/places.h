// Where a model, an atlas, a policy, an index or a log is found when nobody names one: the OPENBOOK_* variable, then what set-up
// and the quickstart made, below the current folder, in the repository that this program was built in, and beside an installed
// program. Thread-safe.
//
//   const std::filesystem::path model = find(Place::kModel).path;
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace openbook {

enum class Place { kModel, kEmbedder, kAtlas, kPolicy, kIndex, kLog, kLogKey, kFacts };

struct PlaceRules {
  const char* what;      // "language model"
  const char* flag;      // of the command line: "--model"
  const char* value;     // as its help shows it: "DIR"
  const char* variable;  // "OPENBOOK_MODEL"
  const char* made;      // by set-up or the quickstart, from the repository's folder; for a policy the name of a shipped one
  const char* hint;      // how to get one
};
const PlaceRules& rules_of(Place place);

struct Found {
  std::filesystem::path path;
  std::string by;  // "--index", "OPENBOOK_INDEX", "set-up" or "shipped", for messages
};

// `given` (by a caller or a flag; empty: nobody named one), else where else it is looked for. A place that was named is not
// checked here: whoever opens it says best what is wrong with it. find() throws not_found, naming flag, variable and default.
std::optional<Found> look_for(Place place, const std::string& given = {});
Found find(Place place, const std::string& given = {});

// Only what was given or named by the variable: for what is written, so that nobody changes the quickstart's by forgetting a
// flag.
std::optional<Found> look_for_named(Place place, const std::string& given = {});

}  // namespace openbook
