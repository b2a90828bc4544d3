// From tokens as a tokenizer.json spells them back to bytes and text.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/json_field.h"

namespace openbook::engine {

// Immutable and thread-safe.
class TokenSpeller {
 public:
  // From the field `decoder`: ByteLevel, WordPiece, Metaspace, Replace, ByteFallback, Fuse, Strip, Sequence; nothing when the
  // file has none. unimplemented, naming the type, for any other.
  TokenSpeller(const std::optional<JsonField>& description, bool byte_level);

  std::string bytes(const std::string& token) const;               // as it stands inside a text
  std::string text(const std::vector<std::string>& tokens) const;  // each as the vocabulary spells it

 private:
  void read(const JsonField& field);
  void add_replacement(const JsonField& field, std::string from, std::string to);
  std::string words(const std::vector<std::string>& tokens) const;

  bool byte_level_;
  bool byte_fallback_ = false;
  std::vector<std::pair<std::string, std::string>> replacements_;
  std::string strip_;                             // taken away at the start of the text,
  int64_t strip_count_ = 0;                       // at most so many times
  std::optional<std::string> continuing_prefix_;  // WordPiece: what marks a token that goes on a word
  bool clean_up_ = false;                         // WordPiece: no space before punctuation
};

}  // namespace openbook::engine
