#include "openbook/engine/head_taps.h"

#include <set>

#include "openbook/base/error.h"

namespace openbook::engine {

HeadTaps::HeadTaps(const Model& model, std::vector<HeadId> heads, TokenRange keys)
    : heads_(std::move(heads)), keys_(keys), tapped_layers_(model.config().layers) {
  const ModelConfig& config = model.config();
  if (keys.begin < 0 || keys.end < keys.begin || keys.end > config.max_positions)
    throw Error(Code::kInvalidArgument, "can't tap attention over positions [" + std::to_string(keys.begin) + ", " +
                                            std::to_string(keys.end) + "); the model has " +
                                            std::to_string(config.max_positions));
  std::set<HeadId> seen;
  std::vector<int64_t> query_rows, key_rows;
  for (const HeadId head : heads_) {
    require_head(head, config);
    if (!seen.insert(head).second) throw Error(Code::kInvalidArgument, "head " + to_string(head) + " is tapped twice");
    tapped_layers_[head.layer] = true;
    query_rows.push_back(head.layer * config.heads + head.head);
    key_rows.push_back(head.layer * config.kv_heads + head.head / config.heads_per_kv_head());
  }
  query_rows_ = at::tensor(query_rows, at::kLong).to(model.device());
  key_rows_ = at::tensor(key_rows, at::kLong).to(model.device());
  const auto options = at::TensorOptions(model.device());
  const auto count = static_cast<int64_t>(heads_.size());
  layer_queries_ = at::zeros({config.layers, config.heads * config.d_head}, options.dtype(model.dtype()));
  layer_z_ = at::zeros_like(layer_queries_);
  queries_ = at::zeros({count, config.d_head}, options.dtype(model.dtype()));
  z_ = at::zeros({count, config.d_head}, options.dtype(at::kFloat));
  pattern_ = at::zeros({count, keys.size()}, options.dtype(at::kFloat));
  resid_final_ = at::zeros({config.d_model}, options.dtype(at::kFloat));
}

}  // namespace openbook::engine
