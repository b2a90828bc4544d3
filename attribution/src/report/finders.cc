#include "report/finders.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <set>

#include "calibration.h"
#include "head_finding.h"
#include "openbook/attribution/atlas_builder.h"
#include "openbook/base/error.h"
#include "report/auc_figure.h"
#include "report/removal.h"

namespace openbook::attribution {
namespace {

struct Finder {
  std::string name, label;
  at::Tensor score;       // [layers, heads] float64: how much a head retrieves
  at::Tensor difference;  // open-book less closed-book score, where the finder has both
  int64_t cases = 0;
  bool candidate = true;  // may become the default: free of LRP, and no control
};

struct Quality {
  std::vector<engine::HeadId> heads;
  std::vector<double> logits;                      // of all labelled cases
  std::vector<ClusteredValue> places, lost;        // of copied answers: whether the best passage token is right; called nowhere
  double recited_passed = 0, copied_accepted = 0;  // shares of the test split at the calibrated threshold
};

class Finding {
 public:
  explicit Finding(const Laboratory& lab)
      : lab_(lab),
        config_(lab.model().config()),
        heads_(std::min(AtlasBuildOptions{}.probe_heads, config_.layers * config_.heads)) {}

  Json run() {
    find();
    for (const Finder& finder : finders_) qualities_.push_back(quality(finder));
    scores_and_maps();
    agreement();
    detection();
    closest();
    return std::move(part_);
  }

 private:
  void find();
  void add_ablation(const std::vector<const ObservedCase*>& open, const std::vector<const ObservedCase*>& closed);
  void add_relevance(const std::vector<const ObservedCase*>& open, const std::vector<const ObservedCase*>& closed,
                     BackwardRules rules);
  void add_needles(const std::vector<const ObservedCase*>& open);
  void add_random();

  Quality quality(const Finder& finder) const;
  void place(const Localizer& localizer, const LabelledCase& each, Quality& quality) const;
  std::vector<ClusteredScore> scored(const Quality& quality, Split split, std::optional<Setting> setting) const;
  double overlap(const Quality& quality) const;

  void scores_and_maps();
  void agreement();
  void detection();
  void closest();

  const std::string& subject(const LabelledCase& each) const { return lab_.facts->facts[each.observed->made.fact].subject; }

  const Laboratory& lab_;
  const engine::ModelConfig& config_;
  int64_t heads_;
  std::vector<Finder> finders_;  // AttnLRP first
  std::vector<Quality> qualities_;
  Json part_;
};

void Finding::find() {
  const std::vector<int32_t> facts = known_facts(lab_, {Split::kFit});
  const auto open = given_cases(lab_, facts, Setting::kOwn, GivenAnswer::kDocument, lab_.sample(120, 6));
  const auto closed = given_cases(lab_, facts, Setting::kClosed, GivenAnswer::kMemory, lab_.sample(120, 6));
  add_relevance(open, closed, BackwardRules::kAttnLrp);
  if (lab_.quick)
    part_["left_out"].push_back(
        "Quick: the ablation effect, which runs each case once a head, is left out; the other scores rest on few cases.");
  else
    add_ablation(open, closed);
  add_relevance(open, closed, BackwardRules::kPlainGradient);
  add_needles(open);
  add_random();
}

void Finding::add_ablation(const std::vector<const ObservedCase*>& open, const std::vector<const ObservedCase*>& closed) {
  const auto effect = [&](const std::vector<const ObservedCase*>& cases, const char* stage) {
    std::vector<NextToken> tokens;
    for (size_t i = 0; i < cases.size(); i += 3) tokens.push_back(first_answer_token(*cases[i]));
    return std::pair{ablation_effect(lab_, tokens, stage), static_cast<int64_t>(tokens.size())};
  };
  const auto [of_open, cases] = effect(open, "ablation effect, open-book");
  const auto [of_closed, closed_cases] = effect(closed, "ablation effect, closed-book");
  finders_.push_back({"ablation", "ablation effect", of_open, of_open - of_closed, cases});
}

void Finding::add_relevance(const std::vector<const ObservedCase*>& open, const std::vector<const ObservedCase*>& closed,
                            BackwardRules rules) {
  const bool lrp = rules == BackwardRules::kAttnLrp;
  const char* label = lrp ? "AttnLRP" : "gradient times activation";
  const auto total = static_cast<int64_t>(open.size() + closed.size());
  try {
    const HeadScores scores =
        score_heads(Relevance(lab_.decoder->shared_model(), rules), config_, open, closed, [&](int64_t done) {
          lab_.check();
          lab_.report(label, done, total);
        });
    finders_.push_back({lrp ? "attnlrp" : "gradient", label, scores.retrieval, scores.difference(), scores.key_cases, !lrp});
  } catch (const Error& error) {  // where the final norm saturates, no activation raises the logit
    if (lrp || error.code() != Code::kInternal) throw;
    part_["left_out"].push_back(std::string("Gradient times activation: ") + error.what());
  }
}

void Finding::add_needles(const std::vector<const ObservedCase*>& open) {
  const AnswerTrials trials = answer_trials(lab_.model(), *lab_.facts, open, lab_.seed);
  const auto total = static_cast<int64_t>(trials.trials.size());
  const NeedleScores scores = score_needles(
      *lab_.decoder, trials, [&](int64_t done) { lab_.report("needles", done, total); }, lab_.cancellation);
  part_["needles"] = {{"trials", total}, {"fetched", scores.trials}};
  if (scores.trials == 0) {
    part_["left_out"].push_back("Copy score, write score and attention: of " + std::to_string(total) +
                                " needles between other documents the model fetched none.");
    return;
  }
  finders_.push_back({"copy", "copy score", scores.copy, {}, scores.trials});
  finders_.push_back({"write", "write score", scores.write, {}, scores.trials});
  finders_.push_back({"attention", "attention on the answer", scores.attention, {}, scores.trials});
}

void Finding::add_random() {
  std::mt19937_64 random(lab_.seed);
  std::vector<double> score(static_cast<size_t>(config_.layers * config_.heads));
  for (double& each : score) each = static_cast<double>(random() >> 11);
  finders_.push_back(
      {"random", "random heads", at::tensor(score, at::kDouble).view({config_.layers, config_.heads}), {}, 0, false});
}

Quality Finding::quality(const Finder& finder) const {
  Quality quality;
  quality.heads = largest(finder.score, heads_);
  const std::vector<LabelledCase>& cases = lab_.runs->labelled;
  const Localizer localizer = fit_answer_localizer(config_.heads, quality.heads, cases);
  const ProbeFeatures features(config_.heads, quality.heads, localizer);
  Probe probe = fit_verdict_probe(features, cases,
                                  [&](const LabelledCase& each) { return lab_.facts->facts[each.observed->made.fact].relation; });
  VerdictThresholds first, continuation;
  calibrate(probe, features, cases, first, continuation);
  double passed[2] = {0, 0}, count[2] = {0, 0};
  for (const LabelledCase& each : cases) {
    quality.logits.push_back(probe.logit(features.of(*each.observed)));
    if (each.split != Split::kTest) continue;
    count[each.copied] += 1;
    passed[each.copied] += probe.first_token.probability(quality.logits.back()) >= first.copied_above;
    if (each.copied) place(localizer, each, quality);
  }
  quality.recited_passed = passed[0] / count[0];
  quality.copied_accepted = passed[1] / count[1];
  return quality;
}

// As source tracking has it: the best passage token counts, and whether it is good enough to be named at all is a figure of its
// own.
void Finding::place(const Localizer& localizer, const LabelledCase& each, Quality& quality) const {
  const ObservedCase& observed = *each.observed;
  const bool document = observed.given == GivenAnswer::kDocument;
  const std::vector<int64_t> answer =
      tokens_of(observed.prompt, document ? observed.made.document_answer : observed.made.memory_answer);
  if (!observed.pattern.defined() || answer.empty()) return;
  const std::vector<float> attention = look_at(localizer, config_.heads, observed).attention;
  const std::optional<int64_t> best = Localizer::best(attention);
  const bool right = best && std::find(answer.begin(), answer.end(), *best) != answer.end();
  quality.places.push_back({subject(each), right ? 1.0 : 0.0});
  quality.lost.push_back({subject(each), localizer.locate(attention) ? 0.0 : 1.0});
}

// Of one setting; where nothing can be copied (silent, other, closed), its recited answers against the copied ones of `own`.
// Nothing: all settings pooled.
bool counts_for(const LabelledCase& each, std::optional<Setting> setting) {
  if (!setting || each.observed->made.setting == *setting) return true;
  const bool sourceless = *setting == Setting::kSilent || *setting == Setting::kOther || *setting == Setting::kClosed;
  return sourceless && each.copied && each.observed->made.setting == Setting::kOwn;
}

std::vector<ClusteredScore> Finding::scored(const Quality& quality, Split split, std::optional<Setting> setting) const {
  std::vector<ClusteredScore> scores;
  for (size_t i = 0; i < quality.logits.size(); ++i) {
    const LabelledCase& each = lab_.runs->labelled[i];
    if (each.split == split && counts_for(each, setting)) scores.push_back({subject(each), quality.logits[i], each.copied});
  }
  return scores;
}

double Finding::overlap(const Quality& quality) const {
  const std::set<engine::HeadId> lrp(qualities_[0].heads.begin(), qualities_[0].heads.end());
  return static_cast<double>(
             std::count_if(quality.heads.begin(), quality.heads.end(), [&](engine::HeadId head) { return lrp.contains(head); })) /
         static_cast<double>(heads_);
}

void Finding::scores_and_maps() {
  for (size_t i = 0; i < finders_.size(); ++i) {
    const Finder& finder = finders_[i];
    Json& entry = part_["finders"][finder.name] = {
        {"label", finder.label}, {"cases", finder.cases}, {"scores", flat(finder.score)}, {"top", Json::array()}};
    if (finder.difference.defined()) entry["difference"] = flat(finder.difference);
    for (const engine::HeadId head : qualities_[i].heads) entry["top"].push_back(engine::to_string(head));
    if (finder.name == "random") continue;
    Json cells = Json::array();
    const double most = finder.score.max().item<double>();
    for (const engine::HeadId head : qualities_[i].heads) {
      const double strength = most > 0 ? finder.score[head.layer][head.head].item<double>() / most : 0;
      cells.push_back(
          {{"layer", head.layer}, {"head", head.head}, {"color", "retrieval"}, {"strength", std::clamp(strength, 0.0, 1.0)}});
    }
    part_["charts"].push_back({{"kind", "head_map"},
                               {"title", "Top " + std::to_string(heads_) + " heads: " + finder.label},
                               {"layers", config_.layers},
                               {"heads", config_.heads},
                               {"cells", cells}});
  }
}

void Finding::agreement() {
  Json table = {{"title", "Agreement with AttnLRP"},
                {"columns",
                 {"finder", "cases", "rank correlation of retrieval scores", "shared of the top " + std::to_string(heads_),
                  "rank correlation of open less closed"}},
                {"rows", Json::array()}};
  for (size_t i = 1; i < finders_.size(); ++i) {
    const Finder& finder = finders_[i];
    const double correlation = rank_correlation(flat(finder.score), flat(finders_[0].score)), shared = overlap(qualities_[i]);
    Json row = {finder.label, finder.cases, correlation, shared, nullptr};
    Json& entry = part_["finders"][finder.name];
    entry["rank_correlation"] = correlation;
    entry["shared"] = shared;
    if (finder.difference.defined())
      row[4] = entry["difference_rank_correlation"] = rank_correlation(flat(finder.difference), flat(finders_[0].difference));
    table["rows"].push_back(row);
  }
  part_["tables"].push_back(table);
}

void Finding::detection() {
  Json table = {{"title", "Probe and localizer on test relations, under each finder's top " + std::to_string(heads_) +
                              " heads (place top-1: the best passage token is right; its like counts eightfold)"},
                {"columns",
                 {"finder", "AUC, all", "own", "decoy", "bare", "silent", "other", "closed", "AUC, calibrate", "place top-1",
                  "called nowhere", "recited passed", "copied accepted"}},
                {"rows", Json::array()}};
  Json counts = {"copied / recited, of every finder"};
  for (size_t i = 0; i < finders_.size(); ++i) {
    const Quality& quality = qualities_[i];
    Json entry, row = {finders_[i].label};
    const auto add_auc = [&](Split split, std::optional<Setting> setting) {
      const std::vector<ClusteredScore> cases = scored(quality, split, setting);
      const Json estimate = auc_of(cases).to_json();
      row.push_back(estimate["value"]);
      const int64_t copied = count_positive(cases);
      if (i == 0) counts.push_back(std::to_string(copied) + " / " + std::to_string(std::ssize(cases) - copied));
      return estimate;
    };
    entry["auc"]["all"] = add_auc(Split::kTest, std::nullopt);
    for (const Setting setting : kContrastSettings)
      entry["auc"][std::string(setting_name(setting))] = add_auc(Split::kTest, setting);
    entry["auc_calibrate"] = add_auc(Split::kCalibrate, std::nullopt);
    entry["place_top1"] = mean_of(quality.places).to_json();
    entry["place_lost"] = mean_of(quality.lost).to_json();
    for (const Json& value : {entry["place_top1"]["value"], entry["place_lost"]["value"], Json(quality.recited_passed),
                              Json(quality.copied_accepted)})
      row.push_back(value);
    table["rows"].push_back(row);
    part_["finders"][finders_[i].name].update(entry);
    part_["figures"].push_back(auc_figure("auc_" + finders_[i].name, "AUC, test relations: " + finders_[i].label,
                                          scored(quality, Split::kTest, std::nullopt)));
    part_["figures"].push_back(
        figure("place_" + finders_[i].name,
               "place top-1 (the best passage token is right; its like counts eightfold), test relations: " + finders_[i].label,
               entry["place_top1"]));
  }
  const Json places = qualities_.front().places.size();
  for (const Json& count : {places, places, Json(nullptr), Json(nullptr)}) counts.push_back(count);
  table["rows"].push_back(counts);
  part_["tables"].push_back(table);
}

void Finding::closest() {
  size_t best = 0;
  double best_auc = -1;
  for (size_t i = 0; i < finders_.size(); ++i) {
    if (!finders_[i].candidate) continue;
    const double chosen_on = auc_of(scored(qualities_[i], Split::kCalibrate, std::nullopt)).value;
    if (chosen_on > best_auc) best = i, best_auc = chosen_on;
  }
  std::vector<PairedScore> pairs;
  for (size_t i = 0; i < lab_.runs->labelled.size(); ++i) {
    const LabelledCase& each = lab_.runs->labelled[i];
    if (each.split == Split::kTest)
      pairs.push_back({subject(each), qualities_[best].logits[i], qualities_[0].logits[i], each.copied});
  }
  const auto copied = std::count_if(pairs.begin(), pairs.end(), [](const PairedScore& each) { return each.positive; });
  part_["closest_without_lrp"] = finders_[best].name;
  part_["figures"].push_back(
      figure("closest_without_lrp",
             "AUC of " + finders_[best].label + ", the best without LRP on calibrate relations, less that of AttnLRP (" +
                 std::to_string(copied) + " copied, " + std::to_string(std::ssize(pairs) - copied) + " recited)",
             auc_gap_of(pairs).to_json(), ">= -0.01"));
}

}  // namespace

at::Tensor ablation_effect(const Laboratory& lab, const std::vector<NextToken>& cases, const std::string& stage) {
  const engine::ModelConfig& config = lab.model().config();
  std::vector<HeadSet> removals = {{}};
  for (const engine::HeadId head : all_heads(config)) removals.push_back({head});
  const at::Tensor log_probability = log_probability_without(lab, cases, removals, stage).to(at::kDouble);
  const at::Tensor effect =
      cases.empty() ? at::zeros({config.layers * config.heads}, at::kDouble)
                    : (log_probability[0].unsqueeze(0) - log_probability.narrow(0, 1, config.layers * config.heads)).mean(1);
  return effect.view({config.layers, config.heads});
}

Json run_finders(const Laboratory& lab) { return Finding(lab).run(); }

}  // namespace openbook::attribution
