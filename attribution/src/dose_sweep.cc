#include "dose_sweep.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace openbook::attribution {
namespace {

constexpr float kBiases[] = {1, 2, 3, 4};
constexpr float kGains[] = {0.5f, 0.25f};
constexpr int64_t kParametricHeads = 10;

std::vector<engine::HeadId> first(const std::vector<engine::HeadId>& heads, int64_t count) {
  return {heads.begin(), heads.begin() + std::min<int64_t>(count, static_cast<int64_t>(heads.size()))};
}

std::string described(const SteeringDose& dose) {
  char text[96];
  std::snprintf(text, sizeof text, "bias %.1f on %zu retrieval heads, gain %.2f on %zu parametric heads", dose.bias,
                dose.retrieval_heads.size(), dose.gain, dose.parametric_heads.size());
  return text;
}

struct Attempt {
  SteeringDose dose;
  std::vector<double> worth;  // [case]: 1 the document's answer, -1 memory's, 0 neither
};

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// Is `other` at most one standard error of their paired difference worse than `best`?
bool as_good(const Attempt& other, const Attempt& best) {
  const auto count = static_cast<double>(best.worth.size());
  const double loss = mean(best.worth) - mean(other.worth);
  double variance = 0;
  for (size_t i = 0; i < best.worth.size(); ++i) {
    const double away = best.worth[i] - other.worth[i] - loss;
    variance += away * away / count;
  }
  return loss <= std::sqrt(variance / std::max(count, 1.0));
}

// Attempts stand from the weakest dose to the strongest.
const Attempt& weakest_as_good(const std::vector<Attempt>& attempts) {
  const auto best = std::max_element(attempts.begin(), attempts.end(),
                                     [](const Attempt& a, const Attempt& b) { return mean(a.worth) < mean(b.worth); });
  return *std::find_if(attempts.begin(), attempts.end(), [&](const Attempt& each) { return as_good(each, *best); });
}

}  // namespace

SteeringDose sweep_dose(const std::vector<engine::HeadId>& retrieval, const std::vector<engine::HeadId>& parametric,
                        int64_t probe_heads,
                        const std::function<std::vector<GivenAnswer>(const SteeringDose&, const std::string& stage)>& run_all,
                        std::map<std::string, std::string>& record) {
  const auto attempt = [&](const SteeringDose& dose) {
    Attempt made{dose, {}};
    const std::vector<GivenAnswer> given = run_all(dose, "steering dose: " + described(dose));
    for (const GivenAnswer each : given)
      made.worth.push_back(each == GivenAnswer::kDocument ? 1 : each == GivenAnswer::kMemory ? -1 : 0);
    const auto share = [&](GivenAnswer of) {
      return static_cast<double>(std::count(given.begin(), given.end(), of)) /
             static_cast<double>(std::max<size_t>(given.size(), 1));
    };
    char shares[64];
    std::snprintf(shares, sizeof shares, "document %.3f memory %.3f of %zu", share(GivenAnswer::kDocument),
                  share(GivenAnswer::kMemory), given.size());
    record["dose: " + described(dose)] = shares;
    return made;
  };
  std::vector<Attempt> attempts = {attempt({})};
  for (const float bias : kBiases)
    for (const int64_t heads : {probe_heads, 2 * probe_heads})
      attempts.push_back(attempt({first(retrieval, heads), bias, {}, 1}));
  const Attempt biased = weakest_as_good(attempts);
  attempts = {biased};
  for (const float gain : kGains)
    attempts.push_back(attempt({biased.dose.retrieval_heads, biased.dose.bias, first(parametric, kParametricHeads), gain}));
  return weakest_as_good(attempts).dose;
}

}  // namespace openbook::attribution
