// Writes the small models that tests/data/make_stored.sh asks, with their atlases: write_models FOLDER.
//
//   capital/ endless/       hand-written models, each with its atlas.json
//   tiny_llama.atlas.json   an atlas of tests/golden/tiny_llama/plain with every field set
#include <cstdio>
#include <filesystem>

#include "attribution/small_atlas.h"
#include "base/test_support.h"
#include "guard/reading_llama.h"
#include "openbook/engine/model.h"

namespace openbook {
namespace {

void write_with_atlas(const test::ReadingLlama& model, const std::filesystem::path& folder) {
  model.write(folder);
  test::reading_atlas(folder).save(folder / "atlas.json");
}

attribution::HeadAtlas atlas_of_tiny_llama() {
  attribution::HeadAtlas atlas = test::small_atlas();
  const auto model = engine::Model::load(test::golden("tiny_llama/plain"));
  atlas.model_name = "tiny llama";
  atlas.model_fingerprint = model->fingerprint();
  atlas.layers = model->config().layers;
  atlas.heads = model->config().heads;
  const auto heads = static_cast<size_t>(atlas.layers * atlas.heads);
  for (auto* scores : {&atlas.difference_score, &atlas.task_score, &atlas.retrieval_score}) scores->resize(heads, 0.25);
  return atlas;
}

}  // namespace
}  // namespace openbook

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path folder = argv[1];
  openbook::write_with_atlas(openbook::test::capital_llama(), folder / "capital");
  openbook::write_with_atlas(openbook::test::endless_llama(), folder / "endless");
  openbook::atlas_of_tiny_llama().save(folder / "tiny_llama.atlas.json");
}
