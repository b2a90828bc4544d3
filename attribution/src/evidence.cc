#include "openbook/attribution/evidence.h"

#include <ATen/core/grad_mode.h>

#include <numeric>
#include <string>
#include <utility>

#include "openbook/base/error.h"
#include "openbook/engine/rows.h"

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
  output_ = at::cat(columns).contiguous();
}

std::vector<float> EvidenceReader::read(const engine::HeadTaps& taps, engine::TokenId token) const {
  const at::NoGradGuard no_grad;
  const engine::ModelConfig& config = model_->config();
  if (taps.heads() != heads_)
    throw Error(Code::kInvalidArgument, "evidence: the taps observe other heads than the evidence is read from");
  const at::Tensor products = engine::readout_products(output_, *model_, token, taps.resid_final());
  if (!products.is_cpu()) {
    const at::Tensor evidence = (products.view_as(taps.z()) * taps.z()).sum(1).to(at::kCPU);
    return {evidence.data_ptr<float>(), evidence.data_ptr<float>() + evidence.numel()};
  }
  const float *product = products.const_data_ptr<float>(), *z = taps.z().const_data_ptr<float>();
  std::vector<float> evidence;
  for (size_t head = 0; head < heads_.size(); ++head, product += config.d_head, z += config.d_head)
    evidence.push_back(std::inner_product(product, product + config.d_head, z, 0.0f));
  return evidence;
}

}  // namespace openbook::attribution
