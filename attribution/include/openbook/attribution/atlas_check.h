// Does an atlas still hold for a model that is not quite the one it was made for: another dtype, rounded or fine-tuned weights?
//
// The model is asked facts of the test relations that it knows: with a document that contradicts the fact (once with and once
// without instructions), and without a document. Answers are labelled by cause, and judged by the atlas's probe, thresholds and
// localizer as they are. Nothing is fitted.
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

// One answer that the check judged. The check's figures are means over these; they are kept so that intervals can be computed.
struct CheckedAnswer {
  std::string subject;  // of the fact; answers about one subject are not independent
  bool copied = false;  // by cause
  double probability_copied = 0;
  bool passes = false;              // above the atlas's threshold for copied
  bool blamed = false;              // below the atlas's threshold for recited
  std::optional<bool> place_found;  // only for copied answers that a passage holds
};

struct AtlasCheck {
  int64_t facts = 0, copied = 0, recited = 0;
  double auc = 0;             // copied against recited; NaN when a class is missing
  double place_top1 = 0;      // NaN when nothing was copied
  double recited_passed = 0;  // share of recited answers above the atlas's threshold for copied
  double copied_blamed = 0;   // share of copied answers below its threshold for recited
  bool holds = false;         // AUC and place are near those of the atlas's own validation, and few recited answers pass
  std::string reason;         // why not; empty when it holds
  std::vector<CheckedAnswer> answers;
};

struct AtlasCheckOptions {
  int64_t facts = 16;  // how many known facts are asked: a minute on two CPU cores with a model of 135 million parameters
  uint64_t seed = 1;
};

// Throws failed_precondition when the model has other numbers of layers and heads than the atlas, or knows too few facts to tell,
// and cancelled.
AtlasCheck check_atlas(std::shared_ptr<const engine::Model> model, const ContrastSet& facts, const HeadAtlas& atlas,
                       const AtlasCheckOptions& options, const Progress& progress = {},
                       const Cancellation* cancellation = nullptr);

}  // namespace openbook::attribution
