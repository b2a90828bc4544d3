#include "eval/conflict_tally.h"

#include <algorithm>

#include "openbook/base/words.h"

namespace openbook::guard {
namespace {

using attribution::GivenAnswer;
using attribution::Setting;
using Json = nlohmann::ordered_json;

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

bool shown(const Answer& answer) { return answer.outcome == Outcome::kAnswered; }

bool has_supported_claim(const Answer& answer) {
  return std::any_of(answer.claims.begin(), answer.claims.end(),
                     [](const Claim& claim) { return claim.support == Support::kSupported; });
}

bool has_off_topic_claim(const Answer& answer) {
  return std::any_of(answer.claims.begin(), answer.claims.end(),
                     [](const Claim& claim) { return claim.support == Support::kCopiedOffTopic; });
}

Json to_json(const ConflictTally& tally, bool guarded) {
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
Separation silent_against_own(const std::map<Setting, ConflictTally>& tallies) {
  Separation both;
  for (const auto& [setting, wanted] : {std::pair{Setting::kSilent, false}, std::pair{Setting::kOwn, true}}) {
    const auto tally = tallies.find(setting);
    if (tally == tallies.end()) continue;
    for (size_t i = 0; i < tally->second.probe.scores.size(); ++i)
      if (tally->second.probe.copied[i] == wanted) both.add(tally->second.probe.scores[i], wanted);
  }
  return both;
}

}  // namespace

GivenAnswer given(const std::string& text, const attribution::DataCase& made) {
  return attribution::given_answer(text, made.document_answer, {made.memory_answer});
}

const std::string& answer_text(const attribution::DataCase& made, GivenAnswer which) {
  return which == GivenAnswer::kDocument ? made.document_answer : made.memory_answer;
}

void ConflictTally::add(const ConflictResult& result, bool guarded) {
  const std::string& subject = result.made.subject;
  ++cases;
  unlabelled += result.unguarded_given == GivenAnswer::kNeither;
  unguarded_document.add(subject, result.unguarded_given == GivenAnswer::kDocument);
  unguarded_memory.add(subject, result.unguarded_given == GivenAnswer::kMemory);
  add_label(result);
  if (guarded) add_guarded(result);
}

void ConflictTally::add_label(const ConflictResult& result) {
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

void ConflictTally::add_guarded(const ConflictResult& result) {
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

void ConflictTally::add_citations(const ConflictResult& result) {
  const Answer& answer = result.guarded;
  const std::vector<ByteSpan> said = find_words(answer.text, result.made.document_answer);
  for (const Claim& claim : answer.claims) {
    if (!claim.source) continue;
    const std::string_view quote = text_at(answer.passages[static_cast<size_t>(claim.source->passage)], claim.source->range);
    citation_match.add(result.made.subject, folded_words(slice(answer.text, claim.answer)) == folded_words(quote));
    const std::string& document = answer.passages[static_cast<size_t>(claim.source->passage)].document_id;
    if (said.empty() || !claim.answer.overlaps(said.front()) || document != result.made.subject) continue;
    citation_gold.add(result.made.subject, std::any_of(result.made.gold.begin(), result.made.gold.end(),
                                                       [&](const ByteSpan& gold) { return gold.overlaps(claim.source->range); }));
  }
}

Json conflict_figures(const std::map<Setting, ConflictTally>& tallies, bool guarded) {
  Json json;
  Separation pooled, string_match;
  Share place, match, gold;
  for (const auto& [setting, tally] : tallies) {
    append(pooled, tally.probe);
    append(string_match, tally.string_match);
    json["settings"][std::string(attribution::setting_name(setting))] = to_json(tally, guarded);
    place.add_all(tally.place_top1);
    match.add_all(tally.citation_match);
    gold.add_all(tally.citation_gold);
  }
  if (tallies.contains(Setting::kBare)) json["auc_bare"] = tallies.at(Setting::kBare).probe.to_json();
  if (tallies.contains(Setting::kDecoy)) json["auc_decoy"] = tallies.at(Setting::kDecoy).probe.to_json();
  if (tallies.contains(Setting::kSilent)) json["auc_silent"] = silent_against_own(tallies).to_json();
  json["auc_pooled"] = pooled.to_json();
  json["auc_string_match"] = string_match.to_json();
  if (guarded && tallies.contains(Setting::kBare)) json["auc_steered"] = tallies.at(Setting::kBare).steered_probe.to_json();
  json["place_top1"] = place.to_json();
  if (guarded) json["citation_answer_match"] = match.to_json();
  if (guarded) json["citation_gold_overlap"] = gold.to_json();
  return json;
}

}  // namespace openbook::guard
