// The tokenizer that a tokenizer.json describes: added tokens, normaliser, pre-tokeniser, model, post-processor, decoder.
//
// Truncation and padding, which the file may ask for too, are left to who makes a batch: encode() gives the whole text.
#pragma once

#include <filesystem>

#include "tokenizer/added_tokens.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/token_speller.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/word_model.h"

namespace openbook::engine {

class JsonTokenizer : public Tokenizer {
 public:
  // `name` stands in messages; `bytes` is the file.
  JsonTokenizer(std::string_view bytes, const std::string& name);

  std::vector<Token> encode(std::string_view text, const EncodeOptions& options) const override;
  std::string token_bytes(TokenId id) const override;
  std::string decode(std::span<const TokenId> ids, bool skip_special) const override;
  int64_t vocabulary_size() const override { return vocabulary_.size(); }
  std::optional<TokenId> find(std::string_view token) const override { return vocabulary_.find(token); }
  bool is_special(TokenId id) const override { return vocabulary_.special(id); }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  void read_added_tokens(const JsonField& root);
  void read_model(const JsonField& model);
  void encode_plain(AlignedText text, bool parse_special, std::vector<Token>& tokens) const;
  void encode_words(AlignedText text, std::vector<Token>& tokens) const;
  const std::string& known_token(TokenId id) const;  // invalid_argument when there is none

  std::string name_, fingerprint_;
  Vocabulary vocabulary_;
  AddedTokens added_;                                  // looked for in the text as it is
  AddedTokens normalized_added_;                       // looked for in normalised text
  std::vector<bool> added_ids_;                        // [id]
  std::unique_ptr<const Normalizer> normalizer_;       // may be null
  std::unique_ptr<const PreTokenizer> pre_tokenizer_;  // may be null
  std::unique_ptr<const WordModel> model_;
  std::optional<TokenSpeller> speller_;
  SurroundingTokens surrounding_;
};

}  // namespace openbook::engine
