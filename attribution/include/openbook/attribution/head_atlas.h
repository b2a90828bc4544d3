// The head atlas of one model: which heads do what, the probe, the localizer, thresholds and steering dose, and how all of that
// was found.
//
// It is one JSON file with a version and a checksum (docs/atlas.md). An atlas belongs to the model whose fingerprint it names and
// is refused for any other. Thread-safe: plain data once loaded.
//
//   HeadAtlas atlas = HeadAtlas::load("examples/smollm2.atlas.json");
//   atlas.require_model(*model);
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "openbook/attribution/localizer.h"
#include "openbook/attribution/probe.h"
#include "openbook/base/span.h"
#include "openbook/engine/head_edits.h"
#include "openbook/engine/model.h"

namespace openbook::attribution {

// Verdicts from the calibrated probability of `copied`: >= copied_above is copied, <= recited_below is recited, between them
// unchecked.
struct VerdictThresholds {
  double copied_above = 1;
  double recited_below = 0;
  double recited_passed_bound =
      1;                      // upper Clopper-Pearson bound of the share of recited tokens taken for copied, calibration split
  int64_t recited_cases = 0;  // how many recited tokens that bound was computed from
};

struct SteeringDose {
  std::vector<engine::HeadId> retrieval_heads;   // get `bias` toward the on-topic passages' tokens
  float bias = 0;                                // nats, before the softmax
  std::vector<engine::HeadId> parametric_heads;  // get `gain`
  float gain = 1;

  // Biases the retrieval heads toward `keys` and turns the parametric heads down, from `from_position` on
  // (engine::Prompt::first_after_passages).
  void put_in_force(int64_t from_position, std::vector<TokenRange> keys, engine::HeadEdits& edits) const;
};

struct AtlasValidation {  // on the test relations, one row per setting
  std::string setting;
  int64_t copied = 0, recited = 0;
  double auc = 0;         // NaN when a class is missing
  double place_top1 = 0;  // NaN when nothing was copied
};

struct HeadAtlas {
  static constexpr int kVersion = 2;

  std::string model_fingerprint;
  std::string model_name;
  int64_t layers = 0, heads = 0;

  std::vector<engine::HeadId> in_context, parametric, task, retrieval;  // best first
  std::vector<double> difference_score, task_score, retrieval_score;    // [layers * heads], row-major by layer

  Probe probe;
  Localizer localizer;
  VerdictThresholds first_token, continuation;
  SteeringDose steering;
  double causal_nats = 0;       // a citation is causal above this
  double topic_similarity = 1;  // embedder cosine from which a sentence counts as close to the question

  std::vector<AtlasValidation> validation;
  // Date, seed, dtype, device, hashes of the contrast set and of the training rows, counts, command.
  std::map<std::string, std::string> provenance;

  // Throws not_found, data_loss (checksum), invalid_argument (malformed; an unknown or missing key is named), unimplemented
  // (another version).
  static HeadAtlas load(const std::filesystem::path& file);
  void save(const std::filesystem::path& file) const;  // whole or not at all
  std::string fingerprint() const;                     // hex SHA-256 of the canonical content

  // Throws failed_precondition naming both fingerprints when the atlas was made for another model.
  void require_model(const engine::Model& model) const;
};

}  // namespace openbook::attribution
