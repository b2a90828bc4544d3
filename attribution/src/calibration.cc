#include "calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "openbook/base/sentences.h"
#include "openbook/base/words.h"
#include "openbook/engine/session.h"
#include "spread.h"

namespace openbook::attribution {
namespace {

constexpr double kRecitedPassed = 0.01;                 // of recited answers may pass as copied, by the upper confidence bound
constexpr double kCopiedBlamed = 0.02;                  // of copied answers may be called recited
constexpr double kLikelierCopied = 0.5;                 // what is likelier copied than recited is never called recited
constexpr double kLeastCausalNats = 1.0;                // below it even an unrelated sentence moves a probability that much
constexpr double kL2Grid[] = {0.3, 1, 3, 10, 30, 100};  // ascending
constexpr double kAsGood = 0.001;                       // of AUC between regularisations: no difference on a few hundred answers

// Mean AUC over folds of relations, each scored by a probe that saw none of the fold's.
double held_out_auc(const std::vector<ProbeExample>& examples, double l2) {
  constexpr int32_t kFolds = 4;
  std::vector<double> scores;
  std::vector<bool> copied;
  double sum = 0;
  int32_t counted = 0;
  for (int32_t fold = 0; fold < kFolds; ++fold) {
    std::vector<ProbeExample> kept;
    std::vector<double> fold_scores;
    std::vector<bool> fold_copied;
    for (const ProbeExample& example : examples)
      if (example.group % kFolds != fold) kept.push_back(example);
    const Probe probe = fit_probe(kept, l2);
    for (const ProbeExample& example : examples) {
      if (example.group % kFolds != fold) continue;
      fold_scores.push_back(probe.logit(example.features));
      fold_copied.push_back(example.copied);
    }
    const double auc = roc_auc(fold_scores, fold_copied);
    if (std::isnan(auc)) continue;  // a fold without one of the classes says nothing
    sum += auc;
    ++counted;
  }
  return counted > 0 ? sum / counted : 0;
}

struct ScoredTokens {
  std::vector<double> logits;
  std::vector<bool> copied;
};

// The probe's logits of the calibrate split's answer tokens: the first of each answer, or the later ones.
ScoredTokens score_tokens(const Probe& probe, const ProbeFeatures& features, const std::vector<LabelledCase>& cases, bool first) {
  ScoredTokens scored;
  for (const LabelledCase& each : cases) {
    if (each.split != Split::kCalibrate) continue;
    const size_t begin = first ? 0 : 1, end = first ? 1 : each.observed->evidence.size();
    for (size_t token = begin; token < end; ++token) {
      scored.logits.push_back(probe.logit(features.of(*each.observed, token)));
      scored.copied.push_back(each.copied);
    }
  }
  return scored;
}

// The lowest threshold whose bound on recited answers passed as copied holds; when the sample is too small for the bound, the one
// that lets none pass.
VerdictThresholds thresholds_of(const PlattScaling& platt, const ScoredTokens& tokens) {
  std::vector<double> copied, recited;
  for (size_t i = 0; i < tokens.logits.size(); ++i) {
    (tokens.copied[i] ? copied : recited).push_back(platt.probability(tokens.logits[i]));
  }
  std::sort(copied.begin(), copied.end());
  std::sort(recited.begin(), recited.end(), std::greater<>());
  const auto trials = static_cast<int64_t>(recited.size());
  int64_t passed = 0;
  while (passed < trials && clopper_pearson_upper(passed + 1, trials) <= kRecitedPassed) ++passed;
  VerdictThresholds thresholds;
  thresholds.copied_above = std::nextafter(recited[passed], 2.0);  // the first that must not pass
  thresholds.recited_passed_bound = clopper_pearson_upper(passed, trials);
  thresholds.recited_cases = trials;
  const double blamed = copied[static_cast<size_t>(kCopiedBlamed * static_cast<double>(copied.size()))];
  thresholds.recited_below = std::nextafter(std::min({blamed, thresholds.copied_above, kLikelierCopied}), 0.0);
  return thresholds;
}

const std::string& given_text(const ObservedCase& observed) {
  return observed.given == GivenAnswer::kDocument ? observed.made.document_answer : observed.made.memory_answer;
}

// Recited where the prompt held nothing on the subject.
bool recited_away(const LabelledCase& each) {
  const Setting setting = each.observed->made.setting;
  return !each.copied && (setting == Setting::kOther || setting == Setting::kClosed);
}

double log_probability(const engine::Decoder& decoder, const std::vector<engine::TokenId>& prompt, const ObservedCase& observed) {
  std::vector<engine::TokenId> context = prompt;
  context.insert(context.end(), observed.said.begin(), observed.said.begin() + observed.answer.begin);
  const std::span<const engine::TokenId> answer(observed.said.data() + observed.answer.begin, observed.answer.size());
  const std::vector<double> tokens = engine::log_probabilities(decoder, context, answer);
  return std::accumulate(tokens.begin(), tokens.end(), 0.0);
}

}  // namespace

HeadColumns::HeadColumns(int64_t heads_per_layer, const std::vector<engine::HeadId>& wanted) {
  for (const engine::HeadId head : wanted) columns_.push_back(head.layer * heads_per_layer + head.head);
}

std::vector<float> HeadColumns::of(const std::vector<float>& all) const {
  std::vector<float> picked;
  for (const int64_t column : columns_) picked.push_back(all[static_cast<size_t>(column)]);
  return picked;
}

at::Tensor HeadColumns::of(const at::Tensor& all) const { return all.index_select(0, at::tensor(columns_, at::kLong)); }

ProbeFeatures::ProbeFeatures(int64_t heads_per_layer, std::vector<engine::HeadId> heads, const Localizer& localizer)
    : heads_(std::move(heads)),
      evidence_(heads_per_layer, heads_),
      attention_(heads_per_layer, localizer.heads),
      localizer_(localizer) {}

std::vector<float> ProbeFeatures::of(const ObservedCase& observed, size_t token) const {
  return of(observed.evidence[token], localizer_.echo(attention_.of(observed.attention_to_alike[token])));
}

std::vector<float> ProbeFeatures::of(const std::vector<float>& evidence_of_all, float echo) const {
  std::vector<float> features = evidence_.of(evidence_of_all);
  features.push_back(echo);
  return features;
}

Localizer fit_answer_localizer(int64_t heads_per_layer, const std::vector<engine::HeadId>& heads,
                               const std::vector<LabelledCase>& cases) {
  const HeadColumns columns(heads_per_layer, heads);
  std::vector<LocalizerExample> examples;
  for (const LabelledCase& each : cases) {
    if (each.split != Split::kFit || !each.copied) continue;
    LocalizerExample example{columns.of(each.observed->pattern), each.observed->prompt.readable(), each.observed->alike,
                             first_tokens_of(each.observed->prompt, given_text(*each.observed))};
    std::erase_if(example.right, [&](int64_t key) { return !example.candidate[static_cast<size_t>(key)]; });
    // Empty: an alias was copied, or the answer stands only where the prompt begins.
    if (!example.right.empty()) examples.push_back(std::move(example));
  }
  return fit_localizer(heads, examples);
}

Look look_at(const Localizer& localizer, int64_t heads_per_layer, const ObservedCase& observed) {
  return localizer.look(HeadColumns(heads_per_layer, localizer.heads).of(observed.pattern), observed.prompt.readable(),
                        observed.alike);
}

Probe fit_probe_by_relation(const std::vector<ProbeExample>& examples) {
  std::vector<double> aucs;
  for (const double l2 : kL2Grid) aucs.push_back(held_out_auc(examples, l2));
  const double enough = *std::max_element(aucs.begin(), aucs.end()) - kAsGood;
  double strongest = 0;
  for (size_t i = 0; i < aucs.size(); ++i)
    if (aucs[i] >= enough) strongest = kL2Grid[i];
  return fit_probe(examples, strongest);
}

Probe fit_verdict_probe(const ProbeFeatures& features, const std::vector<LabelledCase>& cases,
                        const std::function<int32_t(const LabelledCase&)>& relation_of) {
  std::vector<const LabelledCase*> fitted, away;
  for (const LabelledCase& each : cases)
    if (each.split == Split::kFit) (recited_away(each) ? away : fitted).push_back(&each);
  const auto beside = std::count_if(fitted.begin(), fitted.end(), [](const LabelledCase* each) { return !each->copied; });
  for (const LabelledCase* each : spread(away, beside > 0 ? beside : std::ssize(away))) fitted.push_back(each);
  std::vector<ProbeExample> examples;
  for (const LabelledCase* each : fitted) examples.push_back({features.of(*each->observed), each->copied, relation_of(*each)});
  Probe probe = fit_probe_by_relation(examples);
  probe.heads = features.heads();
  return probe;
}

void calibrate(Probe& probe, const ProbeFeatures& features, const std::vector<LabelledCase>& cases,
               VerdictThresholds& first_token, VerdictThresholds& continuation) {
  const ScoredTokens first = score_tokens(probe, features, cases, true);
  ScoredTokens later = score_tokens(probe, features, cases, false);
  const auto copied = std::count(later.copied.begin(), later.copied.end(), true);
  if (copied == 0 || copied == static_cast<int64_t>(later.copied.size())) later = first;
  probe.first_token = fit_platt(first.logits, first.copied);
  probe.continuation = fit_platt(later.logits, later.copied);
  first_token = thresholds_of(probe.first_token, first);
  continuation = thresholds_of(probe.continuation, later);
}

double fit_causal_threshold(const engine::Decoder& decoder, const std::vector<LabelledCase>& cases, const ContrastSet& set,
                            uint64_t seed) {
  const engine::PromptBuilder prompts(decoder.model().tokenizer(), engine::read_chat_template(decoder.model().folder()));
  std::vector<double> recited;
  for (const LabelledCase& each : cases) {
    const ObservedCase& observed = *each.observed;
    const bool own = observed.made.setting == Setting::kOwn || observed.made.setting == Setting::kBare;
    if (each.split != Split::kCalibrate || !own || each.copied) continue;
    engine::PromptRequest request;
    request.passages = set.make_case(observed.made.fact, Setting::kSilent, seed).passages;
    request.question = observed.made.question;
    request.style = observed.made.setting == Setting::kBare ? engine::PromptStyle::kBare : engine::PromptStyle::kChat;
    recited.push_back(log_probability(decoder, observed.prompt.tokens, observed) -
                      log_probability(decoder, prompts.build(request).tokens, observed));
  }
  if (recited.empty()) return kLeastCausalNats;
  std::sort(recited.begin(), recited.end());
  return std::max(kLeastCausalNats, recited[static_cast<size_t>(0.99 * static_cast<double>(recited.size() - 1) + 0.5)]);
}

double fit_topic_threshold(const Embedder& embedder, const std::vector<LabelledCase>& cases, double share) {
  std::vector<double> closest;
  std::set<int32_t> seen;
  for (const LabelledCase& each : cases) {
    const ContrastCase& made = each.observed->made;
    if (each.split != Split::kCalibrate || made.setting != Setting::kOther || !seen.insert(made.fact).second) continue;
    std::vector<std::string> texts = {made.question};
    for (const Passage& passage : made.passages)
      for (const ByteSpan& sentence : split_sentences(passage.text)) texts.emplace_back(slice(passage.text, sentence));
    const std::vector<float> vectors = embedder.embed(texts);
    const int64_t dimension = embedder.dimension();
    double best = -1;
    for (size_t i = 1; i < texts.size(); ++i)
      best = std::max<double>(best, std::inner_product(vectors.begin(), vectors.begin() + dimension,
                                                       vectors.begin() + static_cast<int64_t>(i) * dimension, 0.0));
    closest.push_back(best);
  }
  if (closest.empty()) return 1;
  std::sort(closest.begin(), closest.end());
  return closest[static_cast<size_t>((1 - share) * static_cast<double>(closest.size() - 1) + 0.5)];
}

std::optional<bool> found_place(const Localizer& localizer, int64_t heads_per_layer, const ObservedCase& observed) {
  if (!observed.pattern.defined()) return std::nullopt;
  const std::vector<int64_t> answer = tokens_of(observed.prompt, given_text(observed));
  if (answer.empty()) return std::nullopt;
  const auto place = localizer.locate(look_at(localizer, heads_per_layer, observed).attention);
  return place && std::find(answer.begin(), answer.end(), *place) != answer.end();
}

AtlasValidation validate_setting(const HeadAtlas& atlas, const std::vector<LabelledCase>& cases, std::optional<Setting> setting) {
  const ProbeFeatures features(atlas.heads, atlas.probe.heads, atlas.localizer);
  AtlasValidation row;
  row.setting = setting ? setting_name(*setting) : "pooled";
  std::vector<double> scores;
  std::vector<bool> copied;
  int64_t placed = 0, right = 0;
  for (const LabelledCase& each : cases) {
    const ObservedCase& observed = *each.observed;
    if (each.split != Split::kTest || (setting && observed.made.setting != *setting)) continue;
    scores.push_back(atlas.probe.logit(features.of(observed)));
    copied.push_back(each.copied);
    ++(each.copied ? row.copied : row.recited);
    const std::optional<bool> found = each.copied ? found_place(atlas.localizer, atlas.heads, observed) : std::nullopt;
    placed += found.has_value();
    right += found.value_or(false);
  }
  row.auc = roc_auc(scores, copied);
  row.place_top1 =
      placed > 0 ? static_cast<double>(right) / static_cast<double>(placed) : std::numeric_limits<double>::quiet_NaN();
  return row;
}

}  // namespace openbook::attribution
