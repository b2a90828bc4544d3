// A laboratory over a hand-written model that knows capitals, of which one knows what its two heads do: L0H0 reads answers from
// documents, L0H1 recites them.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "attribution/knowing_llama.h"
#include "base/test_support.h"
#include "report/experiment.h"

namespace openbook::test {

class KnowingLaboratory : public testing::Test {
 protected:
  void enter(const ReadingLlama& model) {
    model.write(folder_ / "model");
    decoder_.emplace(engine::Model::load(folder_ / "model"));
    atlas_ = reading_atlas(folder_ / "model");
    lab_ = {.decoder = &*decoder_, .facts = &facts_, .runs = &runs_, .atlas = &atlas_};
  }

  const TemporaryFolder folder_;
  const attribution::ContrastSet facts_ = capital_facts();
  std::optional<engine::Decoder> decoder_;
  attribution::ContrastRuns runs_;  // none, unless a test runs them
  attribution::HeadAtlas atlas_;
  attribution::Laboratory lab_;
};

// The value of a part's figure.
inline double value_of(const attribution::Json& part, const std::string& name) {
  for (const attribution::Json& each : part["figures"])
    if (each["name"] == name) return each["estimate"]["value"].get<double>();
  throw std::logic_error("no figure " + name);
}

}  // namespace openbook::test
