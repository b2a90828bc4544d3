// Does an atlas still hold for a model that is not quite the one it was made for: another dtype, rounded or fine-tuned weights?
//
// Facts of the test relations that the model knows are asked with a document that contradicts them, with and without
// instructions, and without one; answers are labelled by cause and judged by the atlas's probe, thresholds and localizer, as they
// are. Nothing is fitted.
//
//   AtlasCheck check = check_atlas(model, ContrastSet::load("attribution/data"), HeadAtlas::load("smollm2.atlas.json"), {});
//   if (!check.holds) std::cerr << check.reason;
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "openbook/attribution/atlas_builder.h"
#include "openbook/attribution/contrast_set.h"
#include "openbook/attribution/head_atlas.h"
#include "openbook/engine/model.h"

namespace openbook::attribution {

// An answer that the check judged: what its figures are means of, for who wants their intervals.
struct CheckedAnswer {
  std::string subject;  // of its fact; answers of one subject are not independent
  bool copied = false;  // by cause
  double probability_copied = 0;
  bool passes = false;              // above the atlas's threshold for copied
  bool blamed = false;              // below that for recited
  std::optional<bool> place_found;  // of copied answers that a passage holds
};

struct AtlasCheck {
  int64_t facts = 0, copied = 0, recited = 0;
  double auc = 0;             // copied against recited; NaN when a class is missing
  double place_top1 = 0;      // NaN when nothing was copied
  double recited_passed = 0;  // share of recited answers above the atlas's threshold
  double copied_blamed = 0;   // share of copied answers below it
  bool holds = false;         // AUC and place are near those of the atlas's own validation, and few recited answers pass
  std::string reason;         // why not; empty when it holds
  std::vector<CheckedAnswer> answers;
};

struct AtlasCheckOptions {
  int64_t facts = 16;  // known ones, of the test relations: a minute on two CPU cores with a model of 135M
  uint64_t seed = 1;
};

// Throws failed_precondition when layers and heads are not the atlas's, or the model knows too few facts to tell; cancelled.
AtlasCheck check_atlas(std::shared_ptr<const engine::Model> model, const ContrastSet& facts, const HeadAtlas& atlas,
                       const AtlasCheckOptions& options, const Progress& progress = {},
                       const Cancellation* cancellation = nullptr);

}  // namespace openbook::attribution
