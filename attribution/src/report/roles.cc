#include "report/roles.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>

#include "openbook/base/error.h"
#include "report/role_halves.h"
#include "report/statistics.h"

namespace openbook::attribution {
namespace {

const HeadRole& named(const std::vector<HeadRole>& roles, const std::string& name) {
  return *std::find_if(roles.begin(), roles.end(), [&](const HeadRole& role) { return role.name == name; });
}

// The paper's: in-context heads are told apart as task and retrieval heads.
std::vector<HeadRole> on_map(const std::vector<HeadRole>& roles) {
  return {named(roles, "task"), named(roles, "retrieval"), named(roles, "parametric")};
}

int64_t shared(const HeadRole& one, const HeadRole& other) {
  const std::vector<size_t> heads = members(one);
  const std::set<size_t> theirs(heads.begin(), heads.end());
  return std::ranges::count_if(members(other), [&](size_t head) { return theirs.contains(head); });
}

// On the map, of more than one colour.
int64_t of_several_roles(const std::vector<HeadRole>& roles) {
  std::map<size_t, int> times;
  for (const HeadRole& role : on_map(roles))
    for (const size_t head : members(role)) ++times[head];
  return std::ranges::count_if(times, [](const auto& each) { return each.second > 1; });
}

Json sorted_plot(const std::string& finder, const std::vector<double>& scores) {
  std::vector<double> sorted = scores;
  std::sort(sorted.rbegin(), sorted.rend());
  Json points = Json::array();
  for (size_t i = 0; i < sorted.size(); ++i) points.push_back({i + 1, sorted[i]});
  return {{"kind", "lines"},
          {"title", "Difference score of every head, sorted: " + finder},
          {"x", "rank"},
          {"y", "open-book less closed-book relevance"},
          {"series", {{{"name", "difference"}, {"color", "in_context"}, {"points", std::move(points)}}}}};
}

// 95 % of the correlation over draws of heads with replacement: heads are the cases here.
Estimate correlation_of(const std::vector<double>& a, const std::vector<double>& b) {
  Estimate estimate{.value = rank_correlation(a, b), .cases = static_cast<int64_t>(a.size())};
  std::mt19937_64 random(20250515);
  std::vector<double> draws;
  for (int draw = 0; draw < 1000; ++draw) {
    std::vector<double> drawn_a, drawn_b;
    for (size_t i = 0; i < a.size(); ++i) {
      const size_t head = random() % a.size();
      drawn_a.push_back(a[head]);
      drawn_b.push_back(b[head]);
    }
    // Of few heads one may be drawn every time, and has no correlation.
    if (const double drawn = rank_correlation(drawn_a, drawn_b); !std::isnan(drawn)) draws.push_back(drawn);
  }
  std::sort(draws.begin(), draws.end());
  estimate.low = draws.empty() ? NAN : draws[draws.size() / 40];
  estimate.high = draws.empty() ? NAN : draws[draws.size() - 1 - draws.size() / 40];
  return estimate;
}

// One figure a score: how alike `first` and `second` rank the heads.
void add_correlations(Json& part, const std::string& name, const std::string& between, const RoleScores& first,
                      const RoleScores& second) {
  const auto add = [&](const char* score, const std::vector<double>& a, const std::vector<double>& b) {
    if (a.empty() || b.empty()) return;
    part["figures"].push_back(figure(name + "_" + score,
                                     "rank correlation of the " + std::string(score) + " score between " + between,
                                     correlation_of(a, b).to_json()));
  };
  add("difference", first.difference, second.difference);
  add("task", first.task, second.task);
  add("retrieval", first.retrieval, second.retrieval);
}

class Roles {
 public:
  explicit Roles(const Laboratory& lab)
      : lab_(lab), atlas_(*lab.atlas), own_{atlas_.difference_score, atlas_.task_score, atlas_.retrieval_score} {}

  Json run() {
    part_["figures"] = Json::array();
    compare();
    charts();
    counts();
    overlaps();
    part_["heads"] = heads();
    return std::move(part_);
  }

 private:
  void compare();
  std::optional<FoundRoles> find_or_say_why(const std::vector<RoleHalf>& halves);
  void charts();
  void counts();
  void overlaps();
  Json heads() const;

  const Laboratory& lab_;
  const HeadAtlas& atlas_;
  RoleScores own_;                         // the atlas's
  std::optional<FoundRoles> again_, lrp_;  // by the atlas's finder on halves; by AttnLRP, where that is another
  Json part_;
};

void Roles::compare() {
  const std::vector<RoleHalf> halves = role_halves(lab_);
  for (const RoleHalf& half : halves)
    if (half.open.empty() || half.closed.empty()) {
      part_["left_out"].push_back("Stability and AttnLRP: a half of the fit relations' subjects has " +
                                  std::to_string(half.open.size()) + " answers from documents and " +
                                  std::to_string(half.closed.size()) +
                                  " from memory; each needs one. Add facts that the model knows to facts.tsv.");
      return;
    }
  if (lab_.quick) part_["left_out"].push_back("Quick: halves of 8 cases of each kind.");
  const std::string of_halves = "halves of the subjects; ";
  if ((again_ = find_or_say_why(halves)))
    add_correlations(part_, "stability", of_halves + again_->label, again_->half(0), again_->half(1));
  if (made_by_lrp(atlas_)) return;
  lrp_ = find_roles(lab_, halves, true);
  add_correlations(part_, "stability_attnlrp", of_halves + lrp_->label, lrp_->half(0), lrp_->half(1));
  if (again_) add_correlations(part_, "agreement_attnlrp", again_->label + " and AttnLRP", again_->whole(), lrp_->whole());
}

std::optional<FoundRoles> Roles::find_or_say_why(const std::vector<RoleHalf>& halves) {
  try {
    FoundRoles found = find_roles(lab_, halves, made_by_lrp(atlas_));
    if (!found.fetched())
      part_["left_out"].push_back("Stability of the retrieval score: of the needles between other documents the model fetched " +
                                  std::to_string(found.retrieval_cases[0]) + " and " + std::to_string(found.retrieval_cases[1]) +
                                  " in the halves.");
    return found;
  } catch (const Error& error) {  // where the final norm saturates, no activation raises the logit
    if (made_by_lrp(atlas_) || error.code() != Code::kInternal) throw;
    part_["left_out"].push_back("Stability of the atlas's own scores, gradient times activation: " + std::string(error.what()));
    return std::nullopt;
  }
}

void Roles::charts() {
  const auto add = [&](const std::string& finder, const RoleScores& scores) {
    part_["charts"].push_back(sorted_plot(finder, scores.difference));
    part_["charts"].push_back(functional_map("Functional map, heads before the elbow: " + finder, atlas_.layers, atlas_.heads,
                                             on_map(scores.roles(RoleSize::kElbow))));
  };
  const std::string own = "the atlas, by " + finder_label(made_by_lrp(atlas_));
  add(own, own_);
  part_["charts"].push_back(functional_map("Functional map, the paper's share of all heads: " + own, atlas_.layers, atlas_.heads,
                                           on_map(own_.roles(RoleSize::kPaperShare))));
  if (lrp_) add("AttnLRP", lrp_->whole());
}

void Roles::counts() {
  const std::vector<HeadRole> papers = own_.roles(RoleSize::kPaperShare);
  // By the own rule; no heads where there are no scores.
  const auto role_in = [](const std::optional<FoundRoles>& found, std::optional<size_t> half, const std::string& role) {
    if (!found || (role == "retrieval" && !found->fetched())) return HeadRole{};
    return named((half ? found->half(*half) : found->whole()).roles(RoleSize::kElbow), role);
  };
  const auto count = [](const HeadRole& role) { return role.scores.empty() ? Json() : Json(role.count); };
  Json rows = Json::array();
  for (size_t i = 0; i < papers.size(); ++i) {
    const std::string& role = papers[i].name;
    const HeadRole first = role_in(again_, 0, role), second = role_in(again_, 1, role), lrp = role_in(lrp_, {}, role);
    rows.push_back({role == "in_context" ? "in-context" : role, heads_before_elbow(papers[i].scores), count(first), count(second),
                    first.scores.empty() ? Json() : Json(shared(first, second)), count(lrp), papers[i].count,
                    papers[i].scores.size()});
  }
  part_["tables"].push_back({{"title",
                              "How many heads have a role. Own rule: those before the elbow of the sorted scores, the point "
                              "farthest below the line between its ends"},
                             {"columns",
                              {"role", "own rule", "in the first half of the subjects", "in the second half", "in both",
                               "by AttnLRP", "the paper's share", "of all"}},
                             {"rows", std::move(rows)}});
}

void Roles::overlaps() {
  std::vector<std::vector<HeadRole>> choices = {own_.roles(RoleSize::kElbow), own_.roles(RoleSize::kPaperShare)};
  if (lrp_) choices.push_back(lrp_->whole().roles(RoleSize::kElbow));
  Json columns = {"heads with both roles", "own rule", "the paper's share"}, rows = Json::array();
  if (lrp_) columns.push_back("own rule, AttnLRP");
  const std::pair<const char*, const char*> pairs[] = {{"task", "retrieval"},
                                                       {"task", "parametric"},
                                                       {"retrieval", "parametric"},
                                                       {"task", "in_context"},
                                                       {"retrieval", "in_context"}};
  for (const auto& [one, other] : pairs) {
    rows.push_back({std::string(one) + " and " + (std::string(other) == "in_context" ? "in-context" : other)});
    for (const std::vector<HeadRole>& roles : choices) rows.back().push_back(shared(named(roles, one), named(roles, other)));
  }
  rows.push_back({"several of the map, which shows the one that a head scores highest in"});
  for (const std::vector<HeadRole>& roles : choices) rows.back().push_back(of_several_roles(roles));
  part_["tables"].push_back({{"title", "Heads with several roles"}, {"columns", std::move(columns)}, {"rows", std::move(rows)}});
}

Json Roles::heads() const {
  Json rows = Json::array();
  const auto scores_at = [](const RoleScores& scores, size_t at) {
    Json json = {{"difference", scores.difference[at]}, {"task", scores.task[at]}};
    if (!scores.retrieval.empty()) json["retrieval"] = scores.retrieval[at];
    return json;
  };
  const RoleScores lrp = lrp_ ? lrp_->whole() : RoleScores();
  for (size_t at = 0; at < own_.difference.size(); ++at) {
    const auto [layer, head] = std::div(static_cast<int64_t>(at), atlas_.heads);
    Json row = {{"head", engine::to_string({static_cast<int32_t>(layer), static_cast<int32_t>(head)})}};
    row.update(scores_at(own_, at));
    if (lrp_) row["attnlrp"] = scores_at(lrp, at);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

Json functional_map(const std::string& title, int64_t layers, int64_t heads, const std::vector<HeadRole>& roles) {
  struct Cell {
    std::string color;
    double strength;
  };
  std::map<size_t, Cell> cells;
  for (const HeadRole& role : roles) {
    const std::vector<size_t> chosen = members(role);
    for (const size_t head : chosen) {
      const double largest = role.scores[chosen.front()];
      const double strength = largest > 0 ? std::max(0.0, role.scores[head] / largest) : 0;
      const auto [cell, added] = cells.try_emplace(head, Cell{role.name, strength});
      if (!added && strength > cell->second.strength) cell->second = {role.name, strength};
    }
  }
  Json json = Json::array();
  for (const auto& [at, cell] : cells)
    json.push_back({{"layer", static_cast<int64_t>(at) / heads},
                    {"head", static_cast<int64_t>(at) % heads},
                    {"color", cell.color},
                    {"strength", std::round(cell.strength * 1000) / 1000}});
  return {{"kind", "head_map"}, {"title", title}, {"layers", layers}, {"heads", heads}, {"cells", std::move(json)}};
}

Json run_roles(const Laboratory& lab) { return Roles(lab).run(); }

}  // namespace openbook::attribution
