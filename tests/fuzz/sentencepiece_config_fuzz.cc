// The tokenizer_config.json beside a sound tokenizer.model, a separator, a text to be encoded.
#include "fuzz.h"
#include "openbook/base/file.h"
#include "openbook/base/words.h"
#include "tokenizer/sentencepiece_tokenizer.h"

void openbook::fuzz::run(std::string_view input) {
  static const std::string model = read_file(OPENBOOK_FUZZ_SENTENCEPIECE_MODEL);
  const auto parts = pieces(input, 2);
  const engine::SentencePieceTokenizer tokenizer(model, "tokenizer.model", parts[0], "tokenizer_config.json");
  const std::string text = with_valid_utf8(std::string(parts[1]));
  for (const bool special : {false, true}) {
    std::vector<engine::TokenId> ids;
    for (const engine::Token& token : tokenizer.encode(text, {.parse_special = special, .add_special = special})) {
      require(
          token.bytes.begin >= 0 && token.bytes.begin <= token.bytes.end && token.bytes.end <= static_cast<int64_t>(text.size()),
          "tokens lie in the text");
      ids.push_back(token.id);
    }
    tokenizer.decode(ids, special);
  }
}
