#include "openbook/engine/model_config.h"

#include "openbook/base/file.h"
#include "weights/json_fields.h"

namespace openbook::engine {
namespace {

// Far above every published model; a config past them is malformed or hostile.
constexpr int64_t kMaxLayers = 1024, kMaxHeads = 1024, kMaxHeadSize = 1024, kMaxWidth = 1 << 18, kMaxVocabulary = 1 << 24,
                  kMaxPositions = 1 << 22;

// What a family's configs may say beyond Llama's fields, and what they leave out.
struct Family {
  std::string_view model_type;
  bool has_sliding_window;  // reads sliding_window
  bool has_biases;          // reads attention_bias and mlp_bias
};
constexpr Family kFamilies[] = {
    {.model_type = "llama", .has_sliding_window = false, .has_biases = true},
    {.model_type = "mistral", .has_sliding_window = true, .has_biases = false},
};

const Family& family_of(const JsonFields& json) {
  const std::string type = json.text("model_type");
  for (const Family& family : kFamilies)
    if (family.model_type == type) return family;
  json.fail("architecture \"" + type + "\" is not supported; supported: llama, mistral", Code::kUnimplemented);
}

void refuse_what_is_not_supported(const JsonFields& json, const Family& family, const ModelConfig& config) {
  // Older configs leave hidden_act out; Llama's default is silu.
  if (json.has("hidden_act") && json.text("hidden_act") != "silu")
    json.fail("activation \"" + json.text("hidden_act") + "\" is not supported; supported: silu", Code::kUnimplemented);
  if (json.has("quantization_config"))
    json.fail("quantised weights (quantization_config) are not supported", Code::kUnimplemented);
  if (json.number_or("partial_rotary_factor", 0, 1, 1) != 1)
    json.fail("partial_rotary_factor is not supported", Code::kUnimplemented);
  // null is no window; a config that doesn't name one has Mistral 7B's of 4,096.
  if (family.has_sliding_window && (json.has("sliding_window") || !json.names("sliding_window"))) {
    const int64_t window = json.integer_or("sliding_window", 1, INT64_MAX, 4096);
    if (window < config.max_positions)
      json.fail("a sliding window of " + std::to_string(window) + " tokens below max_position_embeddings of " +
                    std::to_string(config.max_positions) + " is not supported",
                Code::kUnimplemented);
  }
}

void read_sizes(const JsonFields& json, ModelConfig& config) {
  config.layers = json.integer("num_hidden_layers", 1, kMaxLayers);
  config.heads = json.integer("num_attention_heads", 1, kMaxHeads);
  config.kv_heads = json.integer_or("num_key_value_heads", 1, kMaxHeads, config.heads);
  config.d_model = json.integer("hidden_size", 1, kMaxWidth);
  config.d_mlp = json.integer("intermediate_size", 1, kMaxWidth * 4);
  config.vocabulary = json.integer("vocab_size", 1, kMaxVocabulary);
  config.max_positions = json.integer("max_position_embeddings", 1, kMaxPositions);
  if (config.heads % config.kv_heads != 0)
    json.fail("num_attention_heads (" + std::to_string(config.heads) + ") is not a multiple of num_key_value_heads (" +
              std::to_string(config.kv_heads) + ")");
  if (json.has("head_dim")) {
    config.d_head = json.integer("head_dim", 1, kMaxHeadSize);
  } else if (config.d_model % config.heads == 0 && config.d_model / config.heads <= kMaxHeadSize) {
    config.d_head = config.d_model / config.heads;
  } else {
    json.fail("hidden_size (" + std::to_string(config.d_model) + ") does not divide into num_attention_heads (" +
              std::to_string(config.heads) + ") and no head_dim is given");
  }
  if (config.d_head % 2 != 0)
    json.fail("the head size of " + std::to_string(config.d_head) + " is odd; rotary positions need pairs");
}

RopeScaling read_llama3_scaling(const JsonFields& json) {
  RopeScaling scaling{.factor = json.number("factor", 0, 1e6),
                      .low_freq_factor = json.number("low_freq_factor", 0, 1e6),
                      .high_freq_factor = json.number("high_freq_factor", 0, 1e6),
                      .original_max_position = json.integer("original_max_position_embeddings", 1, kMaxPositions)};
  if (scaling.low_freq_factor >= scaling.high_freq_factor) json.fail("low_freq_factor is not below high_freq_factor");
  return scaling;
}

// Published configs write rope_theta beside a rope_scaling that may be null; newer ones write both into rope_parameters.
void read_rope(const JsonFields& json, ModelConfig& config) {
  config.rope_theta = json.number_or("rope_theta", 0, 1e12, config.rope_theta);
  const std::string key = json.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  if (!json.has(key)) return;
  const JsonFields rope = json.object(key);
  config.rope_theta = rope.number_or("rope_theta", 0, 1e12, config.rope_theta);
  if (rope.number_or("partial_rotary_factor", 0, 1, 1) != 1)
    rope.fail("partial_rotary_factor is not supported", Code::kUnimplemented);
  const std::string type = rope.has("rope_type") ? rope.text("rope_type") : rope.text("type");
  if (type == "default") return;
  if (type != "llama3")
    rope.fail("rope type \"" + type + "\" is not supported; supported: default, llama3", Code::kUnimplemented);
  config.rope_scaling = read_llama3_scaling(rope);
}

TokenId token_id(const JsonFields& json, const nlohmann::json& value, const char* key, int64_t vocabulary) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() >= static_cast<uint64_t>(vocabulary))
    json.fail(std::string("\"") + key + "\" should be ids below the vocabulary of " + std::to_string(vocabulary) + ", not " +
              value.dump(-1, ' ', true).substr(0, 80));
  return value.get<TokenId>();
}

std::vector<TokenId> stop_ids(const JsonFields& json, int64_t vocabulary) {
  const nlohmann::json& eos = json.at("eos_token_id");
  if (!eos.is_array()) return {token_id(json, eos, "eos_token_id", vocabulary)};
  std::vector<TokenId> ids;
  for (const auto& id : eos) ids.push_back(token_id(json, id, "eos_token_id", vocabulary));
  return ids;
}

void read_special_ids(const JsonFields& json, const std::filesystem::path& folder, ModelConfig& config) {
  if (json.has("bos_token_id")) config.bos = token_id(json, json.at("bos_token_id"), "bos_token_id", config.vocabulary);
  const std::filesystem::path generation_path = folder / "generation_config.json";
  if (is_there(generation_path)) {
    const JsonFields generation = JsonFields::read(generation_path);
    if (generation.has("eos_token_id")) config.stop_ids = stop_ids(generation, config.vocabulary);
  }
  if (config.stop_ids.empty() && json.has("eos_token_id")) config.stop_ids = stop_ids(json, config.vocabulary);
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& folder) {
  const JsonFields json = JsonFields::read(folder / "config.json");
  const Family& family = family_of(json);
  ModelConfig config;
  config.architecture = family.model_type;
  read_sizes(json, config);
  refuse_what_is_not_supported(json, family, config);
  config.norm_epsilon = json.number_or("rms_norm_eps", 0, 1, config.norm_epsilon);
  read_rope(json, config);
  config.tied_embeddings = json.boolean_or("tie_word_embeddings", false);
  config.attention_bias = family.has_biases && json.boolean_or("attention_bias", false);
  config.mlp_bias = family.has_biases && json.boolean_or("mlp_bias", false);
  read_special_ids(json, folder, config);
  return config;
}

}  // namespace openbook::engine
