// A tokenizer whose tokens are single bytes, with a few special tokens: enough to test what is built on top of one, without a
// model.
#pragma once

#include <string>
#include <vector>

#include "openbook/engine/tokenizer.h"

namespace openbook::test {

class ByteTokenizer : public engine::Tokenizer {
 public:
  // Specials get the ids 256, 257, ... `added_before` is put before a text under add_special, `added_after` behind it.
  explicit ByteTokenizer(std::vector<std::string> specials, std::vector<engine::TokenId> added_before = {},
                         std::vector<engine::TokenId> added_after = {})
      : specials_(std::move(specials)), added_before_(std::move(added_before)), added_after_(std::move(added_after)) {}

  std::vector<engine::Token> encode(std::string_view text, const engine::EncodeOptions& options = {}) const override {
    std::vector<engine::Token> tokens;
    if (options.add_special)
      for (engine::TokenId id : added_before_) tokens.push_back({id, {}});
    for (int64_t at = 0; at < static_cast<int64_t>(text.size());) {
      const engine::Token token = token_at(text, at, options.parse_special);
      tokens.push_back(token);
      at = token.bytes.end;
    }
    if (options.add_special)
      for (engine::TokenId id : added_after_) tokens.push_back({id, {}});
    return tokens;
  }
  std::string token_bytes(engine::TokenId id) const override {
    return is_special(id) ? specials_.at(id - 256) : std::string(1, static_cast<char>(id));
  }
  std::string decode(std::span<const engine::TokenId> ids, bool skip_special = true) const override {
    std::string text;
    for (engine::TokenId id : ids)
      if (!(skip_special && is_special(id))) text += token_bytes(id);
    return text;
  }
  int64_t vocabulary_size() const override { return 256 + static_cast<int64_t>(specials_.size()); }
  std::optional<engine::TokenId> find(std::string_view token) const override {
    for (size_t i = 0; i < specials_.size(); ++i)
      if (specials_[i] == token) return 256 + static_cast<engine::TokenId>(i);
    return token.size() == 1 ? std::optional<engine::TokenId>(static_cast<uint8_t>(token[0])) : std::nullopt;
  }
  bool is_special(engine::TokenId id) const override { return id >= 256; }
  std::string fingerprint() const override { return "byte"; }

 private:
  engine::Token token_at(std::string_view text, int64_t at, bool parse_special) const {
    if (parse_special)
      for (size_t i = 0; i < specials_.size(); ++i)
        if (text.substr(at).starts_with(specials_[i]))
          return {256 + static_cast<engine::TokenId>(i), {at, at + static_cast<int64_t>(specials_[i].size())}};
    return {static_cast<uint8_t>(text[at]), {at, at + 1}};
  }

  std::vector<std::string> specials_;
  std::vector<engine::TokenId> added_before_, added_after_;
};

}  // namespace openbook::test
