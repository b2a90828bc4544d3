// The patterns that say which files are documents, and the names that are left out by default. Rules: document.h, FileRules.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "openbook/retriever/document.h"

namespace openbook::retriever {

// Throws invalid_argument for a pattern that is empty, too long, or has a [ without a ].
void require_patterns(const FileRules& rules);

// Whether an exclude pattern names `below` (a file or a folder) or a folder above it.
bool excludes(const FileRules& rules, const std::filesystem::path& below);

// Whether an include pattern asks for this file although it has a secret's name: one that is such a name itself, as *.key is and
// * is not.
bool asks_for_secret(const FileRules& rules, const std::filesystem::path& below);

}  // namespace openbook::retriever
