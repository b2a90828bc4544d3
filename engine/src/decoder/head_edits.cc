#include "openbook/engine/head_edits.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "openbook/base/error.h"

namespace openbook::engine {

HeadEdits::HeadEdits(const Model& model) : layers_(model.config().layers), heads_(model.config().heads) {
  const auto options = at::TensorOptions(at::kFloat).device(model.device());
  gains_ = at::empty({layers_, heads_}, options);
  biases_ = at::empty({layers_, heads_}, options);
  clear();
}

void HeadEdits::clear() {
  gains_.fill_(1);
  biases_.zero_();
  gain_values_.assign(layers_ * heads_, 1);
  bias_values_.assign(layers_ * heads_, 0);
  gain_edits_.assign(layers_, 0);
  bias_edits_.assign(layers_, 0);
  biased_keys_.clear();
}

size_t HeadEdits::index(HeadId head) const {
  if (head.layer < 0 || head.layer >= layers_ || head.head < 0 || head.head >= heads_)
    throw Error(Code::kInvalidArgument, "can't edit head " + to_string(head) + "; the model has " + std::to_string(layers_) +
                                            " layers of " + std::to_string(heads_) + " heads");
  return head.layer * heads_ + head.head;
}

void HeadEdits::set_gain(HeadId head, float gain) {
  float& value = gain_values_[index(head)];
  if (!std::isfinite(gain) || gain < 0)
    throw Error(Code::kInvalidArgument,
                "gain of head " + to_string(head) + " is " + std::to_string(gain) + "; it should be 0 or more");
  gain_edits_[head.layer] += (gain != 1) - (value != 1);
  value = gain;
  gains_[head.layer][head.head].fill_(gain);
}

void HeadEdits::set_bias(HeadId head, float bias) {
  float& value = bias_values_[index(head)];
  if (!std::isfinite(bias))
    throw Error(Code::kInvalidArgument,
                "bias of head " + to_string(head) + " is " + std::to_string(bias) + "; it should be finite");
  bias_edits_[head.layer] += (bias != 0) - (value != 0);
  value = bias;
  biases_[head.layer][head.head].fill_(bias);
}

void HeadEdits::set_biased_keys(std::vector<TokenRange> keys) {
  for (TokenRange& range : keys) range.begin = std::max<int64_t>(range.begin, 1);
  std::erase_if(keys, [](const TokenRange& range) { return range.empty(); });
  biased_keys_ = std::move(keys);
}

float HeadEdits::gain(HeadId head) const { return gain_values_[index(head)]; }
float HeadEdits::bias(HeadId head) const { return bias_values_[index(head)]; }

bool HeadEdits::edits_gain(int64_t layer) const { return gain_edits_.at(layer) > 0; }
bool HeadEdits::edits_bias(int64_t layer) const { return bias_edits_.at(layer) > 0 && !biased_keys_.empty(); }

bool HeadEdits::edits_any_bias() const {
  return !biased_keys_.empty() && std::any_of(bias_edits_.begin(), bias_edits_.end(), [](int64_t edits) { return edits > 0; });
}

bool HeadEdits::neutral() const {
  return !edits_any_bias() && std::all_of(gain_edits_.begin(), gain_edits_.end(), [](int64_t edits) { return edits == 0; });
}

}  // namespace openbook::engine
