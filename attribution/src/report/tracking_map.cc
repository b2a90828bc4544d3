#include "report/tracking_map.h"

#include <ATen/ATen.h>

#include <cmath>

#include "openbook/attribution/probe.h"

namespace openbook::attribution {
namespace {

constexpr size_t kMostAnswers = 800;

std::string axis(const char* which, double share) {
  return std::string(which) + " component, " + std::to_string(std::lround(share * 100)) + " % of the variance";
}

}  // namespace

void map_features(const Laboratory& laboratory, const TrackedSets& sets, Json& part) {
  const Probe& probe = laboratory.atlas->probe;
  std::vector<float> values;
  std::vector<bool> copied;
  Json kept = {{"heads", Json::array()}, {"last", "echo"}, {"rows", Json::array()}};
  for (const engine::HeadId head : probe.heads) kept["heads"].push_back(engine::to_string(head));
  for (const TrackedAnswer* each : answers_of(sets, "own relations", std::nullopt)) {
    if (copied.size() >= kMostAnswers) break;
    Json row = {{"subject", each->subject}, {"setting", setting_name(each->setting)}, {"copied", *each->copied}};
    for (size_t i = 0; i < each->features.size(); ++i) {
      values.push_back((each->features[i] - probe.mean[i]) / probe.scale[i]);
      row["values"].push_back(std::round(values.back() * 1000.0) / 1000);
    }
    kept["rows"].push_back(std::move(row));
    copied.push_back(*each->copied);
  }
  if (copied.size() < 3) return;
  part["features"] = std::move(kept);
  const auto rows = static_cast<int64_t>(copied.size());
  at::Tensor features = at::tensor(values).view({rows, static_cast<int64_t>(values.size()) / rows});
  features = features - features.mean(0, true);
  const auto [left, singular, directions] = at::linalg_svd(features, /*full_matrices=*/false);
  const at::Tensor map = at::matmul(features, directions.narrow(0, 0, 2).t()).contiguous();
  const at::Tensor variance = singular.square(), share = variance / variance.sum().clamp_min(1e-12);
  Json points[2] = {Json::array(), Json::array()};
  for (size_t i = 0; i < copied.size(); ++i) {
    const float* at = map.data_ptr<float>() + 2 * i;
    points[copied[i] ? 0 : 1].push_back({std::round(at[0] * 100) / 100, std::round(at[1] * 100) / 100});
  }
  part["charts"].push_back({{"kind", "scatter"},
                            {"title", "Features of the probe, own test relations (principal components)"},
                            {"x", axis("first", share[0].item<double>())},
                            {"y", axis("second", share[1].item<double>())},
                            {"series",
                             {{{"name", "copied"}, {"color", "copied"}, {"points", points[0]}},
                              {{"name", "recited"}, {"color", "recited"}, {"points", points[1]}}}}});
}

}  // namespace openbook::attribution
