#include "answer_view.h"

#include <algorithm>
#include <map>

#include "terminal.h"

namespace openbook::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string marked(const Word& word, std::string_view text) {
  const std::string safe = shown(text);
  switch (word.verdict) {
    case Verdict::kCopied: return paint(Style::kCopied, safe);
    case Verdict::kRecited: return shows_colour() ? paint(Style::kRecited, safe) : "[recited: " + safe + "]";
    case Verdict::kUnchecked: return shows_colour() ? paint(Style::kUnchecked, safe) : "[unchecked: " + safe + "]";
    case Verdict::kNeutral: return safe;
  }
  return safe;
}

// Citations by number, in the order of the answer; claims that quote one place share a number.
struct Footnotes {
  std::map<int32_t, size_t> number_of;        // by index into Answer::citations
  std::vector<const Citation*> in_order;

  explicit Footnotes(const Answer& answer) {
    for (const Claim& claim : answer.claims) {
      if (!claim.citation || claim.support != Support::kSupported) continue;
      const Citation& citation = answer.citations[*claim.citation];
      const auto same = std::find_if(in_order.begin(), in_order.end(), [&](const Citation* other) {
        return other->document_sha256 == citation.document_sha256 && other->document_id == citation.document_id && other->source == citation.source;
      });
      number_of[*claim.citation] = static_cast<size_t>(same - in_order.begin()) + 1;
      if (same == in_order.end()) in_order.push_back(&citation);
    }
  }
};

// The delivered text, words painted, citation numbers behind their claims.
std::string body_of(const Answer& answer, const Footnotes& notes) {
  std::map<int64_t, std::string> behind;  // by the byte that the claim ends at
  for (const Claim& claim : answer.claims)
    if (claim.citation && notes.number_of.contains(*claim.citation))
      behind[claim.answer.end] += "[" + std::to_string(notes.number_of.at(*claim.citation)) + "]";
  std::string body;
  int64_t done = 0;
  for (const Word& word : answer.words) {
    body += shown(slice(answer.text, {done, word.answer.begin})) + marked(word, slice(answer.text, word.answer));
    done = word.answer.end;
    if (const auto mark = behind.find(done); mark != behind.end()) body += paint(Style::kFaint, mark->second);
  }
  body += shown(std::string_view(answer.text).substr(done));
  const size_t begin = body.find_first_not_of(" \n");
  return begin == std::string::npos ? body : body.substr(begin);
}

std::string footnote(size_t number, const Citation& citation) {
  std::string note = "[" + std::to_string(number) + "] " + shown(citation.document_id);
  if (citation.line > 0) note += ":" + std::to_string(citation.line);
  note += "  \"" + shown(citation.quote) + "\"";
  if (citation.causal_nats) {
    char nats[48];
    std::snprintf(nats, sizeof nats, "  (%s, %.1f nats)", citation.causal ? "causal" : "not causal", *citation.causal_nats);
    note += nats;
  }
  return note + "\n    " + paint(Style::kFaint, shown(citation.sentence_text, 4)) + "\n";
}

std::string trace_of(const Answer& answer) {
  if (answer.trace.size() < 2) return {};
  std::string text = paint(Style::kFaint, "tried:") + "\n";
  for (const Attempt& attempt : answer.trace) {
    text += "  " + attempt.what + ": ";
    if (!attempt.text.empty()) text += "\"" + shown(attempt.text, 4) + "\" -> ";
    text += shown(attempt.outcome, 4) + "\n";
  }
  return text;
}

Json to_json(ByteSpan span) { return {span.begin, span.end}; }

Json to_json(const Passage& passage) {
  return {{"document", passage.document_id}, {"sha256", passage.document_sha256}, {"bytes", to_json(passage.range)}, {"score", passage.score}};
}

Json to_json(const TokenRecord& token) {
  return {{"id", token.id}, {"bytes", to_json(token.answer)}, {"probability_copied", token.probability_copied}, {"edited", token.edited}, {"evidence", token.evidence}};
}

Json to_json(const Word& word, const Answer& answer) {
  Json json = {{"text", slice(answer.text, word.answer)}, {"bytes", to_json(word.answer)}, {"verdict", verdict_name(word.verdict)},
               {"probability_copied", word.probability_copied}};
  if (word.place) json["place"] = {{"passage", word.place->passage}, {"bytes", to_json(word.place->range)}};
  return json;
}

Json to_json(const Claim& claim, const Answer& answer) {
  Json json = {{"text", slice(answer.text, claim.answer)}, {"bytes", to_json(claim.answer)}, {"verdict", verdict_name(claim.verdict)},
               {"score", claim.score}, {"support", support_name(claim.support)}};
  json["citation"] = claim.citation ? Json(*claim.citation) : Json(nullptr);
  return json;
}

Json to_json(const Citation& citation) {
  return {{"bytes", to_json(citation.answer)}, {"document", citation.document_id}, {"sha256", citation.document_sha256}, {"line", citation.line},
          {"source_bytes", to_json(citation.source)}, {"sentence_bytes", to_json(citation.sentence)}, {"quote", citation.quote},
          {"causal_nats", citation.causal_nats ? Json(*citation.causal_nats) : Json(nullptr)}, {"causal", citation.causal}};
}

template <typename T, typename... More>
Json list_of(const std::vector<T>& all, const More&... more) {
  Json json = Json::array();
  for (const T& each : all) json.push_back(to_json(each, more...));
  return json;
}

}  // namespace

std::string answer_text(const Answer& answer) {
  if (answer.outcome == Outcome::kRefused)
    return paint(Style::kStrong, shown(answer.text)) + "\nrefused: " + shown(answer.refusal_reason) + "\n" + trace_of(answer);
  if (answer.outcome == Outcome::kAbstained) return shown(answer.text) + "\nabstained: the model says that the documents do not answer\n" + trace_of(answer);
  const Footnotes notes(answer);
  std::string text = body_of(answer, notes) + "\n";
  if (!notes.in_order.empty()) text += "\n";
  for (size_t i = 0; i < notes.in_order.size(); ++i) text += footnote(i + 1, *notes.in_order[i]);
  return text + trace_of(answer);
}

Json answer_json(const Answer& answer) {
  Json sentences = Json::array(), trace = Json::array();
  for (const Sentence& sentence : answer.sentences)
    sentences.push_back({{"bytes", to_json(sentence.answer)}, {"delivery", delivery_name(sentence.delivery)}, {"steered", sentence.steered}, {"reason", sentence.reason}});
  for (const Attempt& attempt : answer.trace)
    trace.push_back({{"what", attempt.what}, {"text", attempt.text}, {"outcome", attempt.outcome}, {"tokens", list_of(attempt.tokens)}});
  return {{"outcome", outcome_name(answer.outcome)},
          {"text", answer.text},
          {"refusal_reason", answer.refusal_reason},
          {"unit", "UTF-8 bytes, half-open"},
          {"sentences", std::move(sentences)},
          {"claims", list_of(answer.claims, answer)},
          {"citations", list_of(answer.citations)},
          {"words", list_of(answer.words, answer)},
          {"tokens", list_of(answer.tokens)},
          {"passages", list_of(answer.passages)},
          {"passages_left_out", answer.passages_left_out},
          {"trace", std::move(trace)},
          {"model", answer.model_fingerprint},
          {"atlas", answer.atlas_fingerprint},
          {"policy", answer.policy_fingerprint},
          {"index_generation", answer.index_generation},
          {"receipt", answer.log_receipt}};
}

}  // namespace openbook::cli
