// Which chunks may be found. Both halves of the search take this before they rank, so that nothing else can influence a score.
#pragma once

#include <cstdint>
#include <vector>

namespace openbook::retriever {

// Chunk ids [begin, end); those of one document are contiguous and never used again.
struct ChunkRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

using ChunkRanges = std::vector<ChunkRange>;  // ascending, disjoint

struct Hit {
  uint64_t chunk_id = 0;
  double score = 0;
};

// One bit a row, as FAISS reads it: whether the row's chunk id is in `ranges`. `ids` ascend.
struct RowMask {
  std::vector<uint8_t> bits;
  size_t rows = 0;  // how many bits are set

  RowMask(const std::vector<uint64_t>& ids, const ChunkRanges& ranges) : bits((ids.size() + 7) / 8) {
    auto range = ranges.begin();
    for (size_t row = 0; row < ids.size(); ++row) {
      while (range != ranges.end() && range->end <= ids[row]) ++range;
      if (range == ranges.end()) break;
      if (ids[row] < range->begin) continue;
      bits[row / 8] |= static_cast<uint8_t>(1 << row % 8);
      ++rows;
    }
  }

  bool holds(size_t row) const { return bits[row / 8] >> row % 8 & 1; }
};

// Dead rows cost memory and time in every search; past a fifth they are dropped.
inline bool too_many_dead(size_t rows, size_t live) { return (rows - live) * 5 > rows; }

}  // namespace openbook::retriever
