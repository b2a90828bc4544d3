#include "answer/recorded.h"

#include <array>

#include "answer/answer_json.h"
#include "answer/record.h"
#include "openbook/base/error.h"

namespace openbook::guard {
namespace {

std::string named(const LogEntry& entry) { return "record " + std::to_string(entry.receipt.sequence); }

[[noreturn]] void refuse(const std::string& answer_id, const std::string& why) {
  throw Error(Code::kFailedPrecondition, "answer " + answer_id + " can't be ruled again: " + why);
}

// The value of `all` with this name.
template <typename Value, size_t kCount, typename Name>
Value value_of(const Json& json, const std::array<Value, kCount>& all, const Name& name) {
  const std::string& text = json.get_ref<const std::string&>();
  for (const Value value : all)
    if (name(value) == text) return value;
  throw Error(Code::kDataLoss, "\"" + text + "\" is no value that a record can have there");
}

constexpr std::array kVerdicts = {Verdict::kCopied, Verdict::kRecited, Verdict::kNeutral, Verdict::kUnchecked};
constexpr std::array kSupports = {Support::kSupported, Support::kCopiedOffTopic, Support::kUnsupported};
constexpr std::array kOutcomes = {Outcome::kAnswered, Outcome::kRefused, Outcome::kAbstained};

// Half-open bytes of `text`.
ByteSpan span_in(const std::string& text, const Json& json) {
  const ByteSpan span{json.at(0).get<int64_t>(), json.at(1).get<int64_t>()};
  if (span.begin < 0 || span.end < span.begin || span.end > static_cast<int64_t>(text.size()))
    throw Error(Code::kDataLoss, "bytes " + json.dump() + " are not in a text of " + std::to_string(text.size()));
  return span;
}

Attempt attempt_from(const Json& json) {
  Attempt attempt{.what = json.at("what"), .text = json.at("text"), .outcome = json.at("outcome"), .lacks = json.at("lacks")};
  for (const Json& each : json.at("words")) {
    Word word{.answer = span_in(attempt.text, each.at("bytes")),
              .verdict = value_of(each.at("verdict"), kVerdicts, verdict_name),
              .probability_copied = each.at("probability_copied")};
    if (each.contains("place")) {
      const Json& bytes = each["place"].at("bytes");
      word.place = Source{each["place"].at("passage"), {bytes.at(0).get<int64_t>(), bytes.at(1).get<int64_t>()}};
    }
    attempt.words.push_back(word);
  }
  for (const Json& each : json.at("citations")) {
    Citation citation{.answer = span_in(attempt.text, each.at("bytes")), .quote = each.at("quote"), .causal = each.at("causal")};
    if (!each.at("causal_nats").is_null()) citation.causal_nats = each["causal_nats"].get<double>();
    attempt.citations.push_back(std::move(citation));
  }
  for (const Json& each : json.at("claims")) {
    Claim claim{.answer = span_in(attempt.text, each.at("bytes")),
                .verdict = value_of(each.at("verdict"), kVerdicts, verdict_name),
                .score = each.at("score"),
                .support = value_of(each.at("support"), kSupports, support_name)};
    for (size_t i = 0; i < attempt.words.size(); ++i) {
      const ByteSpan word = attempt.words[i].answer;
      if (word.begin < claim.answer.begin || word.end > claim.answer.end) continue;
      if (claim.words++ == 0) claim.first_word = static_cast<int32_t>(i);
    }
    if (!each.at("causal_nats").is_null()) claim.causal_nats = each["causal_nats"].get<double>();
    claim.causal = each.at("causal");
    if (!each.at("citation").is_null()) claim.citation = each["citation"].get<int32_t>();
    if (claim.citation && (*claim.citation < 0 || *claim.citation >= std::ssize(attempt.citations)))
      throw Error(Code::kDataLoss, "a claim cites what is not there");
    attempt.claims.push_back(claim);
  }
  return attempt;
}

void read_begin(const Json& json, RecordedAnswer& answer) {
  answer.question = json.at("question");
  answer.policy = Policy::parse(json.at("policy_text").get_ref<const std::string&>(), "of the record");
}

void read_end(const Json& json, RecordedAnswer& answer) {
  answer.outcome = value_of(json.at("outcome"), kOutcomes, outcome_name);
  answer.refusal_reason = json.at("refusal_reason");
  for (const Json& attempt : json.at("trace")) answer.trace.push_back(attempt_from(attempt));
}

}  // namespace

RecordedAnswer read_records(const std::vector<LogEntry>& records) {
  RecordedAnswer answer;
  bool ended = false;
  for (const LogEntry& entry : records) {
    const std::string& id = entry.receipt.answer_id;
    if (entry.kind == LogKind::kErase || !entry.payload) refuse(id, "it was erased");
    try {
      const Json json = Json::parse(*entry.payload);
      if (json.at("version") == 1) refuse(id, "its records (version 1) do not hold the judgement of every attempt");
      if (json.at("version") != kRecordVersion)
        throw Error(Code::kUnimplemented, named(entry) + ": version " + json["version"].dump() + ", this build reads version " +
                                              std::to_string(kRecordVersion));
      if (entry.kind == LogKind::kBegin) read_begin(json, answer);
      if (entry.kind == LogKind::kSentence)
        answer.sentences.push_back(
            {json.at("text"), json.at("delivery") == delivery_name(Delivery::kFlagged), json.at("steered")});
      if (entry.kind == LogKind::kEnd) read_end(json, answer);
      ended |= entry.kind == LogKind::kEnd;
    } catch (const nlohmann::json::exception& error) {
      throw Error(Code::kDataLoss, named(entry) + ": is no record of an answer: " + error.what());
    }
  }
  if (!ended && !records.empty())
    refuse(records.front().receipt.answer_id, "it was interrupted, and what was tried is recorded at the end");
  if (records.empty()) throw Error(Code::kDataLoss, "no records of an answer");
  return answer;
}

}  // namespace openbook::guard
