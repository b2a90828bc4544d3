// The model of a tokenizer.json: turns words (pieces of normalised text) into tokens.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/span.h"
#include "openbook/engine/tokenizer.h"

namespace openbook::engine {

// Immutable and thread-safe.
class WordModel {
 public:
  virtual ~WordModel() = default;

  // Appends the tokens of every word; `words` are ranges of `text`, which is valid UTF-8, and so are the tokens' bytes.
  virtual void tokenize(std::string_view text, std::span<const ByteSpan> words, std::vector<Token>& tokens) const = 0;
};

}  // namespace openbook::engine
