// A Guard over a model, a text encoder and an atlas that are in memory already, for whoever has them for other work too. It
// answers from given passages alone: no index, no log.
#pragma once

#include <memory>

#include "openbook/attribution/head_atlas.h"
#include "openbook/base/embedder.h"
#include "openbook/engine/model.h"
#include "openbook/guard/guard.h"

namespace openbook::guard {

struct GuardParts {
  std::shared_ptr<const engine::Model> model;
  std::shared_ptr<const Embedder> embedder;
  attribution::HeadAtlas atlas;
  Policy policy;
};

// Throws failed_precondition (atlas of another model) and whatever the model's chat template throws.
std::unique_ptr<Guard> make_guard(GuardParts parts);

}  // namespace openbook::guard
