// Builds the head atlas of a model from the contrast set: relevance, head roles, probe, localizer, thresholds, steering dose,
// validation.
//
// The fit split gives heads, features and the probe's regularisation (chosen on relations that are held out within it), the
// calibrate split thresholds and dose, the test split the validation. No relation is in two splits. No evaluation data is read.
//
//   HeadAtlas atlas = build_atlas(model, ContrastSet::load("attribution/data"), *embedder, {.seed = 1}, &progress, nullptr);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "openbook/attribution/contrast_set.h"
#include "openbook/attribution/head_atlas.h"
#include "openbook/attribution/head_roles.h"
#include "openbook/base/cancellation.h"
#include "openbook/base/embedder.h"

namespace openbook::attribution {

// How heads are found. On SmolLM2 probe and localizer are as good with either way (docs/atlas.md).
enum class HeadFinder {
  kWriteScore,  // retrieval heads by how much of an answer's tokens they write from where the answer is in the passages (LOCOS);
                // in-context, parametric and task heads by gradient times activation
  kAttnLrp,     // all heads by AttnLRP, as in the paper; LRP may be patented, see the licences in README.md
};

struct AtlasBuildOptions {
  HeadFinder finder = HeadFinder::kWriteScore;
  uint64_t seed = 1;
  int64_t max_facts = 0;  // 0: all; fewer for a quick look
  RoleSize role_size = RoleSize::kElbow;
  int64_t probe_heads =
      30;  // the heads with the best retrieval scores are the probe's features; steering tries these and twice as many
  std::string command;  // recorded in the atlas
};

// Called by the thread that builds: what is being done, and how many of how many are done.
using Progress = std::function<void(const std::string& stage, int64_t done, int64_t total)>;

// Throws failed_precondition when the model knows too few facts or never follows a document (the message says how many there were
// and what would help), and cancelled.
HeadAtlas build_atlas(std::shared_ptr<const engine::Model> model, const ContrastSet& contrast_set, const Embedder& embedder,
                      const AtlasBuildOptions& options, const Progress& progress = {},
                      const Cancellation* cancellation = nullptr);

}  // namespace openbook::attribution
