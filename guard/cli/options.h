// Finds what a verb works on: by flag, else by an OPENBOOK_* variable, else what set-up and the quickstart made.
//
//   std::string flag;
//   add_place(*verb, Place::kIndex, flag);
//   const std::filesystem::path index = find(Place::kIndex, flag).path;
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

namespace openbook::cli {

enum class Place { kModel, kEmbedder, kAtlas, kPolicy, kIndex, kLog, kLogKey, kFacts };

struct Found {
  std::filesystem::path path;
  std::string by;  // "--index", "OPENBOOK_INDEX" or "set-up", for messages
};

// Adds the flag of `place`, with a help text that says where else it is looked for.
CLI::Option* add_place(CLI::App& verb, Place place, std::string& flag);

// A place that was named is not checked here: whoever opens it says best what is wrong with it. Throws not_found naming flag,
// variable and default.
Found find(Place place, const std::string& flag);
std::optional<Found> look_for(Place place, const std::string& flag);

// As look_for and find, but only what was named by flag or variable: for what is written, so that nobody changes the quickstart's
// by forgetting a flag. find_named throws CLI::ValidationError.
std::optional<Found> look_for_named(Place place, const std::string& flag);
Found find_named(Place place, const std::string& flag);

// For a file that is written after long work: throws when its folder takes no file.
void require_folder_of(const std::filesystem::path& file);

// A check of options: 0 or more.
const CLI::Validator& not_negative();

// All of stdin; for arguments that are `-`. Throws out_of_range above `max_bytes`.
std::string read_stdin(size_t max_bytes);
// `argument`, or stdin without its last newline when it is `-`.
std::string text_or_stdin(const std::string& argument);

}  // namespace openbook::cli
