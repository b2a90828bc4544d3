// Finds what a verb works on: by flag, else by an OPENBOOK_* variable, else what set-up and the quickstart made.
//
//   std::string flag;
//   add_place(*verb, Place::kIndex, flag);
//   const std::filesystem::path index = find(Place::kIndex, flag).path;
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "openbook/guard/places.h"

namespace openbook::cli {

// Adds the flag of `place`, with a help text that says where else it is looked for.
CLI::Option* add_place(CLI::App& verb, Place place, std::string& flag);

// What was named by flag or variable, for what is written (openbook/guard/places.h). Throws CLI::ValidationError.
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
