// Finds chunks by words: BM25 over an inverted index in memory, made at open from the stored counts.
//
// score(q, d) = sum over terms t of q: idf(t) * f (k1 + 1) / (f + k1 (1 - b + b |d| / avg|d|)), idf(t) = ln(1 + (N - n + 0.5) /
// (n + 0.5)); k1 = 1.2, b = 0.75 (Robertson & Zaragoza 2009, with the idf that can't be negative). N, n and avg|d| count the
// allowed chunks only.
//
// Reads are thread-safe beside each other, not beside a change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chunk_ranges.h"

namespace openbook::retriever {

class LexicalIndex {
 public:
  // One document: the lengths of its chunks in words, and encode_postings' bytes. Chunk ids must ascend from call to call. Throws
  // data_loss naming `what` when the postings don't fit the chunks; then the index must be thrown away.
  void add(uint64_t first_chunk, const std::vector<uint64_t>& lengths, std::string_view postings, std::string_view what);

  // The `limit` best of the chunks in `allowed`, best first; chunks without any of the question's words are none.
  std::vector<Hit> search(std::string_view question, size_t limit, const ChunkRanges& allowed) const;

  size_t rows() const { return ids_.size(); }  // chunks held, dead ones too
  void drop_dead(const ChunkRanges& live);     // forgets chunks outside `live`

 private:
  struct Posting {
    uint32_t row;
    uint32_t count;
  };
  struct TermHash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  const std::vector<Posting>* postings_of(std::string_view term) const;

  std::vector<uint64_t> ids_;      // by row, ascending
  std::vector<uint32_t> lengths_;  // by row
  std::unordered_map<std::string, std::vector<Posting>, TermHash, std::equal_to<>> postings_;
};

}  // namespace openbook::retriever
