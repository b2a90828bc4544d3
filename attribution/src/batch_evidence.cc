#include "batch_evidence.h"

namespace openbook::attribution {

BatchEvidence::BatchEvidence(std::shared_ptr<const engine::Model> model) : model_(std::move(model)) {
  std::vector<at::Tensor> layers;
  for (int64_t layer = 0; layer < model_->config().layers; ++layer)
    layers.push_back(model_->layer(layer).attention_out.to(at::kFloat));
  output_ = at::stack(layers);
}

at::Tensor BatchEvidence::read(const engine::BatchObservation& observed, const std::vector<engine::TokenId>& tokens) const {
  const engine::ModelConfig& config = model_->config();
  const at::Tensor ids = at::tensor(tokens, at::kInt).to(model_->device());
  const at::Tensor resid = observed.resid_post.select(1, config.layers - 1);
  const at::Tensor inverse_rms = resid.square().mean(-1, true).add_(config.norm_epsilon).rsqrt_();
  const at::Tensor readout =
      model_->unembedding().index_select(0, ids).to(at::kFloat).mul_(model_->final_norm().to(at::kFloat)).mul_(inverse_rms);
  const at::Tensor by_head = at::matmul(readout, output_)  // [layers, rows, heads * d_head]
                                 .view({config.layers, static_cast<int64_t>(tokens.size()), config.heads, config.d_head})
                                 .transpose(0, 1);
  return by_head.mul(observed.z).sum(-1).flatten(1).cpu();
}

at::Tensor BatchEvidence::lens(const engine::BatchObservation& observed, const std::vector<engine::TokenId>& tokens) const {
  const engine::ModelConfig& config = model_->config();
  const at::Tensor output = output_.view({config.layers, output_.size(1), config.heads, config.d_head});
  const at::Tensor written = at::einsum("lmhd,rlhd->rlhm", {output, observed.z});
  const auto rms = [&](const at::Tensor& values) { return values.square().mean(-1).add_(config.norm_epsilon).sqrt_(); };
  const at::Tensor together = rms(observed.resid_post.select(1, config.layers - 1)).unsqueeze(1), alone = rms(written).flatten(1);
  return read(observed, tokens).mul(together.div(alone).cpu());
}

}  // namespace openbook::attribution
