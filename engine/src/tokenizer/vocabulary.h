// Tokens by id and ids by token, as a tokenizer file spells them, and which of them are special.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "openbook/engine/tokenizer.h"
#include "tokenizer/json_field.h"

namespace openbook::engine {

class Vocabulary {
 public:
  static constexpr int64_t kLargestId = (1 << 24) - 1;  // real vocabularies end below 2^20; a lying id must not fill memory

  // From an object token -> id. Every id once; invalid_argument otherwise.
  explicit Vocabulary(const JsonField& object);
  Vocabulary() = default;

  // Adds a token or, when it is there already with this id, nothing. invalid_argument (at `where`) when token or id is taken.
  void add(const std::string& token, int64_t id, const JsonField& where);
  void mark_special(TokenId id) { special_[static_cast<size_t>(id)] = true; }

  std::optional<TokenId> find(std::string_view token) const;
  const std::string& token(TokenId id) const { return tokens_[static_cast<size_t>(id)]; }  // "" for an id without a token
  bool holds(int64_t id) const { return id >= 0 && id < size() && present_[static_cast<size_t>(id)]; }
  bool special(TokenId id) const { return holds(id) && special_[static_cast<size_t>(id)]; }
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }  // one more than the largest id
  size_t longest() const { return longest_; }                            // bytes of the longest token

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view token) const { return std::hash<std::string_view>{}(token); }
  };

  std::vector<std::string> tokens_;
  std::vector<bool> present_, special_;
  std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids_;
  size_t longest_ = 0;
};

}  // namespace openbook::engine
