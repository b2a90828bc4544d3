#include "dose_sweep.h"

#include <algorithm>
#include <cstdio>

namespace openbook::attribution {
namespace {

constexpr float kBiases[] = {2, 3, 4};
constexpr float kGains[] = {0.5f, 0.25f};
constexpr int64_t kParametricHeads = 10;

std::vector<engine::HeadId> first(const std::vector<engine::HeadId>& heads, int64_t count) {
  return {heads.begin(), heads.begin() + std::min<int64_t>(count, static_cast<int64_t>(heads.size()))};
}

std::string described(const SteeringDose& dose) {
  char text[96];
  std::snprintf(text, sizeof text, "bias %.1f on %zu retrieval heads, gain %.2f on %zu parametric heads", dose.bias, dose.retrieval_heads.size(), dose.gain,
                dose.parametric_heads.size());
  return text;
}

}  // namespace

SteeringDose sweep_dose(const std::vector<engine::HeadId>& retrieval, const std::vector<engine::HeadId>& parametric, int64_t probe_heads,
                        const std::function<std::vector<GivenAnswer>(const SteeringDose&, const std::string& stage)>& run_all,
                        std::map<std::string, std::string>& record) {
  SteeringDose best;
  double best_score = -2;
  const auto attempt = [&](const SteeringDose& dose) {
    const std::vector<GivenAnswer> given = run_all(dose, "steering dose: " + described(dose));
    const auto count = static_cast<double>(std::max<size_t>(given.size(), 1));
    const double document = static_cast<double>(std::count(given.begin(), given.end(), GivenAnswer::kDocument)) / count;
    const double memory = static_cast<double>(std::count(given.begin(), given.end(), GivenAnswer::kMemory)) / count;
    char shares[64];
    std::snprintf(shares, sizeof shares, "document %.3f memory %.3f of %zu", document, memory, given.size());
    record["dose: " + described(dose)] = shares;
    if (document - memory > best_score) best_score = document - memory, best = dose;
  };
  attempt({});
  for (const int64_t heads : {probe_heads, 2 * probe_heads})
    for (const float bias : kBiases) attempt({first(retrieval, heads), bias, {}, 1});
  const SteeringDose biased = best;
  for (const float gain : kGains) attempt({biased.retrieval_heads, biased.bias, first(parametric, kParametricHeads), gain});
  return best;
}

}  // namespace openbook::attribution
