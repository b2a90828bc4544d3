// Answers whose source is known by cause, with everything that a method may tell the source from.
#pragma once

#include "report/data_cases.h"
#include "report/experiment.h"
#include "report/signals.h"
#include "report/tracked_places.h"

namespace openbook::attribution {

struct TrackedAnswer {
  std::string set;  // "own relations", "conflict", "swap", "read", "biographies"; ".es" and ".zh" behind the last two
  Setting setting = Setting::kOwn;
  std::string subject;
  Split split = Split::kTest;     // of own relations
  int32_t relation = 0;           // of own relations
  std::optional<bool> copied;     // by cause
  std::vector<float> evidence;    // [head], every head's, of the first token
  std::vector<float> features;    // what the probe reads: its heads' evidence, and the echo
  double probability_copied = 0;  // the atlas's probe on it
  AnswerSignals signals;
  bool string_match = false;  // some passage holds the answer
  // The localizer's best places of its first and its last token, whatever the verdict; indices into the passages' tokens.
  std::optional<int64_t> place, last_place;
  bool nowhere = true;                  // the localizer's word on the first token: it was read in no passage
  std::string misplaced;                // what stands at a place outside every occurrence, with its neighbours
  std::vector<TokenRange> occurrences;  // of the answer in the passages, in their tokens
  std::optional<OtherPlaces> others;    // of copied answers of the test split
  // [head] the paper's protocol: the same activations read by its logit lens (BatchEvidence::lens) for two candidate tokens,
  // where both are among the ten likeliest.
  std::vector<float> contextual, parametric;
};

struct TrackedSets {
  std::vector<TrackedAnswer> answers;
  std::vector<std::pair<std::string, int64_t>> asked;  // sets in order, and how many questions of the test split each asked
  std::vector<std::string> left_out;                   // why a set is missing
  Json heat_texts = Json::array();                     // charts of some answers' attention over their documents
};

TrackedSets track_answers(const Laboratory& laboratory);

}  // namespace openbook::attribution
