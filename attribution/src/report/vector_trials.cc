#include "report/vector_trials.h"

#include <map>

#include "batches.h"
#include "report/statistics.h"

namespace openbook::attribution {
namespace {

at::Tensor mask_of(const engine::Model& model, const HeadSet& order, int64_t count) {
  at::Tensor mask = at::zeros({model.config().layers, model.config().heads}, at::kFloat);
  auto of_head = mask.accessor<float, 2>();
  for (const engine::HeadId head : first_of(order, count)) of_head[head.layer][head.head] = 1;
  return mask.to(model.device());
}

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
      : model_(model), experiment_(experiment) {
    for (const VectorTrial& trial : trials) {
      tokens_.push_back(tokens_of_text(model, trial.text + cue));
      needles_.push_back(trial.needle.empty() ? TokenRange{} : tokens_in(model, trial.text + cue, trial.needle));
      sources_.push_back(trial.source);
    }
  }

  const std::vector<std::vector<engine::TokenId>>& tokens() const { return tokens_; }

  engine::BatchEdits edits(const VectorDose& dose, const std::vector<size_t>& rows) const {
    if (dose.count == 0) return {};
    const VectorWay& way = experiment_.ways[dose.way];
    const at::Tensor mask = mask_of(model_, way.order, dose.count);
    engine::BatchEdits edits{.positions = way.positions, .sharpen = static_cast<float>(dose.sharpen), .kept = way.kept};
    std::vector<int64_t> sources;
    for (const size_t row : rows) {
      edits.from.push_back(static_cast<int64_t>(tokens_[row].size()) - 1);
      edits.biased_keys.push_back({needles_[row]});
      sources.push_back(sources_[row]);
    }
    if (way.vectors.defined()) {
      edits.replaced = mask;
      edits.values = way.vectors.index_select(0, at::tensor(sources, at::kLong).to(model_.device())) * dose.scale;
    } else {
      edits.biases = mask.unsqueeze(0) * dose.scale;
    }
    return edits;
  }

 private:
  const engine::Model& model_;
  const VectorExperiment& experiment_;
  std::vector<std::vector<engine::TokenId>> tokens_;
  std::vector<TokenRange> needles_;
  std::vector<int64_t> sources_;
};

}  // namespace

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
  const auto total = static_cast<int64_t>(by_cue.size() * trials.size());
  int64_t before = 0;
  lab.report(stage, 0, total);
  for (const auto& [cue, members] : by_cue) {
    const Prompts prompts(lab.model(), experiment, trials, cue);
    const EditedRuns runs{.count = static_cast<int64_t>(members.size()),
                          .edits = [&](int64_t edit, const std::vector<size_t>& rows) {
                            return prompts.edits(doses[members[static_cast<size_t>(edit)]], rows);
                          }};
    const auto said = say_all_under(*lab.decoder, prompts.tokens(), runs,
                                    {.max_tokens = experiment.max_tokens,
                                     .progress = [&](int64_t done) { lab.report(stage, before + done, total); },
                                     .cancellation = lab.cancellation});
    for (size_t i = 0; i < members.size(); ++i)
      for (size_t trial = 0; trial < trials.size(); ++trial)
        found[members[i]][trial] = token_recall(said[i][trial], trials[trial].references);
    before += static_cast<int64_t>(trials.size());
  }
  return found;
}

}  // namespace openbook::attribution
