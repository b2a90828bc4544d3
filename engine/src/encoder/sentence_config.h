// What a sentence-transformers folder says beside BERT's own config: how hidden states become one vector, and how long a text may
// be.
#pragma once

#include <cstdint>
#include <filesystem>

namespace openbook::engine {

// Throws when modules.json or 1_Pooling/config.json ask for anything but mean pooling (and length 1): unimplemented naming the
// step or mode, not_found, invalid_argument (malformed).
void require_mean_pooling(const std::filesystem::path& folder, int64_t d_model);

// The longest input in tokens, [CLS] and [SEP] included: max_seq_length of sentence_bert_config.json, else `max_positions`.
// Throws invalid_argument when it is past `max_positions`.
int64_t read_max_sequence(const std::filesystem::path& folder, int64_t max_positions);

}  // namespace openbook::engine
