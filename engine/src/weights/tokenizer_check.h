// Do the tokenizer and the model in a folder belong together? The weights cannot say; the sizes and the special tokens can.
#pragma once

#include <filesystem>

#include "openbook/engine/model_config.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::engine {

// Throws invalid_argument naming both sides: ids that the model lacks, far fewer ids than it has, a special id of the model that
// is no token, or special tokens of tokenizer_config.json (where there is one) none of which is a special token of the model. Two
// tokenizers of one size with the same special tokens can't be told apart.
void check_tokenizer(const Tokenizer& tokenizer, const ModelConfig& config, const std::filesystem::path& folder);

}  // namespace openbook::engine
