#include "openbook/attribution/relevance.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "openbook/base/error.h"
#include "relevance_pass.h"

namespace openbook::attribution {
namespace {

using engine::ModelConfig;

// What a batch may hold. The CPU is busy with a thousand tokens; a GPU wants more. Beyond the tape's bytes layers run twice.
struct BatchLimits {
  int64_t tokens;
  int64_t tape_bytes;
};
constexpr BatchLimits kCpuLimits{1024, int64_t{1} << 30};
constexpr BatchLimits kCudaLimits{16384, int64_t{12} << 30};
constexpr double kShortestShare = 0.75;  // of the longest prompt in a batch: the rest is padding that is computed for nothing

void require_valid(const RelevanceRequest& request, size_t index, const ModelConfig& config) {
  const std::string where = "relevance request " + std::to_string(index) + ": ";
  if (request.tokens.empty()) throw Error(Code::kInvalidArgument, where + "no tokens");
  if (int64_t(request.tokens.size()) > config.max_positions)
    throw Error(Code::kOutOfRange, where + std::to_string(request.tokens.size()) + " tokens, the model has " +
                                       std::to_string(config.max_positions) + " positions");
  const auto require_token = [&](engine::TokenId token, const std::string& what) {
    if (token < 0 || token >= config.vocabulary)
      throw Error(Code::kInvalidArgument, where + what + " is token " + std::to_string(token) + ", outside the vocabulary of " +
                                              std::to_string(config.vocabulary));
  };
  for (size_t i = 0; i < request.tokens.size(); ++i) require_token(request.tokens[i], "position " + std::to_string(i));
  require_token(request.target, "target");
}

// Indices of requests that run together, longest first.
std::vector<std::vector<size_t>> make_batches(const std::vector<RelevanceRequest>& requests, int64_t token_limit) {
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), 0);
  const auto length = [&](size_t index) { return int64_t(requests[index].tokens.size()); };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return length(a) > length(b); });
  std::vector<std::vector<size_t>> batches;
  for (const size_t index : order) {
    const int64_t longest = batches.empty() ? 0 : length(batches.back().front());
    const bool fits = !batches.empty() && longest * int64_t(batches.back().size() + 1) <= token_limit &&
                      length(index) >= kShortestShare * longest &&
                      requests[index].key_relevance == requests[batches.back().front()].key_relevance;
    if (fits)
      batches.back().push_back(index);
    else
      batches.push_back({index});
  }
  return batches;
}

BatchRelevance run_batch(const engine::Model& model, const std::vector<RelevanceRequest>& requests,
                         const std::vector<size_t>& batch, BackwardRules rules, int64_t tape_bytes) {
  const auto count = int64_t(batch.size()), longest = int64_t(requests[batch.front()].tokens.size());
  at::Tensor tokens = at::zeros({count, longest}, at::kLong), lengths = at::empty({count}, at::kLong),
             targets = at::empty({count}, at::kLong);
  for (int64_t row = 0; row < count; ++row) {
    const RelevanceRequest& request = requests[batch[row]];
    std::copy(request.tokens.begin(), request.tokens.end(), tokens.data_ptr<int64_t>() + row * longest);
    lengths.data_ptr<int64_t>()[row] = int64_t(request.tokens.size());
    targets.data_ptr<int64_t>()[row] = request.target;
  }
  const at::Device device = model.device();
  BatchRelevance relevance =
      relevance_pass(model, tokens.to(device), lengths.to(device), targets.to(device),
                     {.rules = rules, .key_relevance = requests[batch.front()].key_relevance, .tape_bytes = tape_bytes});
  for (at::Tensor* tensor : {&relevance.heads, &relevance.keys, &relevance.tokens, &relevance.logits})
    if (tensor->defined()) *tensor = tensor->to(at::kCPU);
  return relevance;
}

}  // namespace

Relevance::Relevance(std::shared_ptr<const engine::Model> model, BackwardRules rules) : model_(std::move(model)), rules_(rules) {}

std::vector<HeadRelevance> Relevance::of(const std::vector<RelevanceRequest>& requests) const {
  const at::NoGradGuard no_grad;
  for (size_t index = 0; index < requests.size(); ++index) require_valid(requests[index], index, model_->config());
  const BatchLimits& limits = model_->device().is_cuda() ? kCudaLimits : kCpuLimits;
  std::vector<HeadRelevance> results(requests.size());
  for (const std::vector<size_t>& batch : make_batches(requests, limits.tokens)) {
    const BatchRelevance relevance = run_batch(*model_, requests, batch, rules_, limits.tape_bytes);
    for (size_t row = 0; row < batch.size(); ++row) {
      const auto length = int64_t(requests[batch[row]].tokens.size());
      HeadRelevance& result = results[batch[row]];
      result.heads = relevance.heads.select(1, row).clone();
      if (relevance.keys.defined()) result.keys = relevance.keys.select(1, row).slice(-1, 0, length).clone();
      result.tokens = relevance.tokens[row].slice(0, 0, length).clone();
      result.logit = relevance.logits[row].item<float>();
    }
  }
  return results;
}

}  // namespace openbook::attribution
