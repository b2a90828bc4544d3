#include "openbook/engine/model_config.h"

#include "base/test_support.h"
#include "openbook/base/file.h"

namespace openbook::engine {
namespace {

using nlohmann::json;
using test::TemporaryFolder;

json llama() {
  return {{"model_type", "llama"},    {"hidden_act", "silu"},       {"hidden_size", 64},
          {"intermediate_size", 128}, {"num_hidden_layers", 2},     {"num_attention_heads", 4},
          {"num_key_value_heads", 2}, {"vocab_size", 100},          {"max_position_embeddings", 512},
          {"rms_norm_eps", 1e-5},     {"rope_theta", 500000.0},     {"bos_token_id", 1},
          {"eos_token_id", 2},        {"tie_word_embeddings", true}};
}

const json kLlama3Scaling = {{"rope_type", "llama3"},
                             {"factor", 32.0},
                             {"low_freq_factor", 1.0},
                             {"high_freq_factor", 4.0},
                             {"original_max_position_embeddings", 256}};

ModelConfig read(const TemporaryFolder& folder, const json& config) {
  write_file_atomically(folder / "config.json", config.dump());
  return read_model_config(folder.path());
}

TEST(ModelConfig, ReadsALlama) {
  const TemporaryFolder folder;
  const ModelConfig config = read(folder, llama());
  EXPECT_EQ(config.architecture, "llama");
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.heads_per_kv_head(), 2);
  EXPECT_EQ(config.d_head, 16);
  EXPECT_EQ(config.d_qkv(), 128);
  EXPECT_EQ(config.max_positions, 512);
  EXPECT_DOUBLE_EQ(config.norm_epsilon, 1e-5);
  EXPECT_DOUBLE_EQ(config.rope_theta, 500000);
  EXPECT_FALSE(config.rope_scaling);
  EXPECT_TRUE(config.tied_embeddings);
  EXPECT_FALSE(config.attention_bias);
  EXPECT_EQ(config.bos, 1);
  EXPECT_EQ(config.stop_ids, std::vector<TokenId>{2});
}

TEST(ModelConfig, WhatLlamaLeavesOutHasItsDefault) {
  const TemporaryFolder folder;
  json config = llama();
  for (const char* key :
       {"hidden_act", "num_key_value_heads", "rms_norm_eps", "rope_theta", "bos_token_id", "eos_token_id", "tie_word_embeddings"})
    config.erase(key);
  const ModelConfig read_config = read(folder, config);
  EXPECT_EQ(read_config.kv_heads, 4);
  EXPECT_DOUBLE_EQ(read_config.norm_epsilon, 1e-6);
  EXPECT_DOUBLE_EQ(read_config.rope_theta, 10000);
  EXPECT_FALSE(read_config.tied_embeddings);
  EXPECT_FALSE(read_config.bos);
  EXPECT_TRUE(read_config.stop_ids.empty());
}

TEST(ModelConfig, HeadDimWinsOverTheQuotient) {
  const TemporaryFolder folder;
  json config = llama();
  config["head_dim"] = 32;
  EXPECT_EQ(read(folder, config).d_head, 32);
}

TEST(ModelConfig, BothSpellingsOfRopeAreRead) {
  const TemporaryFolder folder;
  json old_style = llama(), new_style = llama();
  old_style["rope_scaling"] = kLlama3Scaling;
  new_style.erase("rope_theta");
  new_style["rope_parameters"] = kLlama3Scaling;
  new_style["rope_parameters"]["rope_theta"] = 500000.0;
  for (const json& config : {old_style, new_style}) {
    const ModelConfig read_config = read(folder, config);
    EXPECT_DOUBLE_EQ(read_config.rope_theta, 500000);
    ASSERT_TRUE(read_config.rope_scaling);
    EXPECT_DOUBLE_EQ(read_config.rope_scaling->factor, 32);
    EXPECT_EQ(read_config.rope_scaling->original_max_position, 256);
  }
  new_style["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 1000.0}};
  EXPECT_DOUBLE_EQ(read(folder, new_style).rope_theta, 1000);
  EXPECT_FALSE(read(folder, new_style).rope_scaling);
}

TEST(ModelConfig, GenerationConfigNamesTheStopIds) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "generation_config.json", R"({"eos_token_id":[3,7]})");
  EXPECT_EQ(read(folder, llama()).stop_ids, (std::vector<TokenId>{3, 7}));
  write_file_atomically(folder / "generation_config.json", "{}");
  EXPECT_EQ(read(folder, llama()).stop_ids, std::vector<TokenId>{2});
  write_file_atomically(folder / "generation_config.json", R"({"eos_token_id":[100]})");
  EXPECT_ERROR(read(folder, llama()), Code::kInvalidArgument, "generation_config.json: \"eos_token_id\"");
}

TEST(ModelConfig, AMistralWhoseWindowIsNotInEffectIsRead) {
  const TemporaryFolder folder;
  json config = llama();
  config["model_type"] = "mistral";
  config["sliding_window"] = nullptr;
  EXPECT_EQ(read(folder, config).architecture, "mistral");
  config["sliding_window"] = 512;
  EXPECT_EQ(read(folder, config).max_positions, 512);
  config["sliding_window"] = 256;
  EXPECT_ERROR(read(folder, config), Code::kUnimplemented, "sliding window of 256");
  config.erase("sliding_window");  // means 4,096
  EXPECT_EQ(read(folder, config).max_positions, 512);
  config["max_position_embeddings"] = 8192;
  EXPECT_ERROR(read(folder, config), Code::kUnimplemented, "sliding window of 4096");
}

TEST(ModelConfig, WrongOrUnsupportedFieldsAreNamed) {
  const json nothing;  // erases the key
  const struct {
    const char* key;
    json value;
    Code code;
    std::string message;
  } rows[] = {
      {"model_type", "mamba", Code::kUnimplemented, "architecture \"mamba\" is not supported"},
      {"model_type", nothing, Code::kInvalidArgument, "\"model_type\" is missing"},
      {"model_type", 3, Code::kInvalidArgument, "\"model_type\" should be a string, not 3"},
      {"hidden_act", "gelu", Code::kUnimplemented, "activation \"gelu\""},
      {"quantization_config", json::object(), Code::kUnimplemented, "quantised weights"},
      {"hidden_size", nothing, Code::kInvalidArgument, "\"hidden_size\" is missing"},
      {"hidden_size", "64", Code::kInvalidArgument, "\"hidden_size\" should be an integer"},
      {"hidden_size", 64.5, Code::kInvalidArgument, "\"hidden_size\" should be an integer"},
      {"hidden_size", 0, Code::kInvalidArgument, "\"hidden_size\" should be an integer from 1"},
      {"hidden_size", 18446744073709551615u, Code::kInvalidArgument, "\"hidden_size\" should be an integer"},
      {"hidden_size", 66, Code::kInvalidArgument, "hidden_size (66) does not divide"},
      {"num_attention_heads", 3, Code::kInvalidArgument, "is not a multiple of num_key_value_heads (2)"},
      {"num_hidden_layers", 1'000'000, Code::kInvalidArgument, "\"num_hidden_layers\" should be an integer from 1 to 1024"},
      {"vocab_size", -1, Code::kInvalidArgument, "\"vocab_size\""},
      {"max_position_embeddings", int64_t{1} << 40, Code::kInvalidArgument, "\"max_position_embeddings\""},
      {"head_dim", 15, Code::kInvalidArgument, "head size of 15 is odd"},
      {"rms_norm_eps", 0, Code::kInvalidArgument, "\"rms_norm_eps\""},
      {"rms_norm_eps", "1e-5", Code::kInvalidArgument, "\"rms_norm_eps\""},
      {"rope_theta", -1, Code::kInvalidArgument, "\"rope_theta\""},
      {"rope_scaling", {{"type", "linear"}, {"factor", 2}}, Code::kUnimplemented, "rope type \"linear\" is not supported"},
      {"rope_scaling", {{"rope_type", "yarn"}}, Code::kUnimplemented, "rope type \"yarn\""},
      {"rope_scaling", {{"rope_type", "llama3"}}, Code::kInvalidArgument, "rope_scaling: \"factor\" is missing"},
      {"rope_scaling", "llama3", Code::kInvalidArgument, "rope_scaling: is not a JSON object"},
      {"rope_parameters", {{"rope_type", "dynamic"}}, Code::kUnimplemented, "rope_parameters: rope type \"dynamic\""},
      {"partial_rotary_factor", 0.5, Code::kUnimplemented, "partial_rotary_factor"},
      {"tie_word_embeddings", 1, Code::kInvalidArgument, "\"tie_word_embeddings\" should be true or false"},
      {"bos_token_id", 100, Code::kInvalidArgument, "\"bos_token_id\" should be ids below the vocabulary of 100"},
      {"eos_token_id", json::array({2, -1}), Code::kInvalidArgument, "\"eos_token_id\""},
  };
  const TemporaryFolder folder;
  for (const auto& row : rows) {
    json config = llama();
    if (row.value.is_null())
      config.erase(row.key);
    else
      config[row.key] = row.value;
    SCOPED_TRACE(std::string(row.key) + " " + row.value.dump());
    EXPECT_ERROR(read(folder, config), row.code, row.message);
  }
}

TEST(ModelConfig, FilesThatAreNoConfigAreNamed) {
  const TemporaryFolder folder;
  EXPECT_ERROR(read_model_config(folder.path()), Code::kNotFound, "config.json");
  const std::string deep =
      R"({"model_type":"llama","rope_scaling":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  const std::pair<std::string, const char*> rows[] = {
      {"", "config.json: not JSON from byte 1 of 0"},
      {"{", "config.json: not JSON from byte 2 of 1"},
      {"[]", "config.json: is not a JSON object"},
      {"\xFF\xFE", "config.json: not JSON from byte 1 of 2"},
      {"{\"model_type\":\"llama\"} x", "config.json: not JSON from byte 24 of 24"},
      {deep, "config.json: nested deeper than 32 levels"},
      {R"({"model_type":"llama","rope_scaling":{"factor":[{"x":1},1e999]}})",
       "config.json: \"rope_scaling.factor\" holds a number that is too large"},
  };
  for (const auto& [bytes, message] : rows) {
    write_file_atomically(folder / "config.json", bytes);
    EXPECT_ERROR(read_model_config(folder.path()), Code::kInvalidArgument, message);
  }
}

}  // namespace
}  // namespace openbook::engine
