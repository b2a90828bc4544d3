#include "openbook/attribution/head_roles.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "openbook/base/error.h"

namespace openbook::attribution {
namespace {

constexpr double kPaperShare = 100.0 / 1024, kPaperTaskShare = 40.0 / 1024;  // Kahardipraja et al. 2025, of Llama and Mistral

std::vector<double> negated(std::vector<double> scores) {
  for (double& score : scores) score = -score;
  return scores;
}

// `relevance` divided by its sum, float64 on the CPU.
at::Tensor normalised(const at::Tensor& relevance) {
  const at::Tensor wide = relevance.to(at::kCPU, at::kDouble);
  const double sum = wide.sum().item<double>();
  if (!std::isfinite(sum) || sum <= 0)
    throw Error(Code::kInternal,
                "head scores: a case's relevance sums to " + std::to_string(sum) + ", expected a finite sum above 0");
  return wide / sum;
}

void require_shape(const char* what, const at::Tensor& tensor, int64_t dimensions, const at::Tensor& like) {
  if (!tensor.defined() || tensor.dim() != dimensions || tensor.size(0) != like.size(0) || tensor.size(1) != like.size(1))
    throw Error(Code::kInvalidArgument, std::string("head scores: ") + what + " is not [" + std::to_string(like.size(0)) +
                                            " layers, " + std::to_string(like.size(1)) + " heads" +
                                            (dimensions == 3 ? ", tokens]" : "]"));
}

// Sum over the spans' tokens, each counted once, [layers, heads].
at::Tensor sum_over(const at::Tensor& keys, const std::vector<TokenRange>& spans) {
  at::Tensor chosen = at::zeros({keys.size(2)}, at::kDouble);
  for (const TokenRange& span : spans) {
    if (span.begin < 0 || span.end < span.begin || span.end > keys.size(2))
      throw Error(Code::kInvalidArgument, "head scores: tokens " + std::to_string(span.begin) + ".." + std::to_string(span.end) +
                                              " are not inside a prompt of " + std::to_string(keys.size(2)) + " tokens");
    chosen.slice(0, span.begin, span.end).fill_(1);
  }
  return keys.matmul(chosen);
}

std::vector<engine::HeadId> best(const at::Tensor& score, int64_t count, bool descending) {
  if (!score.defined() || score.dim() != 2) throw Error(Code::kInvalidArgument, "head scores: expected [layers, heads]");
  if (count < 0 || count > score.numel())
    throw Error(Code::kInvalidArgument,
                "head scores: " + std::to_string(count) + " heads asked for, the model has " + std::to_string(score.numel()));
  const at::Tensor values = (descending ? -score : score).to(at::kCPU, at::kDouble).contiguous();
  const double* value = values.data_ptr<double>();
  const auto heads = int32_t(score.size(1));
  const auto head_at = [&](int32_t at) { return engine::HeadId{at / heads, at % heads}; };
  for (int32_t at = 0; at < score.numel(); ++at)
    if (!std::isfinite(value[at]))
      throw Error(Code::kInvalidArgument, "head scores: the score of " + engine::to_string(head_at(at)) + " is not finite");
  std::vector<int32_t> order(score.numel());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return value[a] < value[b]; });
  std::vector<engine::HeadId> chosen;
  for (int64_t i = 0; i < count; ++i) chosen.push_back(head_at(order[i]));
  return chosen;
}

}  // namespace

HeadScoreMeans::HeadScoreMeans(int64_t layers, int64_t heads) {
  for (at::Tensor* sum : {&sums_.open_book, &sums_.closed_book, &sums_.task, &sums_.retrieval})
    *sum = at::zeros({layers, heads}, at::kDouble);
}

void HeadScoreMeans::add_open_book(const at::Tensor& relevance) {
  require_shape("relevance", relevance, 2, sums_.open_book);
  sums_.open_book += normalised(relevance);
  ++sums_.open_cases;
}

void HeadScoreMeans::add_closed_book(const at::Tensor& relevance) {
  require_shape("relevance", relevance, 2, sums_.closed_book);
  sums_.closed_book += normalised(relevance);
  ++sums_.closed_cases;
}

void HeadScoreMeans::add_keys(const at::Tensor& keys, const std::vector<TokenRange>& question,
                              const std::vector<TokenRange>& answer) {
  require_shape("key relevance", keys, 3, sums_.task);
  const at::Tensor shares = normalised(keys);
  const at::Tensor task = sum_over(shares, question), retrieval = sum_over(shares, answer);
  sums_.task += task;
  sums_.retrieval += retrieval;
  ++sums_.key_cases;
}

HeadScores HeadScoreMeans::scores() const {
  const auto mean = [](const at::Tensor& sum, int64_t cases) { return sum / double(std::max<int64_t>(cases, 1)); };
  return {.open_book = mean(sums_.open_book, sums_.open_cases),
          .closed_book = mean(sums_.closed_book, sums_.closed_cases),
          .task = mean(sums_.task, sums_.key_cases),
          .retrieval = mean(sums_.retrieval, sums_.key_cases),
          .open_cases = sums_.open_cases,
          .closed_cases = sums_.closed_cases,
          .key_cases = sums_.key_cases};
}

std::vector<double> flat(const at::Tensor& score) {
  const at::Tensor values = score.to(at::kCPU, at::kDouble).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

std::vector<HeadRole> head_roles(const std::vector<double>& difference, const std::vector<double>& task,
                                 const std::vector<double>& retrieval, RoleSize size) {
  const auto role = [&](const char* name, std::vector<double> scores, double share) {
    if (!std::all_of(scores.begin(), scores.end(), [](double score) { return std::isfinite(score); }))
      throw Error(Code::kInvalidArgument, std::string("head scores: one that tells ") + name + " heads is not finite");
    const int64_t count =
        size == RoleSize::kElbow ? heads_before_elbow(scores) : std::lround(share * static_cast<double>(scores.size()));
    return HeadRole{name, std::move(scores), count};
  };
  return {role("in_context", difference, kPaperShare), role("parametric", negated(difference), kPaperShare),
          role("task", task, kPaperTaskShare), role("retrieval", retrieval, kPaperTaskShare)};
}

std::vector<size_t> members(const HeadRole& role) {
  std::vector<size_t> order(role.scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return role.scores[a] > role.scores[b]; });
  order.resize(std::min(order.size(), static_cast<size_t>(role.count)));
  return order;
}

int64_t heads_before_elbow(std::vector<double> scores) {
  std::erase_if(scores, [](double score) { return score <= 0; });
  std::sort(scores.rbegin(), scores.rend());
  const auto count = static_cast<int64_t>(scores.size());
  if (count < 3 || scores.front() == scores.back()) return count;
  int64_t elbow = count;
  double farthest = 1e-9;  // a straight line has none
  for (int64_t i = 1; i + 1 < count; ++i) {
    const double along = static_cast<double>(i) / static_cast<double>(count - 1);
    const double height = (scores[i] - scores.back()) / (scores.front() - scores.back());
    if (const double below = 1 - along - height; below > farthest) elbow = i, farthest = below;
  }
  return elbow;
}

std::vector<engine::HeadId> largest(const at::Tensor& score, int64_t count) { return best(score, count, /*descending=*/true); }
std::vector<engine::HeadId> smallest(const at::Tensor& score, int64_t count) { return best(score, count, /*descending=*/false); }

}  // namespace openbook::attribution
