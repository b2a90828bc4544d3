#include "answer/record.h"

#include <nlohmann/json.hpp>

#include "openbook/base/hash.h"

namespace openbook::guard {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(ByteSpan span) { return {span.begin, span.end}; }

Json to_json(const Passage& passage) {
  return {{"document", passage.document_id}, {"sha256", passage.document_sha256}, {"range", to_json(passage.range)},
          {"text_sha256", sha256_hex(passage.text)}, {"chunk", passage.chunk_id}, {"score", passage.score}};
}

Json to_json(const TokenRecord& token) {
  return {{"id", token.id}, {"answer", to_json(token.answer)}, {"copied", token.probability_copied}, {"edited", token.edited},
          {"evidence", token.evidence}};
}

Json to_json(const Word& word) {
  Json json = {{"answer", to_json(word.answer)}, {"verdict", verdict_name(word.verdict)}, {"copied", word.probability_copied}};
  if (word.place) json["place"] = {{"passage", word.place->passage}, {"range", to_json(word.place->range)}};
  return json;
}

Json to_json(const Claim& claim) {
  Json json = {{"answer", to_json(claim.answer)}, {"verdict", verdict_name(claim.verdict)}, {"support", support_name(claim.support)},
               {"score", claim.score}};
  if (claim.citation) json["citation"] = *claim.citation;
  return json;
}

Json to_json(const Citation& citation) {
  Json json = {{"answer", to_json(citation.answer)}, {"document", citation.document_id}, {"sha256", citation.document_sha256},
               {"source", to_json(citation.source)}, {"sentence", to_json(citation.sentence)}, {"quote", citation.quote}};
  if (citation.causal_nats) json["causal_nats"] = *citation.causal_nats;
  json["causal"] = citation.causal;
  return json;
}

// The elements of `all` that lie in `range`.
template <typename T>
Json those_in(const std::vector<T>& all, ByteSpan range) {
  Json json = Json::array();
  for (const T& each : all)
    if (range.begin <= each.answer.begin && each.answer.end <= range.end) json.push_back(to_json(each));
  return json;
}

// Text of a model or a document may hold anything; the record must be made whatever it holds.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string begin_record(std::string_view question, const Answer& answer) {
  Json passages = Json::array();
  for (const Passage& passage : answer.passages) passages.push_back(to_json(passage));
  return dump({{"question", question}, {"passages", std::move(passages)}, {"passages_left_out", answer.passages_left_out},
               {"model", answer.model_fingerprint}, {"atlas", answer.atlas_fingerprint}, {"policy", answer.policy_fingerprint},
               {"index_generation", answer.index_generation}});
}

std::string sentence_record(const Answer& answer) {
  const Sentence& sentence = answer.sentences.back();
  const ByteSpan range = sentence.answer;
  return dump({{"text", answer.text.substr(range.begin, range.size())}, {"range", to_json(range)}, {"delivery", delivery_name(sentence.delivery)},
               {"steered", sentence.steered}, {"reason", sentence.reason}, {"tokens", those_in(answer.tokens, range)},
               {"words", those_in(answer.words, range)}, {"claims", those_in(answer.claims, range)},
               {"citations", those_in(answer.citations, range)}});
}

std::string end_record(const Answer& answer) {
  Json trace = Json::array();
  for (const Attempt& attempt : answer.trace) trace.push_back({{"what", attempt.what}, {"text", attempt.text}, {"outcome", attempt.outcome}});
  return dump({{"outcome", outcome_name(answer.outcome)}, {"text", answer.text}, {"refusal_reason", answer.refusal_reason}, {"trace", std::move(trace)}});
}

}  // namespace openbook::guard
