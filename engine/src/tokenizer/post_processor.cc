#include "tokenizer/post_processor.h"

namespace openbook::engine {
namespace {

TokenId checked_id(const JsonField& field, const Vocabulary& vocabulary) {
  const int64_t id = field.integer();
  if (!vocabulary.holds(id)) field.malformed("id " + std::to_string(id) + " is not in the vocabulary");
  return static_cast<TokenId>(id);
}

// {"single": [{"SpecialToken": {"id": "[CLS]"}}, {"Sequence": {"id": "A"}}, ...], "special_tokens": {"[CLS]": {"ids": [101]}}}
SurroundingTokens read_template(const JsonField& field, const Vocabulary& vocabulary) {
  SurroundingTokens around;
  bool text_seen = false;
  for (const JsonField& piece : field.at("single").items()) {
    if (const auto sequence = piece.find("Sequence")) {
      if (text_seen || sequence->text("id") != "A") sequence->malformed("expected the sequence A, once");
      text_seen = true;
      continue;
    }
    const std::string name = piece.at("SpecialToken").text("id");
    for (const JsonField& id : field.at("special_tokens").at(name).at("ids").items())
      (text_seen ? around.after : around.before).push_back(checked_id(id, vocabulary));
  }
  if (!text_seen) field.at("single").malformed("has no sequence A: the text itself would be left out");
  return around;
}

TokenId read_pair(const JsonField& field, const Vocabulary& vocabulary) {  // ["[SEP]", 102]
  const auto pair = field.items();
  if (pair.size() != 2) field.malformed("expected a token and its id");
  return checked_id(pair[1], vocabulary);
}

}  // namespace

SurroundingTokens read_post_processor(const JsonField& field, const Vocabulary& vocabulary) {
  const std::string type = field.text("type");
  if (type == "TemplateProcessing") return read_template(field, vocabulary);
  if (type == "BertProcessing" || type == "RobertaProcessing")
    return {{read_pair(field.at("cls"), vocabulary)}, {read_pair(field.at("sep"), vocabulary)}};
  if (type == "ByteLevel") return {};  // trims offsets only; ours cover exactly the token's bytes
  if (type == "Sequence") {
    SurroundingTokens around;
    for (const JsonField& step : field.at("processors").items()) {
      const SurroundingTokens outer = read_post_processor(step, vocabulary);
      around.before.insert(around.before.begin(), outer.before.begin(), outer.before.end());
      around.after.insert(around.after.end(), outer.after.begin(), outer.after.end());
    }
    return around;
  }
  field.unsupported("post-processor " + type);
}

}  // namespace openbook::engine
