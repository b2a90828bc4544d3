#include "tokenizer/added_tokens.h"

#include <algorithm>

#include "openbook/base/utf8.h"
#include "tokenizer/character_class.h"

namespace openbook::engine {
namespace {

CodePoint code_point_before(std::string_view text, size_t end) {
  size_t begin = end - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  return code_point_at(text, begin);
}

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  const bool word_before = begin > 0 && is_word_character(code_point_before(text, begin).value);
  const bool word_behind = end < text.size() && is_word_character(code_point_at(text, end).value);
  return !word_before && !word_behind;
}

size_t before_spaces(std::string_view text, size_t end, size_t not_before) {
  while (end > not_before) {
    const CodePoint point = code_point_before(text, end);
    if (!is_white_space(point.value)) break;
    end = point.offset;
  }
  return std::max(end, not_before);
}

size_t behind_spaces(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    const CodePoint point = code_point_at(text, begin);
    if (!is_white_space(point.value)) break;
    begin += point.length;
  }
  return begin;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)), nodes_(1) {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    int node = 0;
    for (const char byte : tokens_[i].content) {
      int next = step(node, byte);
      if (next < 0) {
        next = static_cast<int>(nodes_.size());
        nodes_[static_cast<size_t>(node)].next.emplace_back(byte, next);
        nodes_.emplace_back();
      }
      node = next;
    }
    if (node != 0) nodes_[static_cast<size_t>(node)].token = static_cast<int>(i);
  }
}

int AddedTokens::step(int node, char byte) const {
  for (const auto& [edge, next] : nodes_[static_cast<size_t>(node)].next)
    if (edge == byte) return next;
  return -1;
}

const AddedToken* AddedTokens::longest_at(std::string_view text, size_t at) const {
  const AddedToken* longest = nullptr;
  for (int node = 0; at < text.size(); ++at) {
    node = step(node, text[at]);
    if (node < 0) break;
    if (const int token = nodes_[static_cast<size_t>(node)].token; token >= 0) longest = &tokens_[static_cast<size_t>(token)];
  }
  return longest;
}

std::vector<Stretch> AddedTokens::find(std::string_view text, bool parse_special) const {
  std::vector<Stretch> stretches;
  size_t covered = 0;
  for (size_t at = 0; !tokens_.empty() && at < text.size();) {
    const AddedToken* token = longest_at(text, at);
    if (!token) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + token->content.size();
    at = end;
    if ((token->special && !parse_special) || begin < covered) continue;
    if (token->single_word && !stands_alone(text, begin, end)) continue;
    if (token->strip_left) begin = before_spaces(text, begin, covered);
    if (token->strip_right) end = behind_spaces(text, end);
    if (covered < begin) stretches.push_back({nullptr, {static_cast<int64_t>(covered), static_cast<int64_t>(begin)}});
    stretches.push_back({token, {static_cast<int64_t>(begin), static_cast<int64_t>(end)}});
    covered = end;
  }
  if (covered < text.size()) stretches.push_back({nullptr, {static_cast<int64_t>(covered), static_cast<int64_t>(text.size())}});
  return stretches;
}

}  // namespace openbook::engine
