// What a sentence-transformers folder says: modules.json, 1_Pooling/config.json, sentence_bert_config.json, with separators.
#include "encoder/sentence_config.h"
#include "fuzz.h"

void openbook::fuzz::run(std::string_view input) {
  const auto files = pieces(input, 3);
  file("modules.json", files[0]);
  file("1_Pooling/config.json", files[1]);
  file("sentence_bert_config.json", files[2]);
  const int64_t longest = engine::read_max_sequence(folder(), 512);
  require(longest >= 3 && longest <= 512, "the longest input is one that the model takes");
  engine::require_mean_pooling(folder(), 384);
}
