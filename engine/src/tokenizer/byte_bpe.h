// Byte-pair encoding: a word starts as its characters (or bytes), and the pair of neighbours that was learnt first is merged
// until no pair is known (Sennrich et al. 2016; on bytes: Radford et al. 2019).
//
// A word of n symbols takes O(n log n): neighbours that can merge wait in a heap by rank, the symbols form a linked list.
#pragma once

#include <array>
#include <optional>

#include "tokenizer/vocabulary.h"
#include "tokenizer/word_model.h"

namespace openbook::engine {

// Ranks of pairs in a flat hash table with open addressing: a lookup is one or two cache lines.
class MergeTable {
 public:
  struct Merge {
    uint32_t rank;
    TokenId result;
  };

  explicit MergeTable(size_t count);
  void insert(TokenId left, TokenId right, Merge merge);  // a later one replaces an earlier one
  const Merge* find(TokenId left, TokenId right) const;   // nullptr: they do not merge

 private:
  struct Slot {
    uint64_t pair;
    Merge merge;
  };
  size_t slot_of(uint64_t pair) const;

  std::vector<Slot> slots_;
  int shift_;
};

class BytePairModel : public WordModel {
 public:
  // From the field `model`. `vocabulary` holds all tokens, special ones marked, and must outlive the model.
  // A merge whose result is a special token is left out: no plain text may become one.
  BytePairModel(const JsonField& description, const Vocabulary& vocabulary, bool byte_level);

  void tokenize(std::string_view text, std::span<const ByteSpan> words, std::vector<Token>& tokens) const override;

 private:
  struct Symbol;
  struct Candidate;
  struct Workspace;

  void read_merges(const JsonField& merges);
  void start(std::string_view word, std::vector<Symbol>& symbols) const;
  void start_unknown(std::string_view character, size_t begin, std::vector<Symbol>& symbols) const;
  void merge(Workspace& work) const;
  void consider(Workspace& work, int left) const;
  std::optional<TokenId> whole_word(std::string_view word) const;

  const Vocabulary& vocabulary_;
  bool byte_level_, ignore_merges_, fuse_unknown_;
  std::optional<TokenId> unknown_;
  std::array<TokenId, 256> byte_ids_;      // of single bytes, spelled (byte level); -1: not in the vocabulary
  std::array<TokenId, 256> fallback_ids_;  // of <0x00> ... <0xFF>, with byte_fallback; else -1
  std::optional<MergeTable> merges_;
};

}  // namespace openbook::engine
