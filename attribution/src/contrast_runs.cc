#include "contrast_runs.h"

#include <algorithm>

#include "contrast_files.h"
#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

struct Run {
  const CaseRunner& runner;
  const ContrastSet& set;
  const ContrastRunOptions& options;
  const Progress& progress;
  const Cancellation* cancellation;

  std::vector<int32_t> known_facts() const;
  void observe(ContrastRuns& runs) const;

  RunOptions running(const std::string& stage, int64_t total) const {
    return {.progress =
                [this, stage, total](int64_t done) {
                  if (progress) progress(stage, done, total);
                },
            .cancellation = cancellation};
  }
};

std::vector<int32_t> Run::known_facts() const {
  const auto facts =
      static_cast<int64_t>(options.max_facts > 0 ? std::min<int64_t>(options.max_facts, set.facts.size()) : set.facts.size());
  std::vector<std::string> questions;
  std::vector<size_t> relations;  // of the questions
  for (size_t relation = 0; relation < set.relations.size(); ++relation)
    for (const std::string& subject : set.relations[relation].invented_subjects) {
      questions.push_back(replaced(set.relations[relation].questions.front(), kSubject, subject));
      relations.push_back(relation);
    }
  const std::vector<std::string> said =
      runner.say(questions, running("invented subjects", static_cast<int64_t>(questions.size())));
  std::vector<std::string> guesses(set.relations.size());  // what the model says of invented subjects, per relation
  for (size_t i = 0; i < said.size(); ++i) guesses[relations[i]] += said[i] + "\n";

  std::vector<int32_t> known;
  std::vector<ContrastCase> closed;
  for (int64_t i = 0; i < facts; ++i)  // spread over relations before a limit cuts them
    closed.push_back(
        set.make_case(static_cast<int32_t>(i * static_cast<int64_t>(set.facts.size()) / facts), Setting::kClosed, options.seed));
  for (const ObservedCase& answered : runner.answer(std::move(closed), running("closed-book facts", facts))) {
    const Fact& fact = set.facts[answered.made.fact];
    if (answered.given == GivenAnswer::kMemory && !holds_words(guesses[fact.relation], fact.object))
      known.push_back(answered.made.fact);
  }
  return known;
}

void Run::observe(ContrastRuns& runs) const {
  std::vector<ContrastCase> cases;
  for (const int32_t fact : runs.known)
    for (const Setting setting : kContrastSettings) cases.push_back(set.make_case(fact, setting, options.seed));
  const auto count = static_cast<int64_t>(cases.size());
  runs.observed = runner.observe(std::move(cases), running("contrast cases", count));
  std::vector<const ObservedCase*> given;
  for (const ObservedCase& observed : runs.observed)
    if (observed.given != GivenAnswer::kNeither) given.push_back(&observed);
  const std::vector<std::optional<bool>> copied =
      runner.copied(given, running("labels by cause", static_cast<int64_t>(given.size())));
  for (size_t i = 0; i < given.size(); ++i)
    if (copied[i]) runs.labelled.push_back({given[i], *copied[i], set.relations[set.facts[given[i]->made.fact].relation].split});
}

}  // namespace

ContrastRuns run_contrast_set(const CaseRunner& runner, const ContrastSet& set, const ContrastRunOptions& options,
                              const Progress& progress, const Cancellation* cancellation) {
  const Run run{runner, set, options, progress, cancellation};
  ContrastRuns runs;
  runs.known = run.known_facts();
  run.observe(runs);
  return runs;
}

}  // namespace openbook::attribution
