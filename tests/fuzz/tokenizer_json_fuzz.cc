// tokenizer.json, a separator, a text to be encoded: what the file makes the tokenizer do may be hostile, too.
#include "fuzz.h"
#include "openbook/base/words.h"
#include "tokenizer/json_tokenizer.h"

void openbook::fuzz::run(std::string_view input) {
  const auto parts = pieces(input, 2);
  const engine::JsonTokenizer tokenizer(parts[0], "tokenizer.json");
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
    for (const engine::TokenId id : ids) tokenizer.token_bytes(id);
  }
}
