// config.json, a separator, generation_config.json.
#include "fuzz.h"
#include "openbook/engine/model_config.h"

void openbook::fuzz::run(std::string_view input) {
  const auto files = pieces(input, 2);
  file("config.json", files[0]);
  file("generation_config.json", files[1]);
  const engine::ModelConfig config = engine::read_model_config(folder());
  require(config.layers > 0 && config.heads % config.kv_heads == 0 && config.d_head % 2 == 0, "sizes fit each other");
  for (const auto id : config.stop_ids) require(id >= 0 && id < config.vocabulary, "stop ids are in the vocabulary");
}
