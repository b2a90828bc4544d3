#include "tokenizer/vocabulary.h"

#include <algorithm>

namespace openbook::engine {

Vocabulary::Vocabulary(const JsonField& object) {
  ids_.reserve(object.object().size());
  for (const auto& [token, id] : object.object().items()) {
    if (!id.is_number_integer()) object.malformed("token \"" + token + "\": expected an integer id, found " + id.type_name());
    add(token, id.get<int64_t>(), object);
  }
  if (ids_.empty()) object.malformed("has no tokens");
}

void Vocabulary::add(const std::string& token, int64_t id, const JsonField& where) {
  if (id < 0 || id > kLargestId)
    where.malformed("token \"" + token + "\" has id " + std::to_string(id) + ", outside 0.." + std::to_string(kLargestId));
  if (const auto known = find(token)) {
    if (*known == id) return;
    where.malformed("token \"" + token + "\" has two ids, " + std::to_string(*known) + " and " + std::to_string(id));
  }
  if (holds(id))
    where.malformed("id " + std::to_string(id) + " belongs to two tokens, \"" + tokens_[static_cast<size_t>(id)] + "\" and \"" +
                    token + '"');
  if (id >= size()) {
    const auto count = static_cast<size_t>(id) + 1;
    tokens_.resize(count);
    present_.resize(count);
    special_.resize(count);
  }
  tokens_[static_cast<size_t>(id)] = token;
  present_[static_cast<size_t>(id)] = true;
  ids_.emplace(token, static_cast<TokenId>(id));
  longest_ = std::max(longest_, token.size());
}

std::optional<TokenId> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

}  // namespace openbook::engine
