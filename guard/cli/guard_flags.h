// The flags of every verb that opens a Guard.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "openbook/guard/guard.h"
#include "openbook/retriever/document.h"

namespace openbook::cli {

struct GuardFlags {
  std::string model, embedder, atlas, policy, device = "auto", dtype = "float32";

  void add_to(CLI::App& verb, bool with_policy);
  // Everything but index and log, which only some verbs have.
  GuardOptions options() const;
};

// On stderr: how much of a document was left out since its reader does not see it, and why. Nothing when it is all seen.
void note_hidden_text(const retriever::Document& document);

// Passages given as files: what a reader sees of each, whole, as passages with their title. Says what it leaves out.
std::vector<Passage> read_passages(const std::vector<std::string>& files);

}  // namespace openbook::cli
