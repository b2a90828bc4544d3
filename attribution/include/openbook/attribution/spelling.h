// Which tokens of a prompt are spelt like another one, but for case and the space around them.
//
// Where a token was copied from, the passage has a token of the same spelling, but for a capital letter or the space before it.
// So attention to passage tokens that are spelt like what was said tells reading from looking at something else (the localizer's
// echo and place).
//
// Thread-safe: immutable. The tokenizer must outlive it.
//
//   const Spelling spelling(tokenizer, prompt.passage_ids());
//   std::vector<bool> alike = spelling.like(said);
#pragma once

#include <span>
#include <string>
#include <vector>

#include "openbook/engine/tokenizer.h"

namespace openbook::attribution {

class Spelling {
 public:
  Spelling(const engine::Tokenizer& tokenizer, std::span<const engine::TokenId> tokens);

  // [tokens]; all false for a token that is white space, special or unknown.
  std::vector<bool> like(engine::TokenId token) const;

 private:
  const engine::Tokenizer* tokenizer_;
  std::vector<std::string> spelt_;  // [tokens]
};

}  // namespace openbook::attribution
