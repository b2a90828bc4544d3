// Runs contrast cases through the model and observes the answer: what was said, where the answer stands, what every head did when
// it was chosen.
//
// Thread-safe: each batch has a session of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "openbook/attribution/contrast_set.h"
#include "openbook/attribution/head_atlas.h"
#include "openbook/base/cancellation.h"
#include "openbook/engine/batch_session.h"
#include "openbook/engine/prompt.h"

namespace openbook::attribution {

struct ObservedCase {
  ContrastCase made;
  engine::Prompt prompt;
  GivenAnswer given = GivenAnswer::kNeither;
  std::vector<engine::TokenId> said;  // greedy, up to the end of the answer
  TokenRange answer;                  // the given answer's tokens in `said`; empty when neither
  // Of every head of the model, by layer, at the position that chose the token; empty when not observed.
  std::vector<std::vector<float>> evidence;            // [answer token][head]
  std::vector<std::vector<float>> attention_to_alike;  // [answer token][head], to passage tokens that are spelt like it
  // Of the first answer token; empty and undefined when not observed or without passages.
  std::vector<bool> alike;  // [prompt.all_passages] tokens spelt like it
  at::Tensor pattern;       // [head, prompt.all_passages], CPU
};

// A batch at the moment its rows' answers began and ended: what signals other than evidence and pattern are read from. Tensors
// are float32 on the model's device; rows that gave no answer hold what stood at their first token.
struct AnswerMoment {
  const engine::BatchSession* batch;
  std::vector<ObservedCase*> rows;
  at::Tensor queries, last_queries;                // [rows, layers, heads, d_head] at the first and at the last answer token
  std::vector<int64_t> positions, last_positions;  // of the positions that chose them
  at::Tensor z;                                    // [rows, layers, heads, d_head] at the first
  at::Tensor resid_mid, resid_post;                // [rows, layers, d_model] at the first
};

struct RunOptions {
  const SteeringDose* dose = nullptr;                  // in force after the passages
  int64_t max_tokens = 20;                             // of a reply; one that names no answer within them is dropped
  std::function<void(const AnswerMoment&)> at_answer;  // called once a batch by observe(); prompt states are kept for it
  std::function<void(int64_t done)> progress;          // cases done
  const Cancellation* cancellation = nullptr;
};

class CaseRunner {
 public:
  explicit CaseRunner(const engine::Decoder& decoder);

  // Greedy answers, with every head observed or none. Cases run side by side in batches, results come in the order of the cases.
  std::vector<ObservedCase> observe(std::vector<ContrastCase> cases, const RunOptions& options = {}) const {
    return run(std::move(cases), true, options);
  }
  std::vector<ObservedCase> answer(std::vector<ContrastCase> cases, const RunOptions& options = {}) const {
    return run(std::move(cases), false, options);
  }

  // What the model says to questions without documents.
  std::vector<std::string> say(const std::vector<std::string>& questions, const RunOptions& options = {}) const;

  // Labels by cause of the given answers: one that no passage holds, not even its first word, was recited; otherwise what the
  // passages hold of it is replaced everywhere, and an answer that follows was copied, one that stays was recited. Nothing:
  // neither, or no answer was given.
  std::vector<std::optional<bool>> copied(const std::vector<const ObservedCase*>& cases, const RunOptions& options = {}) const;

 private:
  class Batch;

  std::vector<ObservedCase> run(std::vector<ContrastCase> cases, bool observe, const RunOptions& options) const;
  engine::Prompt prompt_of(const ContrastCase& made, int64_t max_tokens) const;

  const engine::Decoder* decoder_;
  engine::PromptBuilder prompts_;
};

// What the passages hold of an answer and it may have been read from: its spellings that one of them holds, or, where none is
// held whole, their first words that are. Empty: it stands nowhere.
std::vector<std::string> held_of(std::vector<std::string> spellings, const std::vector<Passage>& passages);

// Every head of the model, by layer.
std::vector<engine::HeadId> all_heads(const engine::ModelConfig& config);

// Tokens of the prompt's passages, as indices into prompt.all_passages, that stand in an occurrence of `words`, or begin one.
std::vector<int64_t> tokens_of(const engine::Prompt& prompt, const std::string& words);
std::vector<int64_t> first_tokens_of(const engine::Prompt& prompt, const std::string& words);

}  // namespace openbook::attribution
