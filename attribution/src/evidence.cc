#include "openbook/attribution/evidence.h"

#include <ATen/core/grad_mode.h>

#include <string>
#include <utility>

#include "openbook/base/error.h"
#include "row_products.h"

namespace openbook::attribution {

EvidenceReader::EvidenceReader(std::shared_ptr<const engine::Model> model, std::vector<engine::HeadId> heads)
    : model_(std::move(model)), heads_(std::move(heads)) {
  if (heads_.empty()) throw Error(Code::kInvalidArgument, "evidence: no heads");
  const engine::ModelConfig& config = model_->config();
  std::vector<at::Tensor> columns;
  for (const engine::HeadId head : heads_) {
    engine::require_head(head, config);
    columns.push_back(model_->layer(head.layer).attention_out.narrow(1, head.head * config.d_head, config.d_head).t());
  }
  output_ = at::cat(columns);
}

std::vector<float> EvidenceReader::read(const engine::HeadTaps& taps, engine::TokenId token) const {
  const at::NoGradGuard no_grad;
  const engine::ModelConfig& config = model_->config();
  if (taps.heads() != heads_)
    throw Error(Code::kInvalidArgument, "evidence: the taps observe other heads than the evidence is read from");
  if (token < 0 || token >= config.vocabulary)
    throw Error(Code::kInvalidArgument, "evidence: token " + std::to_string(token) + " is outside the vocabulary of " +
                                            std::to_string(config.vocabulary));
  const at::Tensor inverse_rms = taps.resid_final().square().mean().add_(config.norm_epsilon).rsqrt_();
  const at::Tensor readout =
      model_->unembedding()[token].to(at::kFloat).mul(model_->final_norm().to(at::kFloat)).mul_(inverse_rms);
  const at::Tensor evidence = row_products(output_, readout).view_as(taps.z()).mul_(taps.z()).sum(1).to(at::kCPU);
  return {evidence.data_ptr<float>(), evidence.data_ptr<float>() + evidence.numel()};
}

}  // namespace openbook::attribution
