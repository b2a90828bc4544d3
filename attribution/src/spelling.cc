#include "openbook/attribution/spelling.h"

#include "openbook/base/utf8.h"

namespace openbook::attribution {
namespace {

// Bytes of a character that was cut in two stay as they are. Models have ids beyond their tokenizer's, where rows are padded.
std::string spelt(const engine::Tokenizer& tokenizer, engine::TokenId token) {
  if (token < 0 || token >= tokenizer.vocabulary_size() || tokenizer.is_special(token)) return "";
  constexpr std::string_view kSpace = " \t\r\n";
  const std::string bytes = tokenizer.token_bytes(token);
  const size_t begin = bytes.find_first_not_of(kSpace);
  if (begin == std::string::npos) return "";
  const std::string letters = bytes.substr(begin, bytes.find_last_not_of(kSpace) + 1 - begin);
  return first_invalid_utf8(letters) ? letters : fold_case(letters);
}

}  // namespace

Spelling::Spelling(const engine::Tokenizer& tokenizer, std::span<const engine::TokenId> tokens) : tokenizer_(&tokenizer) {
  for (const engine::TokenId token : tokens) spelt_.push_back(spelt(tokenizer, token));
}

std::vector<bool> Spelling::like(engine::TokenId token) const {
  const std::string wanted = spelt(*tokenizer_, token);
  std::vector<bool> alike;
  for (const std::string& each : spelt_) alike.push_back(!wanted.empty() && each == wanted);
  return alike;
}

}  // namespace openbook::attribution
