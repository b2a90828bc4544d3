// Does a passage, or a sentence of it, speak of what the question asks?
//
// A sentence is on topic when it holds one of the question's rarest content terms, its passage holding them all; or, in such a
// passage, when it is close to the question by the embedder; or when it is very close whatever it holds. How rare a word is comes
// from the tokenizer: byte-pair merges are learnt in order of frequency, so log(id) falls on frequent words and a rare word is
// several tokens (Zipf's law makes log rank the surprisal up to a constant).
//
// Embeddings are made on demand and kept. Not thread-safe: one per request.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/embedder.h"
#include "openbook/base/passage.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::guard {

class Topic {
 public:
  // All references must outlive this. `close` is the cosine from which a sentence counts as close to the question
  // (HeadAtlas::topic_similarity).
  Topic(std::string_view question, const std::vector<Passage>& passages, const engine::Tokenizer& tokenizer,
        const Embedder& embedder, double close);

  const std::vector<std::string>& rarest_terms() const { return rarest_; }  // folded

  bool passage_on_topic(int32_t passage) const { return holds_all_.at(passage) || passage_close(passage); }
  bool sentence_on_topic(int32_t passage, ByteSpan sentence_in_document) const;
  std::vector<int32_t> passages_on_topic() const;

 private:
  bool passage_close(int32_t passage) const;
  std::vector<double> similarities(const std::vector<std::string>& sentences) const;  // cosine with the question

  const std::vector<Passage>* passages_;
  const Embedder* embedder_;
  double close_;
  std::string question_;
  std::vector<std::string> rarest_;
  std::vector<bool> holds_all_;  // per passage
  mutable std::vector<float> question_vector_;
  mutable std::map<std::string, double, std::less<>> similarities_;  // by sentence
};

// The sentence of `passage` that holds `source` (both in document bytes); the whole line of a list or a heading counts as one.
ByteSpan sentence_around(const Passage& passage, ByteSpan source);

}  // namespace openbook::guard
