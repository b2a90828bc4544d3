// Sentences as a session would have spoken them, made by hand: one token a byte, with the probability and the attention that a
// test wants.
#pragma once

#include <string>
#include <vector>

#include "engine/byte_tokenizer.h"
#include "judge/judge.h"
#include "openbook/engine/prompt.h"

namespace openbook::guard::test {

inline const openbook::test::ByteTokenizer& bytes() {
  static const openbook::test::ByteTokenizer tokenizer({});
  return tokenizer;
}

// Passages, and nothing else that matters.
inline engine::Prompt prompt_of(const std::vector<Passage>& passages) {
  return engine::PromptBuilder(bytes(), {}).build({.passages = passages, .question = "x", .style = engine::PromptStyle::kBare});
}

struct Piece {
  std::string text;
  double probability_copied = 0.5;
  std::vector<Source> looked_at = {};  // by the token of every byte, each place alike
};

inline Spoken speak(const std::vector<Piece>& pieces, const engine::Prompt& prompt) {
  Spoken spoken;
  for (const Piece& piece : pieces) {
    std::vector<float> attention(static_cast<size_t>(prompt.all_passages.size()));
    for (size_t i = 0; i < attention.size(); ++i)
      for (const Source& source : piece.looked_at) {
        const engine::TokenSource& token = prompt.sources[prompt.all_passages.begin + i];
        if (token.passage == source.passage && token.range.overlaps(source.range))
          attention[i] += 1.0f / static_cast<float>(source.range.size());
      }
    for (const char byte : piece.text) {
      const auto begin = static_cast<int64_t>(spoken.text.size());
      spoken.text += byte;
      spoken.token_bytes.push_back({begin, begin + 1});
      spoken.tokens.push_back({.id = static_cast<uint8_t>(byte),
                               .evidence = {1, 2},
                               .probability_first = piece.probability_copied,
                               .probability_continuation = piece.probability_copied,
                               .attention = attention});
    }
  }
  return spoken;
}

}  // namespace openbook::guard::test
