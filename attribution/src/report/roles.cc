#include "report/roles.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>

#include "head_finding.h"
#include "openbook/base/error.h"
#include "report/statistics.h"
#include "spread.h"

namespace openbook::attribution {
namespace {

// Of all heads, the paper's: 100 in-context, 100 parametric, 40 task and 40 retrieval heads of 1,024.
constexpr double kPaperShare = 100.0 / 1024, kPaperTaskShare = 40.0 / 1024;

using Scores = std::vector<double>;

struct RoleScores {
  Scores difference, task, retrieval;  // retrieval is empty where it could not be found
};

Scores negated(Scores scores) {
  for (double& score : scores) score = -score;
  return scores;
}

Scores flat(const at::Tensor& score) {
  const at::Tensor values = score.contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

std::vector<HeadRole> roles_of(const RoleScores& scores) {
  return {{"in_context", scores.difference},
          {"parametric", negated(scores.difference)},
          {"task", scores.task},
          {"retrieval", scores.retrieval}};
}

std::vector<HeadRole> by_own_rule(const RoleScores& scores) {
  std::vector<HeadRole> roles = roles_of(scores);
  for (HeadRole& role : roles) role.count = heads_before_elbow(role.scores);
  return roles;
}

std::vector<HeadRole> by_paper_share(const RoleScores& scores) {
  std::vector<HeadRole> roles = roles_of(scores);
  for (HeadRole& role : roles) {
    const bool of_difference = role.name == "in_context" || role.name == "parametric";
    role.count = std::lround((of_difference ? kPaperShare : kPaperTaskShare) * static_cast<double>(role.scores.size()));
  }
  return roles;
}

// The role's heads, best first: indices into its scores.
std::vector<size_t> members(const HeadRole& role) {
  std::vector<size_t> order(role.scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return role.scores[a] > role.scores[b]; });
  order.resize(std::min(order.size(), static_cast<size_t>(role.count)));
  return order;
}

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

Json sorted_plot(const std::string& finder, const Scores& scores) {
  Scores sorted = scores;
  std::sort(sorted.rbegin(), sorted.rend());
  Json points = Json::array();
  for (size_t i = 0; i < sorted.size(); ++i) points.push_back({i + 1, sorted[i]});
  return {{"kind", "lines"},
          {"title", "Difference score of every head, sorted: " + finder},
          {"x", "rank"},
          {"y", "open-book less closed-book relevance"},
          {"series", {{{"name", "difference"}, {"color", "in_context"}, {"points", std::move(points)}}}}};
}

// Cases of the fit split; no subject is in both halves. Each half is found by itself.
struct Half {
  std::vector<const ObservedCase*> open, closed;
};

std::vector<Half> halves_of(const Laboratory& lab) {
  std::vector<Half> halves(2);
  size_t index = 0;
  int32_t last_fact = -1;
  for (const ObservedCase& observed : lab.runs->observed) {
    if (lab.facts->relations[lab.facts->facts[observed.made.fact].relation].split != Split::kFit) continue;
    if (observed.made.fact != last_fact) last_fact = observed.made.fact, ++index;
    Half& half = halves[index % 2];
    if (observed.made.setting == Setting::kOwn && observed.given == GivenAnswer::kDocument) half.open.push_back(&observed);
    if (observed.made.setting == Setting::kClosed && observed.given == GivenAnswer::kMemory) half.closed.push_back(&observed);
  }
  const int64_t most = lab.sample(120, 8);  // the atlas's own number of cases
  for (Half& half : halves) half = {spread(half.open, most), spread(half.closed, most)};
  return halves;
}

// What one finder says of both halves.
struct Found {
  std::string label;
  std::vector<HeadScores> halves;
  std::vector<int64_t> retrieval_cases;  // that a half's retrieval scores are means of

  RoleScores half(size_t i) const {
    return {flat(halves[i].difference()), flat(halves[i].task), fetched() ? flat(halves[i].retrieval) : Scores()};
  }
  // Of all cases together.
  RoleScores whole() const {
    const auto mean = [](const at::Tensor& a, int64_t of_a, const at::Tensor& b, int64_t of_b) {
      return (a * of_a + b * of_b) / (of_a + of_b);
    };
    const HeadScores &a = halves[0], &b = halves[1];
    return {flat(mean(a.open_book, a.open_cases, b.open_book, b.open_cases) -
                 mean(a.closed_book, a.closed_cases, b.closed_book, b.closed_cases)),
            flat(mean(a.task, a.key_cases, b.task, b.key_cases)),
            fetched() ? flat(mean(a.retrieval, retrieval_cases[0], b.retrieval, retrieval_cases[1])) : Scores()};
  }
  bool fetched() const { return retrieval_cases[0] > 0 && retrieval_cases[1] > 0; }
};

bool made_by_lrp(const HeadAtlas& atlas) {
  const auto found = atlas.provenance.find("finder");
  return found != atlas.provenance.end() && found->second == "AttnLRP";
}

std::string finder_label(bool lrp) { return lrp ? "AttnLRP" : "gradient times activation (retrieval: write score)"; }

// As atlas_builder.cc finds heads.
Found find(const Laboratory& lab, const std::vector<Half>& halves, bool lrp) {
  Found found{.label = finder_label(lrp)};
  const Relevance relevance(lab.decoder->shared_model(), lrp ? BackwardRules::kAttnLrp : BackwardRules::kPlainGradient);
  for (size_t i = 0; i < halves.size(); ++i) {
    const Half& half = halves[i];
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
  const auto add = [&](const char* score, const Scores& a, const Scores& b) {
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
  std::optional<Found> find_or_say_why(const std::vector<Half>& halves);
  void charts();
  void counts();
  void overlaps();
  Json heads() const;

  const Laboratory& lab_;
  const HeadAtlas& atlas_;
  RoleScores own_;                    // the atlas's
  std::optional<Found> again_, lrp_;  // by the atlas's finder on halves; by AttnLRP, where that is another
  Json part_;
};

void Roles::compare() {
  const std::vector<Half> halves = halves_of(lab_);
  for (const Half& half : halves)
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
  lrp_ = find(lab_, halves, true);
  add_correlations(part_, "stability_attnlrp", of_halves + lrp_->label, lrp_->half(0), lrp_->half(1));
  if (again_) add_correlations(part_, "agreement_attnlrp", again_->label + " and AttnLRP", again_->whole(), lrp_->whole());
}

std::optional<Found> Roles::find_or_say_why(const std::vector<Half>& halves) {
  try {
    Found found = find(lab_, halves, made_by_lrp(atlas_));
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
                                             on_map(by_own_rule(scores))));
  };
  const std::string own = "the atlas, by " + finder_label(made_by_lrp(atlas_));
  add(own, own_);
  part_["charts"].push_back(functional_map("Functional map, the paper's share of all heads: " + own, atlas_.layers, atlas_.heads,
                                           on_map(by_paper_share(own_))));
  if (lrp_) add("AttnLRP", lrp_->whole());
}

void Roles::counts() {
  const std::vector<HeadRole> papers = by_paper_share(own_);
  const size_t kept[] = {atlas_.in_context.size(), atlas_.parametric.size(), atlas_.task.size(), atlas_.retrieval.size()};
  // By the own rule; no heads where there are no scores.
  const auto role_in = [](const std::optional<Found>& found, std::optional<size_t> half, const std::string& role) {
    if (!found || (role == "retrieval" && !found->fetched())) return HeadRole{};
    return named(by_own_rule(half ? found->half(*half) : found->whole()), role);
  };
  const auto count = [](const HeadRole& role) { return role.scores.empty() ? Json() : Json(role.count); };
  Json rows = Json::array();
  for (size_t i = 0; i < papers.size(); ++i) {
    const std::string& role = papers[i].name;
    const HeadRole first = role_in(again_, 0, role), second = role_in(again_, 1, role), lrp = role_in(lrp_, {}, role);
    rows.push_back({role == "in_context" ? "in-context" : role, heads_before_elbow(papers[i].scores), count(first), count(second),
                    first.scores.empty() ? Json() : Json(shared(first, second)), count(lrp), papers[i].count, kept[i],
                    papers[i].scores.size()});
  }
  part_["tables"].push_back({{"title",
                              "How many heads have a role. Own rule: those before the elbow of the sorted scores, the point "
                              "farthest below the line between its ends"},
                             {"columns",
                              {"role", "own rule", "in the first half of the subjects", "in the second half", "in both",
                               "by AttnLRP", "the paper's share", "the atlas keeps", "of all"}},
                             {"rows", std::move(rows)}});
}

void Roles::overlaps() {
  std::vector<std::vector<HeadRole>> choices = {by_own_rule(own_), by_paper_share(own_)};
  if (lrp_) choices.push_back(by_own_rule(lrp_->whole()));
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
