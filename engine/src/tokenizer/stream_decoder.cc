#include <algorithm>
#include <string>

#include "openbook/base/utf8.h"
#include "openbook/engine/tokenizer.h"
#include "tokenizer/lossy_utf8.h"

namespace openbook::engine {
namespace {

// How many bytes at the start of `bytes`, which is not valid there, could have become a code point; at least 1.
size_t begun_code_point(std::string_view bytes) {
  for (size_t length = std::min<size_t>(3, bytes.size()); length > 1; --length) {
    std::string completed(bytes.substr(0, length));
    while (completed.size() < 4 && first_invalid_utf8(completed)) completed += '\x80';
    if (!first_invalid_utf8(completed)) return length;
  }
  return 1;
}

}  // namespace

std::string lossy_utf8(std::string_view bytes) {
  std::string whole;
  while (!bytes.empty()) {
    const auto bad = first_invalid_utf8(bytes);
    whole += bytes.substr(0, bad.value_or(bytes.size()));
    if (!bad) break;
    bytes.remove_prefix(*bad);
    whole += "\uFFFD";
    bytes.remove_prefix(begun_code_point(bytes));
  }
  return whole;
}

std::string StreamDecoder::push(TokenId id) {
  if (tokenizer_->is_special(id)) return {};
  pending_ += tokenizer_->token_bytes(id);
  const size_t ready = pending_.size() - incomplete_utf8_suffix(pending_);
  std::string text = lossy_utf8(std::string_view(pending_).substr(0, ready));
  pending_.erase(0, ready);
  return text;
}

std::string StreamDecoder::finish() {
  std::string text = lossy_utf8(pending_);
  pending_.clear();
  return text;
}

}  // namespace openbook::engine
