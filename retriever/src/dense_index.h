// Finds chunks by meaning: exact inner products over every vector (FAISS, flat), rows named by chunk id.
//
// A cache of the stored vectors, kept in one file. The file says of which generation and embedder it is and has a SHA-256. A
// digest says nothing about who wrote it, so every count in it is checked against the bytes that are there, too. Layout:
// docs/storage.md. Reads are thread-safe beside each other, not beside a change.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "chunk_ranges.h"
#include "record.h"

namespace openbook::retriever {

class DenseIndex {
 public:
  explicit DenseIndex(int64_t dimension);
  ~DenseIndex();

  // Rows [n, dimension] for the chunks first_chunk .. first_chunk + n - 1. Chunk ids must ascend from call to call.
  void add(uint64_t first_chunk, const std::vector<float>& rows);

  // The `limit` best of the chunks in `allowed` by inner product with `query` [dimension], best first.
  std::vector<Hit> search(const std::vector<float>& query, size_t limit, const ChunkRanges& allowed) const;

  size_t rows() const;                      // chunks held, dead ones too
  void drop_dead(const ChunkRanges& live);  // forgets chunks outside `live`

  // The file is the old or the new one, whatever happens. Throws resource_exhausted when the disk is full.
  void save(const std::filesystem::path& path, uint64_t generation, const std::string& fingerprint) const;

  // Throws data_loss when the file is damaged, failed_precondition when it is of another layout, generation or embedder or
  // doesn't hold all of `live`, out_of_range when it is far larger than `live` asks for, not_found: in each case it can be made
  // again from the stored vectors.
  static std::unique_ptr<DenseIndex> load(const std::filesystem::path& path, int64_t dimension, uint64_t generation,
                                          const std::string& fingerprint, const ChunkRanges& live);

 private:
  struct Flat;
  static std::unique_ptr<DenseIndex> read_rows(const std::filesystem::path& path, RecordReader& header, int64_t dimension,
                                               const ChunkRanges& live);
  std::unique_ptr<Flat> flat_;
};

}  // namespace openbook::retriever
