#include "openbook/engine/model.h"

#include <fstream>

#include "base/test_support.h"
#include "engine/tiny_llama.h"
#include "openbook/base/file.h"

namespace openbook::engine {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using openbook::test::TemporaryFolder;

// A copy of the tiny model whose config.json `change` has changed.
void copy_with_config(const fs::path& target, const std::function<void(json&)>& change) {
  const fs::path source = openbook::test::golden("tiny_llama/plain");
  for (const char* name : {"model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json"})
    fs::copy_file(source / name, target / name, fs::copy_options::overwrite_existing);
  json config = json::parse(read_file(source / "config.json"));
  change(config);
  write_file_atomically(target / "config.json", config.dump());
}

TEST(Model, ReadsSizesAndFusesProjections) {
  const auto model = test::load_tiny("tied_llama3_rope");
  EXPECT_EQ(model->config().d_head, 16);
  EXPECT_EQ(model->layer(0).qkv.sizes(), (std::vector<int64_t>{(4 + 2 * 2) * 16, 32}));
  EXPECT_EQ(model->layer(1).gate_up.sizes(), (std::vector<int64_t>{2 * 48, 32}));
  EXPECT_TRUE(model->unembedding().is_same(model->embedding()));
  EXPECT_FALSE(model->layer(0).qkv_bias.defined());
  EXPECT_TRUE(test::load_tiny("sharded_biases")->layer(0).mlp_down_bias.defined());
  EXPECT_EQ(test::load_tiny("plain", {.dtype = "bfloat16"})->layer(0).qkv.scalar_type(), at::kBFloat16);
}

TEST(Model, MistralWithoutAWindowIsTheSameModel) {
  const TemporaryFolder folder;
  copy_with_config(folder.path(), [](json& config) {
    config["model_type"] = "mistral";
    config["sliding_window"] = nullptr;
  });
  const Decoder decoder(Model::load(folder.path()));
  const test::Golden golden = test::golden_of("plain");
  EXPECT_TRUE(test::close(test::run_whole(decoder, golden.ids), golden.logits, 1e-4));
}

TEST(Model, FingerprintFollowsWeightsAndArchitectureOnly) {
  const std::string plain = test::load_tiny("plain")->fingerprint();
  EXPECT_EQ(plain.size(), 64u);
  EXPECT_EQ(test::load_tiny("plain", {.dtype = "bfloat16"})->fingerprint(), plain);
  EXPECT_NE(test::load_tiny("sharded_biases")->fingerprint(), plain);
  const TemporaryFolder folder;
  copy_with_config(folder.path(), [](json& config) { config["transformers_version"] = "another"; });
  EXPECT_EQ(Model::load(folder.path())->fingerprint(), plain);
  copy_with_config(folder.path(), [](json& config) { config["rms_norm_eps"] = 1e-6; });
  EXPECT_NE(Model::load(folder.path())->fingerprint(), plain);
}

TEST(Model, WhatIsNoModelFolderSaysWhatIsWanted) {
  const TemporaryFolder folder;
  for (const char* name : {"reader.gguf", "weights.bin"}) write_file_atomically(folder / name, "GGUF");
  EXPECT_ERROR(Model::load(folder / "reader.gguf"), Code::kUnimplemented, "reader.gguf: is a GGUF file");
  try {
    Model::load(folder / "reader.gguf");
  } catch (const Error& error) {
    EXPECT_NE(error.hint().find("convert_gguf.py " + (folder / "reader.gguf").string()), std::string::npos) << error.hint();
  }
  EXPECT_ERROR(Model::load(folder / "weights.bin"), Code::kInvalidArgument, "weights.bin: is a file");
  EXPECT_ERROR(Model::load(folder / "missing"), Code::kNotFound, "missing: is not there");
  EXPECT_ERROR(Model::load(folder.path()), Code::kNotFound, "config.json");
}

TEST(Model, WhatDisagreesIsNamedWithBothSides) {
  const struct {
    std::function<void(json&)> change;
    Code code;
    std::string message;
  } rows[] = {
      {[](json& config) { config["intermediate_size"] = 64; }, Code::kInvalidArgument,
       "tensor \"model.layers.0.mlp.gate_proj.weight\" has shape [48, 32]; config.json asks for [64, 32]"},
      {[](json& config) { config["num_key_value_heads"] = 4; }, Code::kInvalidArgument, "k_proj.weight\" has shape [16, 32]"},
      {[](json& config) { config["num_hidden_layers"] = 3; }, Code::kNotFound,
       "no tensor \"model.layers.2.input_layernorm.weight\""},
      {[](json& config) { config["num_hidden_layers"] = 1; }, Code::kInvalidArgument, "tensor \"model.layers.1."},
      {[](json& config) { config["attention_bias"] = true; }, Code::kNotFound,
       "no tensor \"model.layers.0.self_attn.q_proj.bias\""},
      {[](json& config) { config["vocab_size"] = 300; }, Code::kInvalidArgument,
       "\"model.embed_tokens.weight\" has shape [276, 32]"},
      {[](json& config) { config["vocab_size"] = 100; }, Code::kInvalidArgument, "the tokenizer has 272 ids and the model"},
  };
  const TemporaryFolder folder;
  for (const auto& row : rows) {
    copy_with_config(folder.path(), row.change);
    SCOPED_TRACE(row.message);
    EXPECT_ERROR(Model::load(folder.path()), row.code, row.message);
  }
}

TEST(Model, ATiedModelMayStoreItsHeadASecondTime) {
  const TemporaryFolder folder;
  copy_with_config(folder.path(), [](json& config) { config["tie_word_embeddings"] = true; });
  const auto model = Model::load(folder.path());
  EXPECT_TRUE(model->unembedding().is_same(model->embedding()));
}

TEST(Model, FoldersWithoutTheirFilesAreRefused) {
  const TemporaryFolder folder;
  EXPECT_ERROR(Model::load(folder / "nowhere"), Code::kNotFound, "nowhere: is not there");
  EXPECT_ERROR(Model::load(folder.path()), Code::kNotFound, "config.json");
  copy_with_config(folder.path(), [](json&) {});
  fs::remove(folder / "model.safetensors");
  EXPECT_ERROR(Model::load(folder.path()), Code::kNotFound, "neither model.safetensors nor");
  fs::remove(folder / "tokenizer.json");
  EXPECT_ERROR(Model::load(folder.path()), Code::kNotFound, "tokenizer");
}

TEST(Model, DevicesAndTypesThatAreNotThereAreNamed) {
  EXPECT_ERROR(test::load_tiny("plain", {.dtype = "float8"}), Code::kInvalidArgument, "dtype \"float8\" is not known");
  EXPECT_ERROR(test::load_tiny("plain", {.device = "tpu"}), Code::kInvalidArgument, "device \"tpu\" is not known");
  EXPECT_ERROR(test::load_tiny("plain", {.device = "cuda:x"}), Code::kInvalidArgument, "device \"cuda:x\" is not known");
  EXPECT_ERROR(test::load_tiny("plain", {.device = "cuda:9"}), Code::kFailedPrecondition, "device \"cuda:9\" is not there");
  const auto model = test::load_tiny("plain", {.device = "auto"});
  EXPECT_EQ(model->device().is_cuda(), at::hasCUDA());
}

}  // namespace
}  // namespace openbook::engine
