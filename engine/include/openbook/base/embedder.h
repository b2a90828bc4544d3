// Turns text into vectors for search. The retriever knows this interface alone; the engine's text encoder fulfils it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openbook {

// Implementations are thread-safe.
class Embedder {
 public:
  virtual ~Embedder() = default;

  virtual int64_t dimension() const = 0;
  virtual std::string fingerprint() const = 0;  // hex; vectors of different fingerprints must not meet
  virtual std::string name() const = 0;         // for messages

  // Row-major [texts.size(), dimension()], each row of length 1.
  virtual std::vector<float> embed(const std::vector<std::string>& texts) const = 0;

  // Tokens of `text` as the embedder counts them, without special tokens; the chunker's budget is in this unit.
  virtual int64_t count_tokens(std::string_view text) const = 0;
  virtual int64_t max_tokens() const = 0;  // longer texts are cut by embed()
};

}  // namespace openbook
