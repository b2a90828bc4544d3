#include "tokenizer/wordpiece.h"

#include <algorithm>

namespace openbook::engine {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

int64_t count_code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation(byte); });
}

}  // namespace

WordPieceModel::WordPieceModel(const JsonField& field, const Vocabulary& vocabulary)
    : vocabulary_(vocabulary), continuing_prefix_(field.text("continuing_subword_prefix", "##")), longest_word_(100) {
  const std::string unknown = field.text("unk_token");
  const auto id = vocabulary.find(unknown);
  if (!id) field.at("unk_token").malformed("\"" + unknown + "\" is not in model.vocab");
  unknown_ = *id;
  if (const auto longest = field.find("max_input_chars_per_word")) longest_word_ = longest->integer();
}

// Appends the tokens of `word`; false, with the tokens half done, when it can't be cut.
bool WordPieceModel::cut(std::string_view word, int64_t offset, std::vector<Token>& tokens) const {
  std::string piece;
  for (size_t begin = 0; begin < word.size();) {
    piece = begin > 0 ? continuing_prefix_ : "";
    const size_t prefix = piece.size();
    if (prefix >= vocabulary_.longest()) return false;
    size_t end = std::min(word.size(), begin + vocabulary_.longest() - prefix);
    while (end < word.size() && is_continuation(word[end])) --end;
    piece += word.substr(begin, end - begin);
    std::optional<TokenId> found;
    while (end > begin) {
      found = vocabulary_.find(piece);
      if (found && !vocabulary_.special(*found)) break;
      found.reset();
      do --end;
      while (end > begin && is_continuation(word[end]));
      piece.resize(prefix + end - begin);
    }
    if (!found) return false;
    tokens.push_back({*found, {offset + static_cast<int64_t>(begin), offset + static_cast<int64_t>(end)}});
    begin = end;
  }
  return true;
}

void WordPieceModel::tokenize(std::string_view text, std::span<const ByteSpan> words, std::vector<Token>& tokens) const {
  for (const ByteSpan& span : words) {
    const std::string_view word = text.substr(span.begin, span.size());
    const size_t first = tokens.size();
    if (count_code_points(word) <= longest_word_ && cut(word, span.begin, tokens)) continue;
    tokens.resize(first);
    tokens.push_back({unknown_, span});
  }
}

}  // namespace openbook::engine
