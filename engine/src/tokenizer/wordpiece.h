// WordPiece: a word is cut from the left into the longest tokens that the vocabulary holds; a word that can't be cut is one
// unknown token (Wu et al. 2016, as BERT uses it; Devlin et al. 2018).
#pragma once

#include "tokenizer/vocabulary.h"
#include "tokenizer/word_model.h"

namespace openbook::engine {

class WordPieceModel : public WordModel {
 public:
  // From the field `model`. `vocabulary` holds all tokens, special ones marked, and must outlive the model. Plain text never
  // becomes a special token, but for the unknown one.
  WordPieceModel(const JsonField& description, const Vocabulary& vocabulary);

  void tokenize(std::string_view text, std::span<const ByteSpan> words, std::vector<Token>& tokens) const override;

 private:
  bool cut(std::string_view word, int64_t offset, std::vector<Token>& tokens) const;

  const Vocabulary& vocabulary_;
  TokenId unknown_;
  std::string continuing_prefix_;
  int64_t longest_word_;  // in code points
};

}  // namespace openbook::engine
