// Watches the heads while the model speaks: for every token the evidence, the probability that it was copied, and where.
//
// HeadMonitor is shared and immutable; observe() reads the taps of one session. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "openbook/attribution/evidence.h"
#include "openbook/attribution/head_atlas.h"
#include "openbook/attribution/spelling.h"
#include "openbook/engine/prompt.h"
#include "openbook/engine/session.h"

namespace openbook::guard {

struct TokenObservation {
  engine::TokenId id = 0;
  std::vector<float> evidence;          // [probe head], then the echo: what the probe reads
  double probability_first = 0;         // copied, calibrated as the first token of a word
  double probability_continuation = 0;  // copied, calibrated as a later token of a word
  std::vector<float> attention;         // [prompt.all_passages] the localizer's (Look); 0 outside passages
  bool edited = false;                  // head edits were in force
};

// What the monitor must know of a prompt: which of its passages' tokens may be read, and how they are spelt. The tokenizer must
// outlive it.
class WatchedPassages {
 public:
  WatchedPassages(const engine::Tokenizer& tokenizer, const engine::Prompt& prompt);

 private:
  friend class HeadMonitor;
  std::vector<bool> readable_;  // [prompt.all_passages]
  attribution::Spelling spelling_;
};

class HeadMonitor {
 public:
  HeadMonitor(std::shared_ptr<const engine::Model> model, const attribution::HeadAtlas& atlas);

  // What a session must tap.
  const std::vector<engine::HeadId>& heads() const { return reader_.heads(); }

  // Call after session.choose() gave `token` and before it is appended: the taps belong to the position that chose it.
  TokenObservation observe(const engine::Session& session, const WatchedPassages& passages, engine::TokenId token) const;

 private:
  attribution::EvidenceReader reader_;
  attribution::Probe probe_;
  attribution::Localizer localizer_;
  at::Tensor localizer_rows_;  // rows of the taps that are the localizer's heads, in its order
};

}  // namespace openbook::guard
