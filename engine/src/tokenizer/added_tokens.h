// Tokens that are recognised as whole strings before a text is cut into words.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "openbook/engine/tokenizer.h"

namespace openbook::engine {

struct AddedToken {
  TokenId id = 0;
  std::string content;       // as it is to be found: normalised when it is looked for in normalised text
  bool special = false;      // recognised only with EncodeOptions::parse_special
  bool single_word = false;  // only between characters that form no word
  bool strip_left = false;   // covers the white space in front of it
  bool strip_right = false;  // covers the white space behind it
};

// A stretch of text: one added token, or plain text between them.
struct Stretch {
  const AddedToken* token = nullptr;
  ByteSpan span;
};

// Finds added tokens: leftmost, then longest. A special token that is not to be recognised is plain text, also for what it holds.
// Immutable and thread-safe.
class AddedTokens {
 public:
  AddedTokens() : nodes_(1) {}
  explicit AddedTokens(std::vector<AddedToken> tokens);

  std::vector<Stretch> find(std::string_view text, bool parse_special) const;  // covers `text` without gaps

 private:
  struct Node {
    std::vector<std::pair<char, int>> next;  // byte -> node
    int token = -1;                          // the token that ends here
  };

  int step(int node, char byte) const;  // -1: none
  const AddedToken* longest_at(std::string_view text, size_t at) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;  // a tree of bytes, the root first
};

}  // namespace openbook::engine
