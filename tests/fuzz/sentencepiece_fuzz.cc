// tokenizer.model, as SentencePiece's library reads it.
#include "fuzz.h"
#include "tokenizer/sentencepiece_tokenizer.h"

void openbook::fuzz::run(std::string_view input) {
  const engine::SentencePieceTokenizer tokenizer(input, "tokenizer.model", "", "tokenizer_config.json");
  std::vector<engine::TokenId> ids;
  for (const engine::Token& token : tokenizer.encode("The ferry costs 14 crowns, \xC3\xA6\xE2\x82\xAC<s>.", {}))
    ids.push_back(token.id);
  tokenizer.decode(ids, false);
  for (const engine::TokenId id : ids) tokenizer.token_bytes(id);
}
