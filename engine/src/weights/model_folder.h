// What a path is that should be a model folder.
#pragma once

#include <filesystem>

namespace openbook::engine {

// Throws not_found when nothing is there, unimplemented for a GGUF file, saying how a folder is made of it, and invalid_argument
// for any other file.
void require_model_folder(const std::filesystem::path& folder);

}  // namespace openbook::engine
