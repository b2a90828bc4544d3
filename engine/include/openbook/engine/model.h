// A language model's weights, shared and immutable.
//
// Thread-safe. Weights are copied out of the mapped files, into huge pages on the CPU; the files are read again for the
// fingerprint only and must not be changed while the model lives.
//
//   std::shared_ptr<const Model> model = Model::load("models/smollm2", {.device = "cpu", .dtype = "float32"});
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "openbook/engine/model_config.h"
#include "openbook/engine/safetensors.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::engine {

struct ModelOptions {
  std::string device = "cpu";     // "cpu", "cuda", "cuda:1", or "auto": CUDA when a device is there
  std::string dtype = "float32";  // "float32" or "bfloat16"; norms and softmax compute in float32 in both
};

// Weights of one layer, [out_features, in_features] as the file has them. Biases are undefined tensors when the model has none.
struct LayerWeights {
  at::Tensor attention_norm;      // [d_model]
  at::Tensor qkv;                 // [(heads + 2 * kv_heads) * d_head, d_model], q over k over v, fused at load
  at::Tensor qkv_bias;            // [(heads + 2 * kv_heads) * d_head]
  at::Tensor attention_out;       // W_O, [d_model, heads * d_head]; head h owns columns [h * d_head, (h + 1) * d_head)
  at::Tensor attention_out_bias;  // [d_model]
  at::Tensor mlp_norm;            // [d_model]
  at::Tensor gate_up;             // [2 * d_mlp, d_model], gate over up, fused at load
  at::Tensor gate_up_bias;        // [2 * d_mlp]
  at::Tensor mlp_down;            // [d_model, d_mlp]
  at::Tensor mlp_down_bias;       // [d_model]
};

class Model {
 public:
  // Throws what read_model_config, Safetensors and load_tokenizer throw; invalid_argument when tensors, config or
  // tokenizer disagree, naming both sides; invalid_argument for a device or dtype that is not known by that name;
  // failed_precondition when the device is not there.
  static std::shared_ptr<const Model> load(const std::filesystem::path& folder, const ModelOptions& options = {});

  const ModelConfig& config() const { return config_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::filesystem::path& folder() const { return folder_; }
  // Hex SHA-256 of architecture, weights as stored and tokenizer; not of dtype or device. The first call reads every weight
  // (about 0.3 s for 500 MB), later ones are free.
  const std::string& fingerprint() const;
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }

  const at::Tensor& embedding() const { return embedding_; }      // W_E, [vocabulary, d_model]
  const at::Tensor& unembedding() const { return unembedding_; }  // W_U, [vocabulary, d_model]; the same tensor when tied
  const at::Tensor& final_norm() const { return final_norm_; }    // [d_model]
  const LayerWeights& layer(int64_t index) const { return layers_.at(index); }
  const at::Tensor& rope_cos() const { return rope_cos_; }  // [max_positions, d_head] float32; the halves are equal
  const at::Tensor& rope_sin() const { return rope_sin_; }
  int64_t bytes_read_per_token() const;  // weights that one decoded token reads: all but an untied embedding

 private:
  explicit Model(Safetensors stored) : stored_(std::move(stored)) {}

  Safetensors stored_;  // kept for the fingerprint
  mutable std::once_flag fingerprint_once_;
  mutable std::string fingerprint_;

  ModelConfig config_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::filesystem::path folder_;
  at::Device device_ = at::kCPU;
  at::ScalarType dtype_ = at::kFloat;
  at::Tensor embedding_, unembedding_, final_norm_, rope_cos_, rope_sin_;
  std::vector<LayerWeights> layers_;
};

}  // namespace openbook::engine
