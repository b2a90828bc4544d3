// Passages and what they say of a question, for tests of the judge.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "guard/spoken.h"
#include "judge/judge.h"
#include "openbook/base/words.h"
#include "retriever/hashing_embedder.h"

namespace openbook::guard::test {

// A Topic with the question and the passages that it reads.
struct AskedTopic {
  AskedTopic(const std::string& asked, const std::vector<Passage>& passages, const engine::Tokenizer& tokenizer,
             const Embedder& embedder, double close)
      : question(asked), read(read_passages(passages)), topic(question, read, tokenizer, embedder, close) {}
  AskedTopic(const AskedTopic&) = delete;
  operator const Topic&() const { return topic; }
  const Topic* operator->() const { return &topic; }

  Question question;
  std::vector<ReadPassage> read;
  Topic topic;
};

struct Ground {
  Ground(const std::string& asked, std::vector<Passage> given, double close = 1.0)
      : question(asked), passages(std::move(given)), prompt(prompt_of(passages)), read(read_passages(prompt.passages)) {
    topic.emplace(question, read, bytes(), embedder, close);
    atlas.first_token = {.copied_above = 0.9, .recited_below = 0.1};
  }
  Ground(const Ground&) = delete;
  JudgeContext context() const { return {&prompt, &read, &*topic, &atlas, &question}; }
  Source place(const std::string& words, int32_t passage, size_t which = 0) const {
    return {passage, find_words(passages.at(passage).text, words).at(which)};
  }

  Question question;
  std::vector<Passage> passages;
  engine::Prompt prompt;
  std::vector<ReadPassage> read;
  openbook::test::HashingEmbedder embedder;
  std::optional<Topic> topic;
  attribution::HeadAtlas atlas;
};

// "Leeds: supported", a claim a line.
inline std::vector<std::string> shown(const Judgement& judgement, const std::string& text) {
  std::vector<std::string> lines;
  for (const Claim& claim : judgement.claims)
    lines.push_back(std::string(slice(text, claim.answer)) + ": " + std::string(support_name(claim.support)));
  return lines;
}

}  // namespace openbook::guard::test
