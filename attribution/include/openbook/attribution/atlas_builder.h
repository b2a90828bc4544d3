// Builds the head atlas of a model from the contrast set: relevance, head roles, probe, localizer, thresholds, steering dose,
// validation.
//
// Heads, features and the probe's regularisation come from the fit split (regularisation by relations held out within it),
// thresholds and dose from the calibrate split, validation from the test split; splits share no relation. No evaluation data is
// read.
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

// How heads are found. Both name the same mechanism; on SmolLM2 probe and localizer are as good under either (docs/atlas.md).
enum class HeadFinder {
  kWriteScore,  // retrieval heads by what they write of an answer's tokens from where it stands (LOCOS), in-context, parametric
                // and task heads by gradient times activation
  kAttnLrp,     // all by AttnLRP, as the paper has it; LRP may be patented, see the licences in README.md
};

struct AtlasBuildOptions {
  HeadFinder finder = HeadFinder::kWriteScore;
  uint64_t seed = 1;
  int64_t max_facts = 0;  // 0: all; fewer for a quick look
  RoleSize role_size = RoleSize::kElbow;
  int64_t probe_heads = 30;  // of the best retrieval scores: the probe's features. Steering tries them and twice as many
  std::string command;       // recorded in the atlas
};

// Called from the building thread: what is being done, how many of how many.
using Progress = std::function<void(const std::string& stage, int64_t done, int64_t total)>;

// Throws failed_precondition when the model knows too few facts or never follows a document, saying how many and what would do;
// cancelled.
HeadAtlas build_atlas(std::shared_ptr<const engine::Model> model, const ContrastSet& contrast_set, const Embedder& embedder,
                      const AtlasBuildOptions& options, const Progress& progress = {},
                      const Cancellation* cancellation = nullptr);

}  // namespace openbook::attribution
