// The flags of every verb that opens a Guard.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "openbook/guard/guard.h"

namespace openbook::cli {

struct GuardFlags {
  std::string model, embedder, atlas, policy, device = "auto", dtype = "float32";

  void add_to(CLI::App& verb, bool with_policy);
  // Everything but index and log, which only some verbs have.
  GuardOptions options() const;
};

// Passages given as files: each a whole document.
std::vector<Passage> read_passages(const std::vector<std::string>& files);

}  // namespace openbook::cli
