#include "openbook/engine/model.h"

#include <sstream>

#include "decoder/rope.h"
#include "decoder/torch_errors.h"
#include "decoder/weight_reader.h"
#include "openbook/base/error.h"
#include "openbook/base/hash.h"
#include "weights/device.h"
#include "weights/model_folder.h"
#include "weights/tokenizer_check.h"

namespace openbook::engine {
namespace {

at::ScalarType dtype_named(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16") return at::kBFloat16;
  throw Error(Code::kInvalidArgument, "dtype \"" + name + "\" is not known; known: float32, bfloat16");
}

// What decides the numbers that come out, spelled the same whatever version wrote config.json.
std::string spelled(const ModelConfig& config) {
  std::ostringstream out;
  out.precision(17);
  for (const int64_t size : {config.layers, config.heads, config.kv_heads, config.d_model, config.d_head, config.d_mlp,
                             config.vocabulary, config.max_positions})
    out << size << ' ';
  out << config.norm_epsilon << ' ' << config.rope_theta << ' ' << config.tied_embeddings << ' ' << config.attention_bias << ' '
      << config.mlp_bias;
  if (const auto& scaling = config.rope_scaling)
    out << " llama3 " << scaling->factor << ' ' << scaling->low_freq_factor << ' ' << scaling->high_freq_factor << ' '
        << scaling->original_max_position;
  return out.str();
}

}  // namespace

std::shared_ptr<const Model> Model::load(const std::filesystem::path& folder, const ModelOptions& options) {
  const at::ScalarType dtype = dtype_named(options.dtype);
  const at::Device device = device_named(options.device);
  require_model_folder(folder);
  const ModelConfig config = read_model_config(folder);
  const std::shared_ptr<const Tokenizer> tokenizer = load_tokenizer(folder);
  check_tokenizer(*tokenizer, config, folder);
  return translating_torch_errors("loading " + folder.string(), [&]() -> std::shared_ptr<const Model> {
    const std::shared_ptr<Model> model(new Model(Safetensors::open(folder)));
    model->config_ = config;
    model->tokenizer_ = tokenizer;
    model->folder_ = folder;
    model->device_ = device;
    model->dtype_ = dtype;
    WeightReader reader(model->stored_, config, folder.string(), dtype, device);
    model->embedding_ = reader.matrix("model.embed_tokens.weight", config.vocabulary, config.d_model);
    model->unembedding_ =
        config.tied_embeddings ? model->embedding_ : reader.matrix("lm_head.weight", config.vocabulary, config.d_model);
    model->final_norm_ = reader.vector("model.norm.weight", config.d_model);
    for (int64_t layer = 0; layer < config.layers; ++layer) model->layers_.push_back(reader.layer(layer));
    reader.refuse_unread();
    const RopeTables rope = make_rope_tables(config);
    model->rope_cos_ = rope.cos.to(device);
    model->rope_sin_ = rope.sin.to(device);
    return model;
  });
}

const std::string& Model::fingerprint() const {
  std::call_once(fingerprint_once_, [this] {
    fingerprint_ = sha256_hex("llama " + spelled(config_) + "\n" + stored_.fingerprint() + "\n" + tokenizer_->fingerprint());
  });
  return fingerprint_;
}

int64_t Model::bytes_read_per_token() const {
  size_t bytes = unembedding_.nbytes() + final_norm_.nbytes();
  for (const LayerWeights& layer : layers_)
    for (const at::Tensor& weight :
         {layer.attention_norm, layer.qkv, layer.attention_out, layer.mlp_norm, layer.gate_up, layer.mlp_down})
      bytes += weight.nbytes();
  return static_cast<int64_t>(bytes);
}

}  // namespace openbook::engine
