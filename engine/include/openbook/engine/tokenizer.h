// Text to token ids and back, with the bytes that each token came from.
//
// Three kinds behind one interface: byte-level BPE and WordPiece from tokenizer.json, SentencePiece from
// tokenizer.model. Ids equal those of Hugging Face `tokenizers` and of `sentencepiece`, but for one thing: no plain text ever
// becomes a special token, not even by merging.
//
// Thread-safe: immutable after loading. Throws invalid_argument on text that is not UTF-8.
//
//   const auto tokenizer = load_tokenizer("models/smollm2");
//   for (const Token& token : tokenizer->encode("Paris is", {})) use(token.id, token.bytes);
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"

namespace openbook::engine {

using TokenId = int32_t;

struct Token {
  TokenId id = 0;
  // The bytes of the encoded text that this token covers. Tokens that split one code point share no byte: a byte-level token
  // covers exactly its bytes. Tokens that the post-processor adds cover nothing ({0, 0}).
  ByteSpan bytes;
};

struct EncodeOptions {
  // Recognise special tokens such as <|im_end|> in the text. Off for all that users or documents say: there they are plain text.
  bool parse_special = false;
  // Add what the post-processor adds ([CLS], [SEP], <s>).
  bool add_special = false;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual std::vector<Token> encode(std::string_view text, const EncodeOptions& options = {}) const = 0;

  // The bytes of one token as it stands inside a text; may be part of a code point. Special tokens give their text; words of
  // SentencePiece and WordPiece start with the space before them. Throws invalid_argument for an id without a token.
  virtual std::string token_bytes(TokenId id) const = 0;

  // Text of a run of tokens; bytes that form no valid UTF-8 become U+FFFD. `skip_special` leaves special tokens out.
  // Throws invalid_argument for an id without a token.
  virtual std::string decode(std::span<const TokenId> ids, bool skip_special = true) const = 0;

  virtual int64_t vocabulary_size() const = 0;                            // one more than the largest id
  virtual std::optional<TokenId> find(std::string_view token) const = 0;  // the token as the vocabulary spells it
  virtual bool is_special(TokenId id) const = 0;
  virtual std::string fingerprint() const = 0;  // hex SHA-256 of the files it was read from
};

// Turns tokens that come one by one into whole UTF-8: bytes are held until their code point is complete.
//
//   StreamDecoder stream(*tokenizer);
//   std::cout << stream.push(id) ...; std::cout << stream.finish();
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}  // must outlive the stream

  std::string push(TokenId id);  // what has become whole; "" for special tokens
  std::string finish();          // what is left, an incomplete code point as U+FFFD

 private:
  const Tokenizer* tokenizer_;
  std::string pending_;
};

// Reads tokenizer.json (BPE or WordPiece) or, when that is absent, tokenizer.model from a model folder.
// Throws not_found when there is neither, invalid_argument when a file is malformed, unimplemented naming the component
// when tokenizer.json uses one that is not supported.
std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& model_folder);

}  // namespace openbook::engine
