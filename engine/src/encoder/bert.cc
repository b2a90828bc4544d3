#include "encoder/bert.h"

#include <optional>
#include <sstream>

#include "openbook/base/error.h"
#include "openbook/engine/dense_product.h"
#include "openbook/engine/safetensors.h"
#include "weights/json_fields.h"

namespace openbook::engine {
namespace {

BertActivation read_activation(const JsonFields& json) {
  const std::string name = json.has("hidden_act") ? json.text("hidden_act") : "gelu";
  if (name == "gelu") return BertActivation::kGelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return BertActivation::kGeluTanh;
  if (name == "relu") return BertActivation::kRelu;
  json.fail("activation \"" + name + "\" is not supported; supported: gelu, gelu_new, gelu_pytorch_tanh, relu",
            Code::kUnimplemented);
}

// Tensors by their names, with shapes that the config demands.
class BertWeights {
 public:
  BertWeights(const std::filesystem::path& folder, at::Device device)
      : weights_(Safetensors::open(folder)),
        folder_(folder),
        device_(device),
        // Saved as part of a larger model, the encoder's names have a prefix.
        prefix_(weights_.contains("bert.embeddings.word_embeddings.weight") ? "bert." : "") {}

  at::Tensor take(const std::string& name, at::IntArrayRef shape) const {
    const at::Tensor tensor = weights_.tensor(prefix_ + name);
    if (tensor.sizes() != shape || !tensor.is_floating_point()) {
      std::ostringstream message;
      message << folder_.string() << ": tensor \"" << prefix_ + name << "\" is " << tensor.scalar_type() << ' ' << tensor.sizes()
              << "; config.json asks for a floating-point tensor " << shape;
      throw Error(Code::kInvalidArgument, message.str(), "Weights and config.json are not of one model. Fetch them again.");
    }
    return tensor.to(device_, at::kFloat);
  }
  std::string fingerprint() const { return weights_.fingerprint(); }

 private:
  Safetensors weights_;
  std::filesystem::path folder_;
  at::Device device_;
  std::string prefix_;
};

}  // namespace

BertConfig read_bert_config(const std::filesystem::path& model_folder) {
  const JsonFields json = JsonFields::read(model_folder / "config.json");
  if (const std::string type = json.text("model_type"); type != "bert")
    json.fail("text encoder architecture \"" + type + "\" is not supported; supported: bert", Code::kUnimplemented);
  if (json.has("position_embedding_type") && json.text("position_embedding_type") != "absolute")
    json.fail("position_embedding_type \"" + json.text("position_embedding_type") + "\" is not supported; supported: absolute",
              Code::kUnimplemented);
  BertConfig config;
  // Limits far above every published encoder: a config past them is malformed or hostile.
  config.layers = json.integer("num_hidden_layers", 1, 1024);
  config.heads = json.integer("num_attention_heads", 1, 1024);
  config.d_model = json.integer("hidden_size", 1, 1 << 18);
  config.d_mlp = json.integer("intermediate_size", 1, 1 << 20);
  config.vocabulary = json.integer("vocab_size", 1, 1 << 24);
  config.max_positions = json.integer("max_position_embeddings", 1, 1 << 22);
  config.token_types = json.integer_or("type_vocab_size", 1, 1 << 10, 2);
  config.norm_epsilon = json.number_or("layer_norm_eps", 0, 1, 1e-12);
  config.activation = read_activation(json);
  if (config.d_model % config.heads != 0)
    json.fail("hidden_size (" + std::to_string(config.d_model) + ") is not a multiple of num_attention_heads (" +
              std::to_string(config.heads) + ")");
  return config;
}

Bert Bert::load(const std::filesystem::path& model_folder, at::Device device) {
  const BertConfig config = read_bert_config(model_folder);
  const BertWeights weights(model_folder, device);
  const int64_t d = config.d_model;
  const auto norm = [&](const std::string& name) {
    return Norm{weights.take(name + ".weight", {d}), weights.take(name + ".bias", {d})};
  };
  const auto linear = [&](const std::string& name, int64_t out, int64_t in) {
    return Linear{weights.take(name + ".weight", {out, in}), weights.take(name + ".bias", {out})};
  };
  Bert bert(config, device);
  bert.weights_fingerprint_ = weights.fingerprint();
  bert.tokens_ = weights.take("embeddings.word_embeddings.weight", {config.vocabulary, d});
  bert.positions_ = weights.take("embeddings.position_embeddings.weight", {config.max_positions, d}) +
                    weights.take("embeddings.token_type_embeddings.weight", {config.token_types, d})[0];
  bert.embedding_norm_ = norm("embeddings.LayerNorm");
  for (int64_t i = 0; i < config.layers; ++i) {
    const std::string layer = "encoder.layer." + std::to_string(i) + ".";
    const Linear q = linear(layer + "attention.self.query", d, d), k = linear(layer + "attention.self.key", d, d),
                 v = linear(layer + "attention.self.value", d, d);
    bert.layers_.push_back({.qkv = {at::cat({q.weight, k.weight, v.weight}), at::cat({q.bias, k.bias, v.bias})},
                            .attention_out = linear(layer + "attention.output.dense", d, d),
                            .attention_norm = norm(layer + "attention.output.LayerNorm"),
                            .up = linear(layer + "intermediate.dense", config.d_mlp, d),
                            .down = linear(layer + "output.dense", d, config.d_mlp),
                            .mlp_norm = norm(layer + "output.LayerNorm")});
  }
  return bert;
}

at::Tensor Bert::run(const at::Tensor& ids, const at::Tensor& mask) const {
  at::Tensor x = embed(ids);
  for (const Layer& layer : layers_) {
    x = normalise(layer.attention_norm, x + attend(layer, x, mask));
    const at::Tensor hidden = activate(dense_product(x, layer.up.weight, layer.up.bias));
    x = normalise(layer.mlp_norm, x + dense_product(hidden, layer.down.weight, layer.down.bias));
  }
  return x;
}

at::Tensor Bert::embed(const at::Tensor& ids) const {
  return normalise(embedding_norm_, at::embedding(tokens_, ids) + positions_.narrow(0, 0, ids.size(1)));
}

at::Tensor Bert::attend(const Layer& layer, const at::Tensor& x, const at::Tensor& mask) const {
  const int64_t batch = x.size(0), tokens = x.size(1), d_head = config_.d_model / config_.heads;
  const at::Tensor qkv = dense_product(x, layer.qkv.weight, layer.qkv.bias)
                             .view({batch, tokens, 3, config_.heads, d_head})
                             .permute({2, 0, 3, 1, 4});  // [3, batch, head, token, d_head]
  std::optional<at::Tensor> keys;                        // bool [batch, 1, 1, token]
  if (mask.defined()) keys = mask.view({batch, 1, 1, tokens});
  const at::Tensor z = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], keys);
  return dense_product(z.transpose(1, 2).reshape({batch, tokens, config_.d_model}), layer.attention_out.weight,
                       layer.attention_out.bias);
}

at::Tensor Bert::activate(const at::Tensor& x) const {
  switch (config_.activation) {
    case BertActivation::kGelu:
      return at::gelu(x);
    case BertActivation::kGeluTanh:
      return at::gelu(x, "tanh");
    case BertActivation::kRelu:
      return at::relu(x);
  }
  throw Error(Code::kInternal, "unknown activation");
}

at::Tensor Bert::normalise(const Norm& norm, const at::Tensor& x) const {
  return at::layer_norm(x, {config_.d_model}, norm.weight, norm.bias, config_.norm_epsilon);
}

}  // namespace openbook::engine
