#include "decoder/weight_reader.h"

#include <sstream>

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"

namespace openbook::engine {
namespace {

std::string shown(at::IntArrayRef shape) {
  std::ostringstream out;
  out << shape;
  return out.str();
}

// All stored elements: what the model takes of them is at most as much.
int64_t elements_of(const Safetensors& stored) {
  int64_t elements = 0;
  for (const std::string& name : stored.names()) elements += stored.tensor(name).numel();
  return elements;
}

}  // namespace

WeightReader::WeightReader(const Safetensors& stored, const ModelConfig& config, std::string where, at::ScalarType dtype,
                           at::Device device)
    : stored_(stored),
      config_(config),
      where_(std::move(where)),
      arena_(elements_of(stored), static_cast<int64_t>(stored.names().size()), dtype, device) {}

at::Tensor WeightReader::checked(const std::string& name, const std::vector<int64_t>& shape) {
  const at::Tensor tensor = stored_.tensor(name);
  if (tensor.sizes() != at::IntArrayRef(shape))
    throw Error(
        Code::kInvalidArgument,
        where_ + ": tensor \"" + name + "\" has shape " + shown(tensor.sizes()) + "; config.json asks for " + shown(shape),
        "Weights and config.json are of different models.");
  if (!tensor.is_floating_point())
    throw Error(Code::kInvalidArgument, where_ + ": tensor \"" + name + "\" is stored as " + c10::toString(tensor.scalar_type()) +
                                            "; expected a floating point type");
  read_.insert(name);
  return tensor;
}

at::Tensor WeightReader::matrix(const std::string& name, int64_t rows, int64_t columns) {
  const at::Tensor stored = checked(name, {rows, columns});
  return arena_.take({rows, columns}).copy_(stored);
}

at::Tensor WeightReader::vector(const std::string& name, int64_t size) {
  const at::Tensor stored = checked(name, {size});
  return arena_.take({size}).copy_(stored);
}

at::Tensor WeightReader::fused(const std::vector<Part>& parts, int64_t columns) {
  std::vector<at::Tensor> stored;
  int64_t rows = 0;
  for (const Part& part : parts) {
    stored.push_back(checked(part.name + ".weight", {part.rows, columns}));
    rows += part.rows;
  }
  const at::Tensor all = arena_.take({rows, columns});
  int64_t row = 0;
  for (const at::Tensor& part : stored) {
    all.narrow(0, row, part.size(0)).copy_(part);
    row += part.size(0);
  }
  return all;
}

at::Tensor WeightReader::fused_bias(const std::vector<Part>& parts, bool there) {
  if (!there) return {};
  std::vector<at::Tensor> biases;
  for (const Part& part : parts) biases.push_back(vector(part.name + ".bias", part.rows));
  return at::cat(biases);
}

LayerWeights WeightReader::layer(int64_t index) {
  const std::string prefix = "model.layers." + std::to_string(index) + ".";
  const int64_t d_query = config_.heads * config_.d_head, d_key = config_.kv_heads * config_.d_head;
  const std::vector<Part> qkv = {
      {prefix + "self_attn.q_proj", d_query}, {prefix + "self_attn.k_proj", d_key}, {prefix + "self_attn.v_proj", d_key}};
  const std::vector<Part> out = {{prefix + "self_attn.o_proj", config_.d_model}};
  const std::vector<Part> gate_up = {{prefix + "mlp.gate_proj", config_.d_mlp}, {prefix + "mlp.up_proj", config_.d_mlp}};
  const std::vector<Part> down = {{prefix + "mlp.down_proj", config_.d_model}};
  return {.attention_norm = vector(prefix + "input_layernorm.weight", config_.d_model),
          .qkv = fused(qkv, config_.d_model),
          .qkv_bias = fused_bias(qkv, config_.attention_bias),
          .attention_out = fused(out, d_query),
          .attention_out_bias = fused_bias(out, config_.attention_bias),
          .mlp_norm = vector(prefix + "post_attention_layernorm.weight", config_.d_model),
          .gate_up = fused(gate_up, config_.d_model),
          .gate_up_bias = fused_bias(gate_up, config_.mlp_bias),
          .mlp_down = fused(down, config_.d_mlp),
          .mlp_down_bias = fused_bias(down, config_.mlp_bias)};
}

void WeightReader::refuse_unread() const {
  for (const std::string& name : stored_.names()) {
    // Old conversions store the rotary frequencies, which config.json gives, and a tied head may be stored a second time.
    const bool redundant = name.ends_with(".rotary_emb.inv_freq") || (config_.tied_embeddings && name == "lm_head.weight");
    if (!read_.contains(name) && !redundant)
      throw Error(Code::kInvalidArgument,
                  where_ + ": tensor \"" + escape_for_terminal(name) + "\" has no place in the model that config.json describes",
                  "Weights and config.json are of different models.");
  }
}

}  // namespace openbook::engine
