#include "answer/sentence_end.h"

#include <vector>

#include "openbook/base/sentences.h"
#include "openbook/base/utf8.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::guard {
namespace {

// Does `bytes`, said behind a word, make it the end of a sentence, whatever comes next?
bool ends_sentence(const std::string& bytes) {
  if (bytes.empty() || first_invalid_utf8(bytes)) return false;
  return split_sentences("Word" + bytes + " Next").size() > 1;
}

}  // namespace

SentenceEnd::SentenceEnd(const engine::Model& model) {
  std::vector<int64_t> enders(model.config().stop_ids.begin(), model.config().stop_ids.end());
  const engine::Tokenizer& tokenizer = model.tokenizer();
  for (engine::TokenId id = 0; id < tokenizer.vocabulary_size(); ++id)
    if (!tokenizer.is_special(id) && ends_sentence(tokenizer.token_bytes(id))) enders.push_back(id);
  enders_ = at::tensor(enders, at::kLong).to(model.device());
}

double SentenceEnd::probability(const at::Tensor& logits) const {
  return at::softmax(logits, 0).index_select(0, enders_).sum().item<double>();
}

}  // namespace openbook::guard
