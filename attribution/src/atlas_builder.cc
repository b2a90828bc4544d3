#include "openbook/attribution/atlas_builder.h"

#include <algorithm>

#include "atlas_from_runs.h"
#include "calibration.h"
#include "case_runner.h"
#include "contrast_runs.h"
#include "date.h"
#include "dose_sweep.h"
#include "head_finding.h"
#include "openbook/base/hash.h"
#include "openbook/base/words.h"
#include "spread.h"

namespace openbook::attribution {
namespace {

// Cases whose relevance is averaged: enough that halves of the data rank heads alike, few enough for two CPU cores.
constexpr int64_t kRelevanceCases = 120;
constexpr int64_t kLeastCopied = 30, kLeastRecited = 30;  // on each of fit and calibrate

class Builder {
 public:
  Builder(const engine::Decoder& decoder, const ContrastSet& set, const ContrastRuns& runs, const Embedder& embedder,
          const AtlasBuildOptions& options, const Progress& progress, const Cancellation* cancellation)
      : decoder_(decoder),
        set_(&set),
        runs_(runs),
        embedder_(&embedder),
        options_(&options),
        progress_(&progress),
        cancellation_(cancellation),
        runner_(decoder) {
    atlas_.layers = decoder.model().config().layers;
    atlas_.heads = decoder.model().config().heads;
  }

  HeadAtlas build() {
    require_enough();
    find_heads();
    fit();
    fit_dose();
    validate();
    describe();
    return std::move(atlas_);
  }

 private:
  RunOptions running(const std::string& stage, int64_t total, const SteeringDose* dose = nullptr) const {
    return {.dose = dose,
            .progress = [this, stage, total](int64_t done) { report(stage, done, total); },
            .cancellation = cancellation_};
  }

  void report(const std::string& stage, int64_t done, int64_t total) const {
    if (*progress_) (*progress_)(stage, done, total);
  }

  Split split_of(const ObservedCase& observed) const { return set_->relations[set_->facts[observed.made.fact].relation].split; }

  std::vector<const ObservedCase*> fit_cases(Setting setting, GivenAnswer given) const;
  void find_heads();
  void keep(const HeadScores& scores);
  void fit();
  void fit_dose();
  void validate();
  void describe();
  void require_enough() const;

  const engine::Decoder& decoder_;
  const ContrastSet* set_;
  const ContrastRuns& runs_;
  const Embedder* embedder_;
  const AtlasBuildOptions* options_;
  const Progress* progress_;
  const Cancellation* cancellation_;
  CaseRunner runner_;
  HeadAtlas atlas_;
  std::vector<engine::HeadId> retrieving_;  // by retrieval score, best first: what probe and steering draw on
};

// Of the fit split: evenly spread over the facts, and so over the relations.
std::vector<const ObservedCase*> Builder::fit_cases(Setting setting, GivenAnswer given) const {
  std::vector<const ObservedCase*> all;
  for (const ObservedCase& observed : runs_.observed)
    if (split_of(observed) == Split::kFit && observed.made.setting == setting && observed.given == given)
      all.push_back(&observed);
  return spread(all, kRelevanceCases);
}

void Builder::find_heads() {
  const auto open_book = fit_cases(Setting::kOwn, GivenAnswer::kDocument),
             closed_book = fit_cases(Setting::kClosed, GivenAnswer::kMemory);
  const bool lrp = options_->finder == HeadFinder::kAttnLrp;
  const auto counting = [this](const char* stage, size_t total) {
    return [this, stage, total](int64_t done) {
      if (cancellation_) cancellation_->check();
      report(stage, done, static_cast<int64_t>(total));
    };
  };
  const Relevance relevance(decoder_.shared_model(), lrp ? BackwardRules::kAttnLrp : BackwardRules::kPlainGradient);
  HeadScores scores = score_heads(relevance, decoder_.model().config(), open_book, closed_book,
                                  counting("relevance", open_book.size() + closed_book.size()));
  if (!lrp) {
    const AnswerTrials trials = answer_trials(decoder_.model(), *set_, open_book, options_->seed);
    scores.retrieval = score_needles(decoder_, trials, counting("needles", trials.trials.size()), cancellation_).write;
  }
  keep(scores);
  atlas_.provenance["finder"] = lrp ? "AttnLRP" : "write score, gradient times activation";
}

void Builder::keep(const HeadScores& scores) {
  atlas_.difference_score = flat(scores.difference());
  atlas_.task_score = flat(scores.task);
  atlas_.retrieval_score = flat(scores.retrieval);
  const auto heads_of = [&](const HeadRole& role) {
    std::vector<engine::HeadId> heads;
    for (const size_t at : members(role))
      heads.push_back({static_cast<int32_t>(at) / static_cast<int32_t>(atlas_.heads),
                       static_cast<int32_t>(at) % static_cast<int32_t>(atlas_.heads)});
    return heads;
  };
  const std::vector<HeadRole> roles =
      head_roles(atlas_.difference_score, atlas_.task_score, atlas_.retrieval_score, options_->role_size);
  atlas_.in_context = heads_of(roles[0]);
  atlas_.parametric = heads_of(roles[1]);
  atlas_.task = heads_of(roles[2]);
  atlas_.retrieval = heads_of(roles[3]);
  retrieving_ = largest(scores.retrieval, std::min(2 * options_->probe_heads, scores.retrieval.numel()));
  atlas_.provenance["role_size"] = options_->role_size == RoleSize::kElbow ? "elbow" : "the paper's share";
}

void Builder::require_enough() const {
  for (const Split split : {Split::kFit, Split::kCalibrate}) {
    int64_t copied = 0, recited = 0;
    for (const LabelledCase& each : runs_.labelled)
      if (each.split == split) ++(each.copied ? copied : recited);
    if (copied >= kLeastCopied && recited >= kLeastRecited) continue;
    throw Error(Code::kFailedPrecondition,
                std::string("the ") + (split == Split::kFit ? "fit" : "calibrate") + " relations gave " + std::to_string(copied) +
                    " copied and " + std::to_string(recited) + " recited answers; " + std::to_string(kLeastCopied) + " and " +
                    std::to_string(kLeastRecited) + " are needed. The model knows " + std::to_string(runs_.known.size()) +
                    " of the facts",
                copied < kLeastCopied ? "The model does not follow documents; use an instruction-tuned one."
                                      : "Use more facts, or facts that this model knows.");
  }
}

void Builder::fit() {
  report("probe", 0, 1);
  const std::vector<engine::HeadId> heads(
      retrieving_.begin(), retrieving_.begin() + std::min<int64_t>(options_->probe_heads, std::ssize(retrieving_)));
  const auto relation_of = [&](const LabelledCase& each) { return set_->facts[each.observed->made.fact].relation; };
  atlas_.localizer = fit_answer_localizer(atlas_.heads, heads, runs_.labelled);
  const ProbeFeatures features(atlas_.heads, heads, atlas_.localizer);
  atlas_.probe = fit_verdict_probe(features, runs_.labelled, relation_of);
  calibrate(atlas_.probe, features, runs_.labelled, atlas_.first_token, atlas_.continuation);
  atlas_.causal_nats = fit_causal_threshold(decoder_, runs_.labelled, *set_, options_->seed);
  atlas_.topic_similarity = fit_topic_threshold(*embedder_, runs_.labelled, 0.01);
  report("probe", 1, 1);
}

void Builder::fit_dose() {
  std::vector<int32_t> facts;
  for (const int32_t fact : runs_.known)
    if (set_->relations[set_->facts[fact].relation].split == Split::kCalibrate) facts.push_back(fact);
  const auto run_all = [&](const SteeringDose& dose, const std::string& stage) {
    std::vector<ContrastCase> cases;
    for (const int32_t fact : facts) cases.push_back(set_->make_case(fact, Setting::kBare, options_->seed));
    std::vector<GivenAnswer> given;
    for (const ObservedCase& observed :
         runner_.answer(std::move(cases), running(stage, static_cast<int64_t>(facts.size()), &dose)))
      given.push_back(observed.given);
    return given;
  };
  atlas_.steering = sweep_dose(retrieving_, atlas_.parametric, options_->probe_heads, run_all, atlas_.provenance);
}

void Builder::validate() {
  for (const Setting setting : kContrastSettings) atlas_.validation.push_back(validate_setting(atlas_, runs_.labelled, setting));
  atlas_.validation.push_back(validate_setting(atlas_, runs_.labelled, std::nullopt));
}

void Builder::describe() {
  const engine::Model& model = decoder_.model();
  atlas_.model_fingerprint = model.fingerprint();
  atlas_.model_name = model.folder().filename().string();
  std::string rows;
  for (const LabelledCase& each : runs_.labelled) {
    const Fact& fact = set_->facts[each.observed->made.fact];
    rows += set_->relations[fact.relation].name + "\t" + fact.subject + "\t" +
            std::string(setting_name(each.observed->made.setting)) + "\t" + (each.copied ? "copied" : "recited") + "\n";
  }
  atlas_.provenance["training_rows_sha256"] = sha256_hex(rows);
  atlas_.provenance["contrast_set_sha256"] = set_->sha256;
  atlas_.provenance["date"] = date_now();
  atlas_.provenance["seed"] = std::to_string(options_->seed);
  atlas_.provenance["device"] = model.device().str();
  atlas_.provenance["dtype"] = model.dtype() == at::kBFloat16 ? "bfloat16" : "float32";
  atlas_.provenance["command"] = options_->command;
  atlas_.provenance["facts"] = std::to_string(set_->facts.size());
  atlas_.provenance["known_facts"] = std::to_string(runs_.known.size());
  atlas_.provenance["labelled_cases"] = std::to_string(runs_.labelled.size());
  atlas_.provenance["observed_cases"] = std::to_string(runs_.observed.size());
}

}  // namespace

HeadAtlas build_atlas(const engine::Decoder& decoder, const ContrastSet& contrast_set, const ContrastRuns& runs,
                      const Embedder& embedder, const AtlasBuildOptions& options, const Progress& progress,
                      const Cancellation* cancellation) {
  return Builder(decoder, contrast_set, runs, embedder, options, progress, cancellation).build();
}

HeadAtlas build_atlas(std::shared_ptr<const engine::Model> model, const ContrastSet& contrast_set, const Embedder& embedder,
                      const AtlasBuildOptions& options, const Progress& progress, const Cancellation* cancellation) {
  const engine::Decoder decoder(std::move(model));
  const ContrastRunOptions running{.max_facts = options.max_facts, .seed = options.seed};
  const ContrastRuns runs = run_contrast_set(CaseRunner(decoder), contrast_set, running, progress, cancellation);
  return build_atlas(decoder, contrast_set, runs, embedder, options, progress, cancellation);
}

}  // namespace openbook::attribution
