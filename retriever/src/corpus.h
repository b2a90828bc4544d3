// What an index stores, in RocksDB: the truth from which everything else can be made again. Layout: docs/storage.md.
//
// Every change is one atomic batch, synced before the call returns. Reads are thread-safe beside each other, not beside a change.
// Errors: data_loss (a checksum or a record is wrong), resource_exhausted (the disk is full; nothing has changed), unavailable
// (another process writes).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/hash.h"
#include "openbook/base/span.h"
#include "openbook/retriever/chunker.h"
#include "openbook/retriever/document.h"
#include "openbook/retriever/retriever.h"

namespace openbook::retriever {

// Whose vectors an index holds.
struct EmbedderIdentity {
  std::string name;
  std::string fingerprint;
  int64_t dimension = 0;
};

struct ChunkRecord {
  ByteSpan range;      // in the document's text
  uint64_t words = 0;  // the length that BM25 sees
};

struct DocumentRecord {
  std::string id;
  Sha256Digest sha256{};
  std::string format;
  std::map<std::string, std::string> metadata;
  ChunkerOptions chunking;  // how it was cut: other options mean another cut
  uint64_t bytes = 0;
  uint64_t first_chunk = 0;  // ids first_chunk .. first_chunk + chunks.size() - 1; never used again
  std::vector<ChunkRecord> chunks;
};

class Corpus {
 public:
  // `embedder` may be missing in a read-only open: then whose vectors they are isn't checked.
  static std::unique_ptr<Corpus> open(const std::filesystem::path& folder, OpenMode mode,
                                      const std::optional<EmbedderIdentity>& embedder);
  ~Corpus();

  uint64_t generation() const;  // counts every change
  uint64_t next_chunk() const;  // the first id of the next document

  void for_each_document(const std::function<void(DocumentRecord)>& visit) const;
  std::vector<float> vectors(const DocumentRecord& document) const;  // row-major [chunks, dimension]
  std::string postings(const DocumentRecord& document) const;        // as encode_postings made them
  std::string text(const Sha256Digest& sha256) const;                // unverified; not_found
  std::string verified_text(const Sha256Digest& sha256) const;       // data_loss when it no longer hashes to that

  // Stores `document`, whose first_chunk must be next_chunk(), in place of `replaced`.
  void put(const DocumentRecord& document, std::string_view text, const std::vector<float>& vectors, const std::string& postings,
           const DocumentRecord* replaced);
  void remove(const DocumentRecord& document);
  size_t drop_texts_except(const std::set<Sha256Digest>& current);  // and gives their space back
  void flush();                                                     // the log into tables, which open faster

 private:
  class Store;
  explicit Corpus(std::unique_ptr<Store> store);
  std::unique_ptr<Store> store_;
};

}  // namespace openbook::retriever
