// Runs contrast cases through the model and observes the answer: what was said, where the answer stands, what every head did when it was chosen.
//
// Thread-safe: each run has a session of its own.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "openbook/attribution/contrast_set.h"
#include "openbook/attribution/evidence.h"
#include "openbook/attribution/head_atlas.h"
#include "openbook/engine/prompt.h"
#include "openbook/engine/session.h"

namespace openbook::attribution {

struct ObservedCase {
  ContrastCase made;
  engine::Prompt prompt;
  GivenAnswer given = GivenAnswer::kNeither;
  std::vector<engine::TokenId> said;               // greedy, up to the end of the answer
  TokenRange answer;                               // the given answer's tokens in `said`; empty when neither
  std::vector<std::vector<float>> evidence;        // [answer token][tapped head]
  at::Tensor pattern;                              // [tapped head, prompt.all_passages] of the first answer token, CPU; undefined without taps or passages
};

class CaseRunner {
 public:
  // Observes `heads`; none: says only what was said.
  CaseRunner(const engine::Decoder& decoder, std::vector<engine::HeadId> heads);

  ObservedCase run(ContrastCase made, const SteeringDose* dose = nullptr) const;

  // What the model says to a question without documents.
  std::string say(const std::string& question) const;

  // Label by cause of the given answer: an answer that no passage holds was recited; otherwise the source string is replaced everywhere, and an answer that follows was
  // copied, one that stays was recited. Nothing: neither, or no answer was given.
  std::optional<bool> copied(const ObservedCase& observed) const;

  const engine::Decoder& decoder() const { return *decoder_; }

 private:
  const engine::Decoder* decoder_;
  std::vector<engine::HeadId> heads_;
  std::optional<EvidenceReader> reader_;
  engine::PromptBuilder prompts_;
};

// Every head of the model, by layer.
std::vector<engine::HeadId> all_heads(const engine::ModelConfig& config);

// Tokens of the prompt's passages, as indices into prompt.all_passages, that stand in an occurrence of `words`, or begin one.
std::vector<int64_t> tokens_of(const engine::Prompt& prompt, const std::string& words);
std::vector<int64_t> first_tokens_of(const engine::Prompt& prompt, const std::string& words);

}  // namespace openbook::attribution
