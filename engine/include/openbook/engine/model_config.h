// What a decoder needs to know of its architecture: config.json of a Hugging Face folder, checked.
//
// One struct holds the differences between model families as data; what is not yet supported is refused by name instead of being
// ignored. Families: llama, and mistral when its sliding window is not in effect.
//
//   ModelConfig config = read_model_config("models/smollm2");
//   config.heads * config.d_head;  // width of the queries
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
  std::string architecture;  // "llama", "mistral"
  int64_t layers = 0;
  int64_t heads = 0;     // query heads of a layer
  int64_t kv_heads = 0;  // key/value heads of a layer; divides `heads`
  int64_t d_model = 0;
  int64_t d_head = 0;  // even
  int64_t d_mlp = 0;
  int64_t vocabulary = 0;
  int64_t max_positions = 0;
  double norm_epsilon = 1e-6;
  double rope_theta = 10000;
  std::optional<RopeScaling> rope_scaling;
  bool tied_embeddings = false;
  bool attention_bias = false;  // of q, k, v and o
  bool mlp_bias = false;        // of gate, up and down
  std::optional<TokenId> bos;
  std::vector<TokenId> stop_ids;  // eos of generation_config.json, else of config.json

  int64_t heads_per_kv_head() const { return heads / kv_heads; }
  int64_t d_qkv() const { return (heads + 2 * kv_heads) * d_head; }
};

// Reads config.json and generation_config.json. Throws not_found, invalid_argument (malformed, sizes that contradict each
// other), unimplemented (unknown architecture, activation or rope type, by name).
ModelConfig read_model_config(const std::filesystem::path& model_folder);

}  // namespace openbook::engine
