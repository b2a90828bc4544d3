#include "report/role_halves.h"

#include <map>

#include "head_finding.h"
#include "spread.h"

namespace openbook::attribution {

std::vector<RoleHalf> role_halves(const Laboratory& lab) {
  std::vector<RoleHalf> halves(2);
  std::map<std::string, size_t> half_of;  // by subject, in the order of the facts
  for (const ObservedCase& observed : lab.runs->observed) {
    const Fact& fact = lab.facts->facts[observed.made.fact];
    if (lab.facts->relations[fact.relation].split != Split::kFit) continue;
    RoleHalf& half = halves[half_of.try_emplace(fact.subject, half_of.size() % 2).first->second];
    if (observed.made.setting == Setting::kOwn && observed.given == GivenAnswer::kDocument) half.open.push_back(&observed);
    if (observed.made.setting == Setting::kClosed && observed.given == GivenAnswer::kMemory) half.closed.push_back(&observed);
  }
  const int64_t most = lab.sample(120, 8);
  for (RoleHalf& half : halves) half = {spread(half.open, most), spread(half.closed, most)};
  return halves;
}

bool FoundRoles::fetched() const { return retrieval_cases[0] > 0 && retrieval_cases[1] > 0; }

RoleScores FoundRoles::half(size_t i) const {
  return {flat(halves[i].difference()), flat(halves[i].task), fetched() ? flat(halves[i].retrieval) : std::vector<double>()};
}

RoleScores FoundRoles::whole() const {
  const auto mean = [](const at::Tensor& a, int64_t of_a, const at::Tensor& b, int64_t of_b) {
    return (a * of_a + b * of_b) / (of_a + of_b);
  };
  const HeadScores &a = halves[0], &b = halves[1];
  return {flat(mean(a.open_book, a.open_cases, b.open_book, b.open_cases) -
               mean(a.closed_book, a.closed_cases, b.closed_book, b.closed_cases)),
          flat(mean(a.task, a.key_cases, b.task, b.key_cases)),
          fetched() ? flat(mean(a.retrieval, retrieval_cases[0], b.retrieval, retrieval_cases[1])) : std::vector<double>()};
}

bool made_by_lrp(const HeadAtlas& atlas) {
  const auto found = atlas.provenance.find("finder");
  return found != atlas.provenance.end() && found->second == "AttnLRP";
}

std::string finder_label(bool lrp) { return lrp ? "AttnLRP" : "gradient times activation (retrieval: write score)"; }

FoundRoles find_roles(const Laboratory& lab, const std::vector<RoleHalf>& halves, bool lrp) {
  FoundRoles found{.label = finder_label(lrp)};
  const Relevance relevance(lab.decoder->shared_model(), lrp ? BackwardRules::kAttnLrp : BackwardRules::kPlainGradient);
  for (size_t i = 0; i < halves.size(); ++i) {
    const RoleHalf& half = halves[i];
    const auto counting = [&](const std::string& what, size_t total) {
      return [&lab, total, stage = "roles: " + what + ", half " + std::to_string(i + 1)](int64_t done) {
        lab.check();
        lab.report(stage, done, static_cast<int64_t>(total));
      };
    };
    found.halves.push_back(score_heads(relevance, lab.model().config(), half.open, half.closed,
                                       counting(lrp ? "AttnLRP" : "gradient", half.open.size() + half.closed.size())));
    found.retrieval_cases.push_back(found.halves.back().key_cases);
    if (lrp) continue;
    const AnswerTrials trials = answer_trials(lab.model(), *lab.facts, half.open, lab.seed);
    const NeedleScores needles = score_needles(*lab.decoder, trials, counting("needles", trials.trials.size()), lab.cancellation);
    found.halves.back().retrieval = needles.write;
    found.retrieval_cases.back() = needles.trials;
  }
  return found;
}

}  // namespace openbook::attribution
