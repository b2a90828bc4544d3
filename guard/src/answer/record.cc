#include "answer/record.h"

#include "answer/answer_json.h"

namespace openbook::guard {
namespace {

// The elements of `all` that lie in `range`.
template <typename T>
std::vector<T> those_in(const std::vector<T>& all, ByteSpan range) {
  std::vector<T> inside;
  for (const T& each : all)
    if (range.begin <= each.answer.begin && each.answer.end <= range.end) inside.push_back(each);
  return inside;
}

}  // namespace

std::string begin_record(std::string_view question, const Policy& policy, const Answer& answer) {
  return dump({{"version", kRecordVersion},
               {"question", question},
               {"passages", list_of(answer.passages)},
               {"passages_left_out", answer.passages_left_out},
               {"documents_left_out", answer.documents_left_out},
               {"lead_in", answer.lead_in},
               {"model", answer.model_fingerprint},
               {"atlas", answer.atlas_fingerprint},
               {"policy", answer.policy_fingerprint},
               {"policy_text", policy.to_toml()},
               {"index_generation", answer.index_generation}});
}

std::string sentence_record(const Answer& answer) {
  const Sentence& sentence = answer.sentences.back();
  Json record = {{"version", kRecordVersion}};
  record.update(to_json(sentence, answer.text));
  record["claims"] = list_of(those_in(answer.claims, sentence.answer), answer.text);
  record["citations"] = list_of(those_in(answer.citations, sentence.answer));
  record["words"] = list_of(those_in(answer.words, sentence.answer), answer.text);
  record["tokens"] = list_of(those_in(answer.tokens, sentence.answer));
  return dump(record);
}

std::string end_record(const Answer& answer) {
  return dump({{"version", kRecordVersion},
               {"outcome", outcome_name(answer.outcome)},
               {"text", answer.text},
               {"refusal_reason", answer.refusal_reason},
               {"trace", list_of(answer.trace)}});
}

}  // namespace openbook::guard
