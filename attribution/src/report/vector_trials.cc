#include "report/vector_trials.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "batches.h"
#include "report/statistics.h"

namespace openbook::attribution {
namespace {

constexpr int64_t kAfterNeedle = 6;  // a needle may be said in smaller tokens than it is read in

// Tokens of the text that hold a byte of the span.
TokenRange tokens_in(const engine::Model& model, const std::string& text, ByteSpan span) {
  const std::vector<engine::Token> tokens = model.tokenizer().encode(text, {.add_special = true});
  TokenRange range{-1, -1};
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].bytes.empty() || !tokens[i].bytes.overlaps(span)) continue;
    if (range.begin < 0) range.begin = static_cast<int64_t>(i);
    range.end = static_cast<int64_t>(i) + 1;
  }
  return range;
}

// Prompts that share a cue, and the edits of their rows.
class Prompts {
 public:
  Prompts(const engine::Model& model, const VectorExperiment& experiment, const std::vector<VectorTrial>& trials,
          const std::string& cue)
      : model_(model), experiment_(experiment), trials_(trials) {
    for (const VectorTrial& trial : trials) {
      tokens_.push_back(tokens_of_text(model, trial.text + cue));
      needles_.push_back(trial.needle.empty() ? TokenRange{} : tokens_in(model, trial.text + cue, trial.needle));
    }
  }

  const std::vector<std::vector<engine::TokenId>>& tokens() const { return tokens_; }

  // That may be said: whoever copies a needle must have room for the longest.
  int64_t max_tokens() const {
    int64_t most = experiment_.max_tokens;
    for (const TokenRange& needle : needles_)
      if (!needle.empty()) most = std::max(most, needle.size() + kAfterNeedle);
    return most;
  }

  // Row i is the prompt rows[i].prompt under doses[rows[i].edit].
  engine::BatchEdits edits(const std::vector<VectorDose>& doses, const std::vector<EditedRow>& rows) const;

 private:
  const engine::Model& model_;
  const VectorExperiment& experiment_;
  const std::vector<VectorTrial>& trials_;
  std::vector<std::vector<engine::TokenId>> tokens_;
  std::vector<TokenRange> needles_;
};

engine::BatchEdits Prompts::edits(const std::vector<VectorDose>& doses, const std::vector<EditedRow>& rows) const {
  const engine::ModelConfig& config = model_.config();
  const auto count = static_cast<int64_t>(rows.size());
  engine::BatchEdits edits;
  at::Tensor gains = at::ones({count, config.layers, config.heads}), biases = at::zeros_like(gains),
             scales = at::zeros_like(gains);
  at::Tensor sharpen = at::ones({count});
  std::vector<at::Tensor> vectors;
  auto gain_of = gains.accessor<float, 3>(), bias_of = biases.accessor<float, 3>(), scale_of = scales.accessor<float, 3>();
  for (int64_t row = 0; row < count; ++row) {
    const VectorDose& dose = doses[static_cast<size_t>(rows[row].edit)];
    const VectorWay& way = experiment_.ways[dose.way];
    edits.from.push_back(static_cast<int64_t>(tokens_[rows[row].prompt].size()) - 1);
    edits.positions.push_back(std::min(way.positions, config.max_positions));
    edits.biased_keys.push_back({needles_[rows[row].prompt]});
    sharpen[row] = dose.sharpen;
    if (way.vectors.defined()) vectors.push_back(way.vectors[trials_[rows[row].prompt].source]);
    for (const engine::HeadId head : first_of(way.order, dose.count)) {
      if (!way.vectors.defined()) {
        bias_of[row][head.layer][head.head] = static_cast<float>(dose.scale);
        continue;
      }
      gain_of[row][head.layer][head.head] = way.kept;
      scale_of[row][head.layer][head.head] = static_cast<float>(dose.scale);
    }
  }
  if (vectors.empty()) {
    edits.biases = biases.to(model_.device());
    edits.sharpen = sharpen.to(model_.device());
  } else {
    edits.gains = gains.to(model_.device());
    edits.values = at::stack(vectors) * scales.to(model_.device()).unsqueeze(-1);
  }
  return edits;
}

}  // namespace

std::vector<int64_t> head_counts(int64_t all, const std::vector<int64_t>& few, const std::vector<double>& shares) {
  std::set<int64_t> counts;
  for (const int64_t count : few) counts.insert(std::min(count, all));
  for (const double share : shares) counts.insert(static_cast<int64_t>(std::ceil(share * static_cast<double>(all))));
  return {counts.begin(), counts.end()};
}

std::vector<engine::TokenId> tokens_of_text(const engine::Model& model, const std::string& text) {
  std::vector<engine::TokenId> tokens;
  for (const engine::Token& token : model.tokenizer().encode(text, {.add_special = true})) tokens.push_back(token.id);
  return tokens;
}

std::vector<std::vector<double>> recalls(const Laboratory& lab, const VectorExperiment& experiment,
                                         const std::vector<VectorTrial>& trials, const std::vector<VectorDose>& doses,
                                         const std::string& stage) {
  std::map<std::string, std::vector<size_t>> by_cue;  // doses whose prompts are the same
  for (size_t dose = 0; dose < doses.size(); ++dose) by_cue[experiment.ways[doses[dose].way].cue].push_back(dose);
  std::vector<std::vector<double>> found(doses.size(), std::vector<double>(trials.size()));
  const auto total = static_cast<int64_t>(doses.size() * trials.size());
  int64_t before = 0;
  lab.report(stage, 0, total);
  for (const auto& [cue, members] : by_cue) {
    const Prompts prompts(lab.model(), experiment, trials, cue);
    std::vector<VectorDose> of_cue;
    for (const size_t member : members) of_cue.push_back(doses[member]);
    const EditedRuns runs{.count = static_cast<int64_t>(members.size()),
                          .edits = [&](const std::vector<EditedRow>& rows) { return prompts.edits(of_cue, rows); }};
    const auto said = say_all_under(*lab.decoder, prompts.tokens(), runs,
                                    {.max_tokens = prompts.max_tokens(),
                                     .progress = [&](int64_t done) { lab.report(stage, before + done, total); },
                                     .cancellation = lab.cancellation});
    for (size_t i = 0; i < members.size(); ++i)
      for (size_t trial = 0; trial < trials.size(); ++trial)
        found[members[i]][trial] = token_recall(said[i][trial], trials[trial].references);
    before += static_cast<int64_t>(members.size() * trials.size());
  }
  return found;
}

}  // namespace openbook::attribution
