#include "answer/answer_json.h"

#include "openbook/base/hash.h"

namespace openbook {
namespace guard {

Json to_json(ByteSpan span) { return {span.begin, span.end}; }

Json to_json(const Source& source) { return {{"passage", source.passage}, {"bytes", to_json(source.range)}}; }

Json to_json(const Passage& passage) {
  return {{"document", passage.document_id},         {"sha256", passage.document_sha256}, {"bytes", to_json(passage.range)},
          {"text_sha256", sha256_hex(passage.text)}, {"chunk", passage.chunk_id},         {"score", passage.score}};
}

Json to_json(const TokenRecord& token) {
  return {{"id", token.id},
          {"bytes", to_json(token.answer)},
          {"probability_copied", token.probability_copied},
          {"edited", token.edited},
          {"evidence", token.evidence}};
}

Json to_json(const Word& word, std::string_view text) {
  Json json = {{"text", slice(text, word.answer)},
               {"bytes", to_json(word.answer)},
               {"verdict", verdict_name(word.verdict)},
               {"probability_copied", word.probability_copied}};
  if (word.place) json["place"] = to_json(*word.place);
  return json;
}

Json to_json(const Claim& claim, std::string_view text) {
  Json json = {{"text", slice(text, claim.answer)}, {"bytes", to_json(claim.answer)},
               {"verdict", verdict_name(claim.verdict)},   {"score", claim.score},
               {"support", support_name(claim.support)},   {"citation", claim.citation ? Json(*claim.citation) : Json(nullptr)}};
  if (claim.source) json["source"] = to_json(*claim.source);
  json["causal_nats"] = claim.causal_nats ? Json(*claim.causal_nats) : Json(nullptr);
  json["causal"] = claim.causal;
  return json;
}

Json to_json(const Citation& citation) {
  return {{"bytes", to_json(citation.answer)},
          {"document", citation.document_id},
          {"sha256", citation.document_sha256},
          {"line", citation.line},
          {"source_bytes", to_json(citation.source)},
          {"sentence_bytes", to_json(citation.sentence)},
          {"quote", citation.quote},
          {"cell", citation.cell},
          {"causal_nats", citation.causal_nats ? Json(*citation.causal_nats) : Json(nullptr)},
          {"causal", citation.causal}};
}

Json to_json(const Sentence& sentence, std::string_view text) {
  return {{"text", slice(text, sentence.answer)},
          {"bytes", to_json(sentence.answer)},
          {"delivery", delivery_name(sentence.delivery)},
          {"steered", sentence.steered},
          {"quoted", sentence.quoted},
          {"reason", sentence.reason}};
}

Json to_json(const Conflict& conflict, const Answer& answer) {
  return {{"citation", conflict.citation},
          {"said", conflict.said},
          {"other", conflict.other},
          {"document", answer.passages.at(static_cast<size_t>(conflict.passage)).document_id},
          {"sentence_bytes", to_json(conflict.sentence)},
          {"sentence_text", conflict.sentence_text}};
}

Json to_json(const Attempt& attempt) {
  return {{"what", attempt.what},
          {"text", attempt.text},
          {"outcome", attempt.outcome},
          {"lacks", attempt.lacks},
          {"claims", list_of(attempt.claims, attempt.text)},
          {"citations", list_of(attempt.citations)},
          {"words", list_of(attempt.words, attempt.text)},
          {"tokens", list_of(attempt.tokens)}};
}

Json brief(const Answer& answer) {
  Json tried = Json::array();
  for (const Attempt& attempt : answer.trace)
    tried.push_back({{"what", attempt.what}, {"text", attempt.text}, {"outcome", attempt.outcome}});
  return {{"outcome", outcome_name(answer.outcome)},       {"text", answer.text},
          {"refusal_reason", answer.refusal_reason},       {"tried", std::move(tried)},
          {"claims", list_of(answer.claims, answer.text)}, {"citations", list_of(answer.citations)}};
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace guard

std::string to_json(const Answer& answer) {
  using guard::list_of;
  return guard::dump({{"outcome", outcome_name(answer.outcome)},
                      {"text", answer.text},
                      {"refusal_reason", answer.refusal_reason},
                      {"unit", "UTF-8 bytes, half-open"},
                      {"sentences", list_of(answer.sentences, answer.text)},
                      {"claims", list_of(answer.claims, answer.text)},
                      {"citations", list_of(answer.citations)},
                      {"conflicts", list_of(answer.conflicts, answer)},
                      {"words", list_of(answer.words, answer.text)},
                      {"tokens", list_of(answer.tokens)},
                      {"passages", list_of(answer.passages)},
                      {"passages_left_out", answer.passages_left_out},
                      {"documents_left_out", answer.documents_left_out},
                      {"lead_in", answer.lead_in},
                      {"trace", list_of(answer.trace)},
                      {"model", answer.model_fingerprint},
                      {"atlas", answer.atlas_fingerprint},
                      {"policy", answer.policy_fingerprint},
                      {"index_generation", answer.index_generation},
                      {"log_id", answer.log_id},
                      {"receipt", answer.log_receipt}});
}

}  // namespace openbook
