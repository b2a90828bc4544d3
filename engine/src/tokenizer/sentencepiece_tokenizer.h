// The tokenizer of a tokenizer.model: SentencePiece, unigram or BPE, run by its own library (Kudo and Richardson 2018).
//
// Special tokens are the model's control pieces and what tokenizer_config.json lists as special. With parse_special each stretch
// between two of them is encoded as `sentencepiece` encodes a text, its leading space included. Without, a special piece that the
// library would still find in plain text (a user-defined piece) is spelled out character by character.
//
// Ids are those of the library it is built with. Versions differ where a unigram model has two best cuts with the same pieces in
// another order (III as I+II or II+I): rounding decides there.
#pragma once

#include <memory>
#include <unordered_map>

#include "tokenizer/added_tokens.h"
#include "tokenizer/json_field.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace openbook::engine {

class SentencePieceTokenizer : public Tokenizer {
 public:
  // `name` stands in messages. `config` is the bytes of tokenizer_config.json, "" when there is none.
  SentencePieceTokenizer(std::string_view model, const std::string& name, std::string_view config,
                         const std::string& config_name);
  ~SentencePieceTokenizer() override;

  std::vector<Token> encode(std::string_view text, const EncodeOptions& options) const override;
  std::string token_bytes(TokenId id) const override;
  std::string decode(std::span<const TokenId> ids, bool skip_special) const override;
  int64_t vocabulary_size() const override { return vocabulary_size_; }
  std::optional<TokenId> find(std::string_view token) const override;
  bool is_special(TokenId id) const override;
  std::string fingerprint() const override { return fingerprint_; }

 private:
  void read_config(const JsonField& config);
  void add(AddedToken token);
  void encode_plain(std::string_view text, int64_t offset, std::vector<Token>& tokens) const;
  void spell_out(std::string_view text, int64_t offset, std::vector<Token>& tokens) const;
  std::optional<TokenId> piece_id(std::string_view piece) const;
  bool is_piece(TokenId id) const;  // one of the library's own
  std::string pieces_text(std::vector<int>& ids) const;

  std::string name_, fingerprint_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
  std::unordered_map<TokenId, AddedToken> added_;  // special ones, and those of the configuration that are no pieces
  AddedTokens finder_;
  int64_t vocabulary_size_ = 0;
  std::vector<TokenId> before_, after_;  // what add_special adds
};

}  // namespace openbook::engine
