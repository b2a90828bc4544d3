#include "tokenizer/byte_bpe.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <queue>

#include "openbook/base/utf8.h"
#include "tokenizer/byte_alphabet.h"

namespace openbook::engine {
namespace {

constexpr uint64_t kNoPair = UINT64_MAX;  // ids are below 2^24

uint64_t pair_of(TokenId left, TokenId right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

}  // namespace

MergeTable::MergeTable(size_t count)
    : slots_(std::bit_ceil(std::max<size_t>(2 * count, 16)), Slot{kNoPair, {}}), shift_(64 - std::countr_zero(slots_.size())) {}

size_t MergeTable::slot_of(uint64_t pair) const {
  size_t slot = pair * 0x9E3779B97F4A7C15u >> shift_;  // Fibonacci hashing: 2^64 over the golden ratio
  while (slots_[slot].pair != kNoPair && slots_[slot].pair != pair) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

void MergeTable::insert(TokenId left, TokenId right, Merge merge) {
  const uint64_t pair = pair_of(left, right);
  slots_[slot_of(pair)] = {pair, merge};
}

const MergeTable::Merge* MergeTable::find(TokenId left, TokenId right) const {
  const Slot& slot = slots_[slot_of(pair_of(left, right))];
  return slot.pair == kNoPair ? nullptr : &slot.merge;
}

struct BytePairModel::Symbol {
  TokenId id;
  uint32_t begin, length;  // bytes of the word; length 0: merged into its left neighbour
  int before, behind;      // neighbours, -1 at the ends
};

// Two neighbours that could merge; stale when either has changed since.
struct BytePairModel::Candidate {
  uint32_t rank;
  int left;
  TokenId left_id, right_id, result;

  // std::priority_queue gives the largest first: the lowest rank, then the leftmost.
  bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : left > other.left; }
};

struct BytePairModel::Workspace {
  std::vector<Symbol> symbols;
  std::vector<Candidate> candidates;  // a heap
};

BytePairModel::BytePairModel(const JsonField& field, const Vocabulary& vocabulary, bool byte_level)
    : vocabulary_(vocabulary),
      byte_level_(byte_level),
      ignore_merges_(field.flag("ignore_merges", false)),
      fuse_unknown_(field.flag("fuse_unk", false)) {
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!field.text(name, "").empty()) field.at(name).unsupported("a BPE model with this field");
  if (const auto dropout = field.find("dropout"); dropout && dropout->json() != 0) dropout->unsupported("dropout");
  if (const auto unknown = field.find("unk_token"); unknown && !unknown->text().empty()) {
    unknown_ = vocabulary.find(unknown->text());
    if (!unknown_) unknown->malformed("\"" + unknown->text() + "\" is not in model.vocab");
  }
  const bool byte_fallback = field.flag("byte_fallback", false);
  for (int byte = 0; byte < 256; ++byte) {
    std::string spelled;
    append_utf8(spelled, byte_to_character(static_cast<uint8_t>(byte)));
    byte_ids_[byte] = vocabulary.find(spelled).value_or(-1);
    char name[8];
    std::snprintf(name, sizeof name, "<0x%02X>", byte);
    fallback_ids_[byte] = byte_fallback ? vocabulary.find(name).value_or(-1) : -1;
  }
  read_merges(field.at("merges"));
}

void BytePairModel::read_merges(const JsonField& field) {
  const auto& merges = field.array();
  merges_.emplace(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto malformed = [&](const std::string& what) { field.malformed("merge " + std::to_string(rank) + ": " + what); };
    std::string left, right;
    if (const auto& merge = merges[rank]; merge.is_string()) {  // "left right", as older files have it
      const auto& line = merge.get_ref<const std::string&>();
      const size_t space = line.find(' ');
      if (space == line.npos || line.find(' ', space + 1) != line.npos) malformed("expected two tokens, found \"" + line + '"');
      left = line.substr(0, space);
      right = line.substr(space + 1);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      left = merge[0].get<std::string>();
      right = merge[1].get<std::string>();
    } else {
      malformed("expected two tokens");
    }
    const auto id = [&](const std::string& token) {
      const auto found = vocabulary_.find(token);
      if (!found) malformed("\"" + token + "\" is not in model.vocab");
      return *found;
    };
    const TokenId left_id = id(left), right_id = id(right), result = id(left + right);
    if (!vocabulary_.special(result)) merges_->insert(left_id, right_id, {static_cast<uint32_t>(rank), result});
  }
}

// A token that is the whole word wins over merging when the model says so.
std::optional<TokenId> BytePairModel::whole_word(std::string_view word) const {
  if (!ignore_merges_) return std::nullopt;
  std::optional<TokenId> id;
  if (byte_level_) {
    std::string spelled;
    for (const char byte : word) append_utf8(spelled, byte_to_character(static_cast<uint8_t>(byte)));
    id = vocabulary_.find(spelled);
  } else {
    id = vocabulary_.find(word);
  }
  return id && !vocabulary_.special(*id) ? id : std::nullopt;
}

void BytePairModel::start(std::string_view word, std::vector<Symbol>& symbols) const {
  symbols.clear();
  for (size_t begin = 0; begin < word.size();) {
    const size_t length = byte_level_ ? 1 : code_point_at(word, begin).length;
    const std::string_view character = word.substr(begin, length);
    const TokenId id = byte_level_ ? byte_ids_[static_cast<uint8_t>(word[begin])] : vocabulary_.find(character).value_or(-1);
    if (id >= 0)
      symbols.push_back({id, static_cast<uint32_t>(begin), static_cast<uint32_t>(length), 0, 0});
    else
      start_unknown(character, begin, symbols);
    begin += length;
  }
  for (size_t i = 0; i < symbols.size(); ++i) {
    symbols[i].before = static_cast<int>(i) - 1;
    symbols[i].behind = i + 1 < symbols.size() ? static_cast<int>(i) + 1 : -1;
  }
}

// A character that is no token: its bytes, or the unknown token, or, when the model has neither, nothing.
void BytePairModel::start_unknown(std::string_view character, size_t begin, std::vector<Symbol>& symbols) const {
  const auto fallback = [this](char byte) { return fallback_ids_[static_cast<uint8_t>(byte)]; };
  if (!byte_level_ && std::all_of(character.begin(), character.end(), [&](char byte) { return fallback(byte) >= 0; })) {
    for (const char byte : character) symbols.push_back({fallback(byte), static_cast<uint32_t>(begin++), 1, 0, 0});
  } else if (unknown_) {
    if (fuse_unknown_ && !symbols.empty() && symbols.back().id == *unknown_)
      symbols.back().length += static_cast<uint32_t>(character.size());
    else
      symbols.push_back({*unknown_, static_cast<uint32_t>(begin), static_cast<uint32_t>(character.size()), 0, 0});
  }
}

void BytePairModel::consider(Workspace& work, int left) const {
  if (left < 0 || work.symbols[left].behind < 0) return;
  const Symbol& first = work.symbols[left];
  const Symbol& second = work.symbols[first.behind];
  if (const auto* merge = merges_->find(first.id, second.id)) {
    work.candidates.push_back({merge->rank, left, first.id, second.id, merge->result});
    std::push_heap(work.candidates.begin(), work.candidates.end());
  }
}

void BytePairModel::merge(Workspace& work) const {
  auto& symbols = work.symbols;
  work.candidates.clear();
  for (int i = 0; i + 1 < static_cast<int>(symbols.size()); ++i) consider(work, i);
  while (!work.candidates.empty()) {
    std::pop_heap(work.candidates.begin(), work.candidates.end());
    const Candidate best = work.candidates.back();
    work.candidates.pop_back();
    Symbol& left = symbols[best.left];
    if (left.length == 0 || left.id != best.left_id || left.behind < 0 || symbols[left.behind].id != best.right_id) continue;
    Symbol& right = symbols[left.behind];
    left.id = best.result;
    left.length += right.length;
    left.behind = right.behind;
    right.length = 0;
    if (left.behind >= 0) symbols[left.behind].before = best.left;
    consider(work, left.before);
    consider(work, best.left);
  }
}

void BytePairModel::tokenize(std::string_view text, std::span<const ByteSpan> words, std::vector<Token>& tokens) const {
  Workspace work;
  for (const ByteSpan& span : words) {
    const std::string_view word = text.substr(span.begin, span.size());
    if (const auto id = whole_word(word)) {
      tokens.push_back({*id, span});
      continue;
    }
    start(word, work.symbols);
    if (work.symbols.size() > 1) merge(work);
    for (const Symbol& symbol : work.symbols)
      if (symbol.length > 0)
        tokens.push_back({symbol.id, {span.begin + symbol.begin, span.begin + symbol.begin + symbol.length}});
  }
}

}  // namespace openbook::engine
