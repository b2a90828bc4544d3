#include "report/roles.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "head_finding.h"
#include "report/statistics.h"

namespace openbook::attribution {
namespace {

constexpr double kMass = 0.8;  // of the score that the chosen heads must hold together
constexpr double kPaperShare = 100.0 / 1024, kPaperTaskShare = 40.0 / 1024;

using Scores = std::vector<double>;

// The fewest heads that hold kMass of the positive score.
int64_t heads_by_mass(Scores scores) {
  std::erase_if(scores, [](double score) { return score <= 0; });
  std::sort(scores.rbegin(), scores.rend());
  const double all = std::accumulate(scores.begin(), scores.end(), 0.0);
  double held = 0;
  int64_t count = 0;
  while (count < static_cast<int64_t>(scores.size()) && held < kMass * all) held += scores[count++];
  return count;
}

Scores negated(Scores scores) {
  for (double& score : scores) score = -score;
  return scores;
}

Scores flat(const at::Tensor& score) {
  const at::Tensor values = score.contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

Json sorted_plot(const Scores& scores) {
  Scores sorted = scores;
  std::sort(sorted.rbegin(), sorted.rend());
  Json points = Json::array();
  for (size_t i = 0; i < sorted.size(); ++i) points.push_back({i + 1, sorted[i]});
  return {{"kind", "lines"},
          {"title", "Difference score of every head, sorted"},
          {"x", "rank"},
          {"y", "open-book less closed-book relevance"},
          {"series", {{{"name", "difference"}, {"color", "in_context"}, {"points", std::move(points)}}}}};
}

// Layer by head. A head's colour is the role in which it stands highest among the role's heads; shade is its place there.
Json head_map(const std::string& title, int64_t layers, int64_t heads,
              const std::vector<std::pair<std::string, std::vector<engine::HeadId>>>& roles) {
  struct Cell {
    std::string color;
    double strength;
  };
  std::map<engine::HeadId, Cell> cells;
  for (const auto& [color, members] : roles)
    for (size_t i = 0; i < members.size(); ++i) {
      const double strength = 1 - static_cast<double>(i) / static_cast<double>(members.size());
      const auto [cell, added] = cells.try_emplace(members[i], Cell{color, strength});
      if (!added && strength > cell->second.strength) cell->second = {color, strength};
    }
  Json json = Json::array();
  for (const auto& [head, cell] : cells)
    json.push_back({{"layer", head.layer},
                    {"head", head.head},
                    {"color", cell.color},
                    {"strength", std::round(cell.strength * 1000) / 1000}});
  return {{"kind", "head_map"}, {"title", title}, {"layers", layers}, {"heads", heads}, {"cells", std::move(json)}};
}

// Relevance of two halves of the subjects, fit split, found each by itself.
struct Halves {
  HeadScores first, second;
};

Halves score_halves(const Laboratory& laboratory) {
  const int64_t most = laboratory.sample(120, 16);  // cases of each kind in a half
  std::vector<const ObservedCase*> open[2], closed[2];
  int64_t index = 0;
  int32_t last_fact = -1;
  for (const ObservedCase& observed : laboratory.runs->observed) {
    if (laboratory.facts->relations[laboratory.facts->facts[observed.made.fact].relation].split != Split::kFit) continue;
    if (observed.made.fact != last_fact) last_fact = observed.made.fact, ++index;
    const size_t half = static_cast<size_t>(index % 2);
    if (observed.made.setting == Setting::kOwn && observed.given == GivenAnswer::kDocument &&
        static_cast<int64_t>(open[half].size()) < most)
      open[half].push_back(&observed);
    if (observed.made.setting == Setting::kClosed && observed.given == GivenAnswer::kMemory &&
        static_cast<int64_t>(closed[half].size()) < most)
      closed[half].push_back(&observed);
  }
  const Relevance relevance(laboratory.decoder->shared_model());
  const auto total = static_cast<int64_t>(open[0].size() + open[1].size() + closed[0].size() + closed[1].size());
  int64_t before = 0;
  const auto found = [&](size_t half) {
    const HeadScores scores = score_heads(relevance, laboratory.model().config(), open[half], closed[half], [&](int64_t done) {
      laboratory.check();
      laboratory.report("roles: relevance of halves", before + done, total);
    });
    before += static_cast<int64_t>(open[half].size() + closed[half].size());
    return scores;
  };
  return {found(0), found(1)};
}

// 95 % of the correlation over draws of heads with replacement: heads are the cases here.
Estimate correlation_of(const Scores& a, const Scores& b) {
  Estimate estimate{.value = rank_correlation(a, b), .cases = static_cast<int64_t>(a.size())};
  std::mt19937_64 random(20250515);
  Scores draws;
  for (int draw = 0; draw < 1000; ++draw) {
    Scores drawn_a, drawn_b;
    for (size_t i = 0; i < a.size(); ++i) {
      const size_t head = random() % a.size();
      drawn_a.push_back(a[head]);
      drawn_b.push_back(b[head]);
    }
    draws.push_back(rank_correlation(drawn_a, drawn_b));
  }
  std::sort(draws.begin(), draws.end());
  estimate.low = draws[25];
  estimate.high = draws[974];
  return estimate;
}

Json stability(const Halves& halves) {
  Json figures = Json::array();
  const struct {
    const char *name, *label;
    Scores first, second;
  } rows[] = {{"stability_difference", "difference score", flat(halves.first.difference()), flat(halves.second.difference())},
              {"stability_task", "task score", flat(halves.first.task), flat(halves.second.task)},
              {"stability_retrieval", "retrieval score", flat(halves.first.retrieval), flat(halves.second.retrieval)}};
  for (const auto& row : rows)
    figures.push_back(figure(row.name, std::string("rank correlation of the ") + row.label + " between halves of the subjects",
                             correlation_of(row.first, row.second).to_json()));
  return figures;
}

Json head_table(const HeadAtlas& atlas) {
  Json rows = Json::array();
  for (int64_t layer = 0; layer < atlas.layers; ++layer)
    for (int64_t head = 0; head < atlas.heads; ++head) {
      const auto at = static_cast<size_t>(layer * atlas.heads + head);
      rows.push_back({{"head", engine::to_string({static_cast<int32_t>(layer), static_cast<int32_t>(head)})},
                      {"difference", atlas.difference_score[at]},
                      {"task", atlas.task_score[at]},
                      {"retrieval", atlas.retrieval_score[at]}});
    }
  return rows;
}

}  // namespace

Json run_roles(const Laboratory& laboratory) {
  const HeadAtlas& atlas = *laboratory.atlas;
  const auto all = static_cast<double>(atlas.layers * atlas.heads);
  const auto share = [&](double part) { return static_cast<int64_t>(std::round(part * all)); };
  Json counts = Json::array();
  const struct {
    const char* role;
    Scores scores;
    int64_t paper;
  } roles[] = {{"in-context", atlas.difference_score, share(kPaperShare)},
               {"parametric", negated(atlas.difference_score), share(kPaperShare)},
               {"task", atlas.task_score, share(kPaperTaskShare)},
               {"retrieval", atlas.retrieval_score, share(kPaperTaskShare)}};
  for (const auto& role : roles) counts.push_back({role.role, heads_by_mass(role.scores), role.paper, static_cast<int64_t>(all)});
  const auto first = [](const std::vector<engine::HeadId>& heads, int64_t count) {
    return std::vector<engine::HeadId>(heads.begin(),
                                       heads.begin() + std::min<int64_t>(count, static_cast<int64_t>(heads.size())));
  };
  return {{"figures", stability(score_halves(laboratory))},
          {"tables",
           {{{"title",
              "How many heads: the fewest that hold 80 % of the role's positive score, beside the paper's share of all heads"},
             {"columns", {"role", "by own rule", "by the paper's share", "of all"}},
             {"rows", std::move(counts)}}}},
          {"charts",
           {sorted_plot(atlas.difference_score), head_map("Functional map", atlas.layers, atlas.heads,
                                                          {{"task", atlas.task},
                                                           {"retrieval", first(atlas.retrieval, share(kPaperShare))},
                                                           {"parametric", atlas.parametric}})}},
          {"heads", head_table(atlas)}};
}

}  // namespace openbook::attribution
