// What a decoder needs to know of its architecture: config.json of a Hugging Face folder, checked.
//
// One struct holds the differences between Llama, Mistral, Gemma 2 and Qwen as data; what is not yet supported is refused
// by name instead of being ignored.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "openbook/engine/tokenizer.h"

namespace openbook::engine {

// Llama 3.1's frequency scaling ("rope_type": "llama3").
struct RopeScaling {
  double factor = 8;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  int64_t original_max_position = 8192;
};

struct ModelConfig {
  std::string architecture;  // "llama"
  int64_t layers = 0;
  int64_t heads = 0;      // query heads of a layer
  int64_t kv_heads = 0;   // key/value heads of a layer; divides `heads`
  int64_t d_model = 0;
  int64_t d_head = 0;
  int64_t d_mlp = 0;
  int64_t vocabulary = 0;
  int64_t max_positions = 0;
  double norm_epsilon = 1e-5;
  double rope_theta = 10000;
  std::optional<RopeScaling> rope_scaling;
  bool tied_embeddings = false;
  bool attention_bias = false;
  bool mlp_bias = false;
  std::optional<TokenId> bos;
  std::vector<TokenId> stop_ids;  // eos of generation_config.json, else of config.json
};

// Reads config.json and generation_config.json. Throws not_found, invalid_argument (malformed, sizes that contradict each
// other), unimplemented (unknown architecture, activation or rope type, by name).
ModelConfig read_model_config(const std::filesystem::path& model_folder);

}  // namespace openbook::engine
