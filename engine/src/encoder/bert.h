// A BERT encoder (Devlin et al. 2018, arXiv 1810.04805): token ids in, the last hidden states out.
//
// Post-norm blocks: x = norm(x + W_O attention(x)); x = norm(x + W_down act(W_up x)), with learnt absolute positions and token
// type 0. Thread-safe: immutable after loading.
//
//   const Bert bert = Bert::load("models/all-minilm-l6-v2", at::kCPU);
//   at::Tensor hidden = bert.run(ids, mask);  // [batch, tokens, d_model]
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace openbook::engine {

enum class BertActivation { kGelu, kGeluTanh, kRelu };

struct BertConfig {
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t d_model = 0;  // a multiple of heads
  int64_t d_mlp = 0;
  int64_t vocabulary = 0;
  int64_t max_positions = 0;
  int64_t token_types = 0;
  double norm_epsilon = 1e-12;
  BertActivation activation = BertActivation::kGelu;
};

// Reads config.json. Throws not_found, invalid_argument (malformed), unimplemented (another architecture, activation or kind of
// positions, by name).
BertConfig read_bert_config(const std::filesystem::path& model_folder);

class Bert {
 public:
  // Reads config.json and the weights; computes in float32. Throws also what Safetensors throws, and invalid_argument when
  // tensors and config disagree.
  static Bert load(const std::filesystem::path& model_folder, at::Device device);

  // ids: int64 [batch, tokens]; mask: bool [batch, tokens], true where there is a token (an undefined mask: everywhere). Returns
  // float32 [batch, tokens, d_model]; rows of masked tokens mean nothing.
  at::Tensor run(const at::Tensor& ids, const at::Tensor& mask) const;

  const BertConfig& config() const { return config_; }
  at::Device device() const { return device_; }
  const std::string& weights_fingerprint() const { return weights_fingerprint_; }

 private:
  struct Norm {
    at::Tensor weight, bias;
  };  // [d_model]
  struct Linear {
    at::Tensor weight, bias;
  };  // [out, in], [out]
  struct Layer {
    Linear qkv;  // q over k over v
    Linear attention_out;
    Norm attention_norm;
    Linear up, down;
    Norm mlp_norm;
  };

  Bert(const BertConfig& config, at::Device device) : config_(config), device_(device) {}
  at::Tensor embed(const at::Tensor& ids) const;
  at::Tensor attend(const Layer& layer, const at::Tensor& x, const at::Tensor& mask) const;
  at::Tensor activate(const at::Tensor& x) const;
  at::Tensor normalise(const Norm& norm, const at::Tensor& x) const;

  BertConfig config_;
  at::Device device_;
  std::string weights_fingerprint_;
  at::Tensor tokens_;     // [vocabulary, d_model]
  at::Tensor positions_;  // [max_positions, d_model], the embedding of token type 0 added
  Norm embedding_norm_;
  std::vector<Layer> layers_;
};

}  // namespace openbook::engine
