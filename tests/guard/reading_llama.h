// A tiny Llama whose weights are written by hand, so that one knows why it says what it says: it reads answers from the documents
// with one head and recites them from memory with another.
//
// One layer, no rotation to speak of, a feed-forward of zeros. The residual stream is a one-hot token beside one number per
// answer:
//   grammar  W_U of the current token says what may follow it;
//   L0H0     reads: attends to the answers in the prompt and writes how much each got;
//   L0H1     recites: attends to the subjects and writes the answer that memory has for each.
// Where several words may follow, the two heads decide. Both also attend to every <|im_start|>, a sink with score 0. So with n
// answers in the prompt the first head's share on them is n e^reading / (n e^reading + sinks), and the same for the second with n
// subjects and `reciting`.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "openbook/attribution/head_atlas.h"

namespace openbook::test {

struct ReadingLlama {
  // Token -> what may follow. "\n" is what stands before the assistant's first word, "<|im_end|>" ends the answer. Words are
  // single tokens, the space before them included.
  std::vector<std::pair<std::string, std::vector<std::string>>> grammar;
  std::vector<std::string> answers;           // words that L0H0 reads; at most kMaxAnswers
  std::map<std::string, std::string> memory;  // subject -> one of the answers
  float reading = 3;                          // attention score of an answer in L0H0
  float reciting = 1;                         // attention score of a subject in L0H1
  int64_t max_positions = 512;

  static constexpr size_t kMaxAnswers = 32;
  static constexpr float kGrammarLogit = 30,
                         kHeadLogit = 12;  // of an allowed word; of an answer that a head gives its whole attention

  // Lets only `next` follow `token`.
  void follow(const std::string& token, std::vector<std::string> next);

  // Writes the model folder (config, weights, tokenizer, chat template) into `folder`.
  void write(const std::filesystem::path& folder) const;
};

// "The capital of Norway is Bergen." from a document that says so; from memory: Oslo.
ReadingLlama capital_llama();
// The same, but it says Oslo whatever the document says, unless it is steered.
ReadingLlama stubborn_llama();

// Two sentences: "The capital of Norway is Bergen. And it has 31!"
ReadingLlama two_sentence_llama();
// "The capital of Norway is Bergen. The capital of Norway is Bergen. ..." until it is stopped.
ReadingLlama endless_llama();

// The atlas of the model in `folder`: L0H0 is the retrieval head, L0H1 the parametric one; p(copied) is the logistic function of
// their difference in evidence.
attribution::HeadAtlas reading_atlas(const std::filesystem::path& folder);

}  // namespace openbook::test
