#include "openbook/attribution/atlas_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "calibration.h"
#include "openbook/base/error.h"

namespace openbook::attribution {
namespace {

// How far below the atlas's own validation a check may fall. Wider than what seeds and a small sample do to a model that has not
// changed.
constexpr double kAucLoss = 0.03, kPlaceLoss = 0.05, kRecitedPassed = 0.05;
constexpr Setting kChecked[] = {Setting::kOwn, Setting::kBare, Setting::kClosed};
constexpr size_t kLeastOfEach = 5;  // answers of each kind

// Known facts of the test relations, the relations in turn.
std::vector<int32_t> known_facts(const CaseRunner& runner, const ContrastSet& set, const AtlasCheckOptions& options,
                                 const RunOptions& running) {
  std::vector<int32_t> candidates;
  for (size_t fact = 0; fact < set.facts.size(); ++fact)
    if (set.relations[set.facts[fact].relation].split == Split::kTest) candidates.push_back(static_cast<int32_t>(fact));
  std::vector<int32_t> known;
  const auto at_once = static_cast<size_t>(4 * options.facts);  // a model that knows fewer than every fourth is asked again
  std::vector<int32_t> spread;
  for (size_t first = 0; first < 97; ++first)
    for (size_t i = first; i < candidates.size(); i += 97) spread.push_back(candidates[i]);
  for (size_t begin = 0; begin < spread.size() && static_cast<int64_t>(known.size()) < options.facts; begin += at_once) {
    std::vector<ContrastCase> cases;
    for (size_t i = begin; i < std::min(begin + at_once, spread.size()); ++i)
      cases.push_back(set.make_case(spread[i], Setting::kClosed, options.seed));
    for (const ObservedCase& observed : runner.answer(std::move(cases), running))
      if (observed.given == GivenAnswer::kMemory && static_cast<int64_t>(known.size()) < options.facts)
        known.push_back(observed.made.fact);
  }
  return known;
}

std::string number(double value) {
  char text[16];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

void judge(AtlasCheck& check, const HeadAtlas& atlas) {
  const auto pooled = std::find_if(atlas.validation.begin(), atlas.validation.end(),
                                   [](const AtlasValidation& row) { return row.setting == "pooled"; });
  if (pooled == atlas.validation.end())
    throw Error(Code::kInvalidArgument, "the atlas holds no validation of its own",
                "Build it again with `openbook atlas build`.");
  if (check.auc < pooled->auc - kAucLoss)
    check.reason = "the probe tells copied from recited with AUC " + number(check.auc) + ", " + number(pooled->auc) +
                   " when the atlas was made";
  else if (check.place_top1 < pooled->place_top1 - kPlaceLoss)
    check.reason = "the localizer finds " + number(check.place_top1) + " of the places, " + number(pooled->place_top1) +
                   " when the atlas was made";
  else if (check.recited_passed > kRecitedPassed)
    check.reason = number(check.recited_passed) + " of the recited answers pass as copied";
  check.holds = check.reason.empty();
}

}  // namespace

AtlasCheck check_atlas(std::shared_ptr<const engine::Model> model, const ContrastSet& facts, const HeadAtlas& atlas,
                       const AtlasCheckOptions& options, const Progress& progress, const Cancellation* cancellation) {
  const engine::ModelConfig& config = model->config();
  if (config.layers != atlas.layers || config.heads != atlas.heads)
    throw Error(Code::kFailedPrecondition,
                "the atlas is of a model with " + std::to_string(atlas.layers) + " layers of " + std::to_string(atlas.heads) +
                    " heads, this one has " + std::to_string(config.layers) + " of " + std::to_string(config.heads),
                "Build an atlas of this model with `openbook atlas build`.");
  const engine::Decoder decoder(std::move(model));
  const CaseRunner runner(decoder);
  const auto running = [&](const std::string& stage, int64_t total) {
    return RunOptions{.progress =
                          [&progress, stage, total](int64_t done) {
                            if (progress) progress(stage, done, total);
                          },
                      .cancellation = cancellation};
  };
  const std::vector<int32_t> known =
      known_facts(runner, facts, options, running("facts that the model knows", 4 * options.facts));
  std::vector<ContrastCase> cases;
  for (const int32_t fact : known)
    for (const Setting setting : kChecked) cases.push_back(facts.make_case(fact, setting, options.seed));
  const auto total = static_cast<int64_t>(cases.size());
  const std::vector<ObservedCase> observed = runner.observe(std::move(cases), running("answers", total));
  std::vector<const ObservedCase*> given;
  for (const ObservedCase& each : observed)
    if (each.given != GivenAnswer::kNeither) given.push_back(&each);
  const std::vector<std::optional<bool>> copied =
      runner.copied(given, running("labels by cause", static_cast<int64_t>(given.size())));

  std::vector<LabelledCase> labelled;
  for (size_t i = 0; i < given.size(); ++i)
    if (copied[i]) labelled.push_back({given[i], *copied[i], Split::kTest});
  const AtlasValidation row = validate_setting(atlas, labelled, std::nullopt);
  AtlasCheck check{.facts = static_cast<int64_t>(known.size()),
                   .copied = row.copied,
                   .recited = row.recited,
                   .auc = row.auc,
                   .place_top1 = row.place_top1};
  if (static_cast<size_t>(std::min(check.copied, check.recited)) < kLeastOfEach)
    throw Error(Code::kFailedPrecondition,
                "the check got " + std::to_string(check.copied) + " copied and " + std::to_string(check.recited) +
                    " recited answers; " + std::to_string(kLeastOfEach) + " of each are needed",
                "Ask for more facts, or this model knows too few or follows no documents.");
  const ProbeFeatures features(atlas.heads, atlas.probe.heads, atlas.localizer);
  for (const LabelledCase& each : labelled) {
    const double p = atlas.probe.probability_copied(features.of(*each.observed), true);
    const CheckedAnswer& answer = check.answers.emplace_back(
        CheckedAnswer{.subject = facts.facts[each.observed->made.fact].subject,
                      .copied = each.copied,
                      .probability_copied = p,
                      .passes = p >= atlas.first_token.copied_above,
                      .blamed = p <= atlas.first_token.recited_below,
                      .place_found = each.copied ? found_place(atlas.localizer, atlas.heads, *each.observed) : std::nullopt});
    check.copied_blamed += answer.copied && answer.blamed;
    check.recited_passed += !answer.copied && answer.passes;
  }
  check.copied_blamed /= static_cast<double>(check.copied);
  check.recited_passed /= static_cast<double>(check.recited);
  judge(check, atlas);
  return check;
}

}  // namespace openbook::attribution
