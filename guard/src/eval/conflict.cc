#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "answer/answer_json.h"
#include "eval/eval.h"
#include "eval/row_loop.h"
#include "eval/shares.h"
#include "openbook/base/words.h"
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

struct ConflictResult {
  attribution::DataCase made;
  Answer unguarded, guarded;
  GivenAnswer unguarded_given = GivenAnswer::kNeither;
  std::optional<bool> copied;  // label by cause of the unguarded answer
};

GivenAnswer given(const std::string& text, const attribution::DataCase& made) {
  return attribution::given_answer(text, made.document_answer, {made.memory_answer});
}

const std::string& answer_text(const attribution::DataCase& made, GivenAnswer which) {
  return which == GivenAnswer::kDocument ? made.document_answer : made.memory_answer;
}

// The word that begins the given answer; null when the text spells it otherwise (an article).
const Word* answer_word(const std::string& text, const std::vector<Word>& words, const std::string& answer) {
  const std::vector<ByteSpan> places = find_words(text, answer);
  if (places.empty()) return nullptr;
  const auto word =
      std::find_if(words.begin(), words.end(), [&](const Word& each) { return each.answer.begin == places.front().begin; });
  return word == words.end() ? nullptr : &*word;
}

// What the probe read of the answer's first token in an attempt.
std::optional<double> first_token_probability(const Attempt& attempt, const std::string& answer) {
  const std::vector<ByteSpan> places = find_words(attempt.text, answer);
  if (places.empty()) return std::nullopt;
  for (const TokenRecord& token : attempt.tokens)
    if (token.answer.contains(places.front().begin)) return token.probability_copied;
  return std::nullopt;
}

// Replaces the source string and sees whether the answer follows (copied) or stays (recited).
std::optional<bool> label_by_cause(const Guard& guard, const ConflictResult& result, const AskOptions& ask) {
  if (result.unguarded_given == GivenAnswer::kNeither) return std::nullopt;
  const std::string& answer = answer_text(result.made, result.unguarded_given);
  const bool held = std::any_of(result.made.passages.begin(), result.made.passages.end(),
                                [&](const Passage& passage) { return holds_words(passage.text, answer); });
  if (!held) return false;
  if (result.made.replacement.empty()) return std::nullopt;
  const Answer again = guard.ask_unguarded(
      result.made.question, attribution::with_replaced(result.made.passages, answer, result.made.replacement), ask);
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

bool shown(const Answer& answer) { return answer.outcome == Outcome::kAnswered; }

bool has_supported_claim(const Answer& answer) {
  return std::any_of(answer.claims.begin(), answer.claims.end(),
                     [](const Claim& claim) { return claim.support == Support::kSupported; });
}

bool has_off_topic_claim(const Answer& answer) {
  return std::any_of(answer.claims.begin(), answer.claims.end(),
                     [](const Claim& claim) { return claim.support == Support::kCopiedOffTopic; });
}

// What is counted over the cases of one setting.
struct Tally {
  int64_t cases = 0, unlabelled = 0, label_dropped = 0;
  Share unguarded_document, unguarded_memory, document, memory, memory_unflagged, supported, off_topic, refused, steered;
  Share citation_match, citation_gold, place_top1;
  Separation probe, string_match, steered_probe;

  void add(const ConflictResult& result, bool guarded);

 private:
  void add_label(const ConflictResult& result);
  void add_guarded(const ConflictResult& result);
  void add_citations(const ConflictResult& result);
};

void Tally::add(const ConflictResult& result, bool guarded) {
  const std::string& subject = result.made.subject;
  ++cases;
  unlabelled += result.unguarded_given == GivenAnswer::kNeither;
  unguarded_document.add(subject, result.unguarded_given == GivenAnswer::kDocument);
  unguarded_memory.add(subject, result.unguarded_given == GivenAnswer::kMemory);
  add_label(result);
  if (guarded) add_guarded(result);
}

void Tally::add_label(const ConflictResult& result) {
  if (result.unguarded_given == GivenAnswer::kNeither) return;
  const std::string& answer = answer_text(result.made, result.unguarded_given);
  const Word* word = answer_word(result.unguarded.text, result.unguarded.words, answer);
  if (!result.copied || !word) {
    ++label_dropped;
    return;
  }
  probe.add(word->probability_copied, *result.copied);
  const bool held = std::any_of(result.made.passages.begin(), result.made.passages.end(),
                                [&](const Passage& passage) { return holds_words(passage.text, answer); });
  string_match.add(held ? 1 : 0, *result.copied);
  if (!*result.copied || result.unguarded_given != GivenAnswer::kDocument) return;
  const auto inside = [&](const ByteSpan& gold) {
    return word->place && result.made.passages[word->place->passage].document_id == result.made.subject &&
           word->place->range.overlaps(gold);
  };
  place_top1.add(result.made.subject, std::any_of(result.made.gold.begin(), result.made.gold.end(), inside));
}

void Tally::add_guarded(const ConflictResult& result) {
  const std::string& subject = result.made.subject;
  const Answer& answer = result.guarded;
  const GivenAnswer which = shown(answer) ? given(answer.text, result.made) : GivenAnswer::kNeither;
  const Word* word = which == GivenAnswer::kMemory ? answer_word(answer.text, answer.words, result.made.memory_answer) : nullptr;
  const bool flagged = word && (word->verdict == Verdict::kRecited || word->verdict == Verdict::kUnchecked);
  document.add(subject, which == GivenAnswer::kDocument);
  memory.add(subject, which == GivenAnswer::kMemory);
  memory_unflagged.add(subject, which == GivenAnswer::kMemory && !flagged);
  supported.add(subject, shown(answer) && has_supported_claim(answer));
  off_topic.add(subject, has_off_topic_claim(answer));
  refused.add(subject, !shown(answer));
  steered.add(subject, std::any_of(answer.sentences.begin(), answer.sentences.end(),
                                   [](const Sentence& sentence) { return sentence.steered; }));
  if (shown(answer)) add_citations(result);
  for (const Attempt& attempt : answer.trace) {
    if (attempt.what != "steer") continue;
    const GivenAnswer said = given(attempt.text, result.made);
    if (said == GivenAnswer::kNeither) continue;
    if (const auto probability = first_token_probability(attempt, answer_text(result.made, said)))
      steered_probe.add(*probability, said == GivenAnswer::kDocument);
  }
}

void Tally::add_citations(const ConflictResult& result) {
  const Answer& answer = result.guarded;
  const std::vector<ByteSpan> said = find_words(answer.text, result.made.document_answer);
  for (const Citation& citation : answer.citations) {
    citation_match.add(result.made.subject, folded_words(slice(answer.text, citation.answer)) == folded_words(citation.quote));
    if (said.empty() || !citation.answer.overlaps(said.front()) || citation.document_id != result.made.subject) continue;
    citation_gold.add(result.made.subject, std::any_of(result.made.gold.begin(), result.made.gold.end(),
                                                       [&](const ByteSpan& gold) { return gold.overlaps(citation.source); }));
  }
}

Json to_json(const Tally& tally, bool guarded) {
  Json json = {{"cases", tally.cases},
               {"unlabelled", tally.unlabelled},
               {"label_dropped", tally.label_dropped},
               {"unguarded_document", tally.unguarded_document.to_json()},
               {"unguarded_memory", tally.unguarded_memory.to_json()}};
  if (!guarded) return json;
  json["delivered_document"] = tally.document.to_json();
  json["delivered_memory"] = tally.memory.to_json();
  json["delivered_memory_unflagged"] = tally.memory_unflagged.to_json();
  json["delivered_supported"] = tally.supported.to_json();
  json["copied_off_topic"] = tally.off_topic.to_json();
  json["refused"] = tally.refused.to_json();
  json["steered"] = tally.steered.to_json();
  json["citation_answer_match"] = tally.citation_match.to_json();
  json["citation_gold_overlap"] = tally.citation_gold.to_json();
  return json;
}

void append(Separation& to, const Separation& from) {
  to.scores.insert(to.scores.end(), from.scores.begin(), from.scores.end());
  to.copied.insert(to.copied.end(), from.copied.begin(), from.copied.end());
}

// In `silent` nothing can be copied: its recited answers stand against the copied ones of `own`.
Separation silent_against_own(const std::map<Setting, Tally>& tallies) {
  Separation both;
  for (const auto& [setting, wanted] : {std::pair{Setting::kSilent, false}, std::pair{Setting::kOwn, true}}) {
    const auto tally = tallies.find(setting);
    if (tally == tallies.end()) continue;
    for (size_t i = 0; i < tally->second.probe.scores.size(); ++i)
      if (tally->second.probe.copied[i] == wanted) both.add(tally->second.probe.scores[i], wanted);
  }
  return both;
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

Tally run_setting(const Guard& guard, const std::vector<nlohmann::json>& rows, const std::vector<size_t>& chosen, Setting setting,
                  const EvalOptions& options) {
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
  Tally tally;
  for (const auto& result : results)
    if (result) tally.add(*result, options.guarded);
  return tally;
}

}  // namespace

Json eval_conflict(const Guard& guard, const std::filesystem::path& file, const std::vector<Setting>& settings,
                   const EvalOptions& options) {
  const auto all = attribution::read_rows(file, {"subject", "relation", "question", "cloze", "document", "document_answer",
                                                 "memory_answer", "spans", "memory_spans", "memory_in_subject"});
  std::vector<nlohmann::json> rows;
  for (const nlohmann::json& row : all)
    if (row["memory_spans"].empty() && !row["memory_in_subject"].get<bool>()) rows.push_back(row);
  const std::vector<size_t> chosen = rows_of_drawn_subjects(rows, options);
  std::map<Setting, Tally> tallies;
  for (const Setting setting : settings.empty() ? std::vector<Setting>(kAllSettings.begin(), kAllSettings.end()) : settings)
    tallies[setting] = run_setting(guard, rows, chosen, setting, options);

  Json json = {{"rows", chosen.size()}, {"left_out", all.size() - rows.size()}};
  Separation pooled, string_match;
  Share place, match, gold;
  for (const auto& [setting, tally] : tallies) {
    append(pooled, tally.probe);
    append(string_match, tally.string_match);
    json["settings"][std::string(attribution::setting_name(setting))] = to_json(tally, options.guarded);
    place.add_all(tally.place_top1);
    match.add_all(tally.citation_match);
    gold.add_all(tally.citation_gold);
  }
  if (tallies.contains(Setting::kBare)) json["auc_bare"] = tallies[Setting::kBare].probe.to_json();
  if (tallies.contains(Setting::kDecoy)) json["auc_decoy"] = tallies[Setting::kDecoy].probe.to_json();
  if (tallies.contains(Setting::kSilent)) json["auc_silent"] = silent_against_own(tallies).to_json();
  json["auc_pooled"] = pooled.to_json();
  json["auc_string_match"] = string_match.to_json();
  if (options.guarded && tallies.contains(Setting::kBare)) json["auc_steered"] = tallies[Setting::kBare].steered_probe.to_json();
  json["place_top1"] = place.to_json();
  if (options.guarded) json["citation_answer_match"] = match.to_json();
  if (options.guarded) json["citation_gold_overlap"] = gold.to_json();
  return json;
}

}  // namespace openbook::guard
