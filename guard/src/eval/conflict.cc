#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "answer/answer_json.h"
#include "case_runner.h"
#include "eval/conflict_tally.h"
#include "eval/eval.h"
#include "eval/row_loop.h"
#include "report/data_cases.h"
#include "report/rows.h"

namespace openbook::guard {
namespace {

using attribution::GivenAnswer;
using attribution::Setting;
using Json = nlohmann::ordered_json;

constexpr int64_t kAnswerTokens = 32;
constexpr std::array kAllSettings = {Setting::kOwn,   Setting::kDecoy,  Setting::kSilent,
                                     Setting::kOther, Setting::kClosed, Setting::kBare};

// Replaces what the passages hold of the answer and sees whether it follows (copied) or stays (recited).
std::optional<bool> label_by_cause(const Guard& guard, const ConflictResult& result, const AskOptions& ask) {
  if (result.unguarded_given == GivenAnswer::kNeither) return std::nullopt;
  const std::string& answer = answer_text(result.made, result.unguarded_given);
  const std::vector<std::string> sources = attribution::held_of({answer}, result.made.passages);
  if (sources.empty()) return false;
  if (result.made.replacement.empty()) return std::nullopt;
  std::vector<Passage> passages = result.made.passages;
  for (const std::string& source : sources)
    passages = attribution::with_replaced(std::move(passages), source, result.made.replacement);
  const Answer again = guard.ask_unguarded(result.made.question, passages, ask);
  switch (attribution::given_answer(again.text, result.made.replacement, {answer})) {
    case GivenAnswer::kDocument:
      return true;
    case GivenAnswer::kMemory:
      return false;
    case GivenAnswer::kNeither:
      return std::nullopt;
  }
  return std::nullopt;
}

std::vector<size_t> rows_of_drawn_subjects(const std::vector<nlohmann::json>& rows, const EvalOptions& options) {
  std::set<std::string> names;
  for (const nlohmann::json& row : rows) names.insert(row["subject"]);
  std::vector<nlohmann::json> subjects(names.begin(), names.end());
  std::set<std::string> drawn;
  for (const nlohmann::json& subject : attribution::draw_rows(std::move(subjects), options.limit, options.seed))
    drawn.insert(subject);
  std::vector<size_t> chosen;
  for (size_t i = 0; i < rows.size(); ++i)
    if (drawn.contains(rows[i]["subject"])) chosen.push_back(i);
  return chosen;
}

Json row_of(const ConflictResult& result, Setting setting, bool guarded) {
  const char* given[] = {"document", "memory", "neither"};
  Json json = {{"setting", attribution::setting_name(setting)},
               {"subject", result.made.subject},
               {"question", result.made.question},
               {"document_answer", result.made.document_answer},
               {"memory_answer", result.made.memory_answer},
               {"unguarded_given", given[static_cast<int>(result.unguarded_given)]},
               {"copied", result.copied ? Json(*result.copied) : Json(nullptr)},
               {"unguarded", brief(result.unguarded)}};
  if (guarded) json["guarded"] = brief(result.guarded);
  return json;
}

ConflictTally run_setting(const Guard& guard, const std::vector<nlohmann::json>& rows, const std::vector<size_t>& chosen,
                          Setting setting, const EvalOptions& options) {
  AskOptions ask;
  ask.max_tokens = kAnswerTokens;
  ask.form = setting == Setting::kBare ? PromptForm::kBare : PromptForm::kChat;
  ask.cancellation = options.cancellation;
  std::vector<std::optional<ConflictResult>> results(chosen.size());
  for_each_row(options, std::string(attribution::setting_name(setting)), chosen.size(), [&](size_t i) -> Json {
    auto made = attribution::make_conflict_case(rows, chosen[i], setting);
    if (!made) return nullptr;
    ConflictResult& result = results[i].emplace();
    result.made = std::move(*made);
    result.unguarded = guard.ask_unguarded(result.made.question, result.made.passages, ask);
    result.unguarded_given = given(result.unguarded.text, result.made);
    result.copied = label_by_cause(guard, result, ask);
    if (options.guarded) result.guarded = guard.ask(result.made.question, result.made.passages, ask);
    return row_of(result, setting, options.guarded);
  });
  ConflictTally tally;
  for (const auto& result : results)
    if (result) tally.add(*result, options.guarded);
  return tally;
}

}  // namespace

Json eval_conflict(const Guard& guard, const std::filesystem::path& file, const std::vector<Setting>& settings,
                   const EvalOptions& options) {
  const auto [rows, left_out] = attribution::conflict_rows(file);
  const std::vector<size_t> chosen = rows_of_drawn_subjects(rows, options);
  std::map<Setting, ConflictTally> tallies;
  for (const Setting setting : settings.empty() ? std::vector<Setting>(kAllSettings.begin(), kAllSettings.end()) : settings)
    tallies[setting] = run_setting(guard, rows, chosen, setting, options);

  Json json = {{"rows", chosen.size()}, {"left_out", left_out}};
  json.update(conflict_figures(tallies, options.guarded));
  return json;
}

}  // namespace openbook::guard
