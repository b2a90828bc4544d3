// What an index stores, in RocksDB: the truth from which everything else can be made again. Layout: docs/storage.md.
//
// Every change is one atomic batch, synced before the call returns. Reads are thread-safe beside each other, not beside a change.
// Errors: data_loss (a checksum or a record is wrong), resource_exhausted (the disk is full; nothing has changed), unavailable
// (another process writes).
#pragma once

#include <array>
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
std::string described(const EmbedderIdentity& embedder);  // for people

// Says which chunks are copies: half a SHA-256 of a chunk's text and of what stands above it (context_above), since the same
// words under another title are of something else. Runs of blanks count as one. All zero: stored by an older version, which
// didn't say.
using TextKey = std::array<uint8_t, 16>;
TextKey text_key(std::string_view text, std::string_view context);

struct ChunkRecord {
  ByteSpan range;      // in the document's text
  uint64_t words = 0;  // the length that BM25 sees
  TextKey key{};
};

struct DocumentRecord {
  std::string id;
  Sha256Digest sha256{};
  std::string format;
  std::map<std::string, std::string> metadata;
  ChunkerOptions chunking;  // how it was cut: other options mean another cut
  uint64_t bytes = 0;
  uint64_t chunk_rules = kChunkRules;  // which rules it was cut by; 1: stored by a version that didn't say
  uint64_t first_chunk = 0;            // ids first_chunk .. first_chunk + chunks.size() - 1; never used again
  std::vector<ChunkRecord> chunks;
  std::string file;         // as Document::file
  int64_t ingested_ms = 0;  // since 1970; 0: unknown
};

// A document as it goes into the store.
struct NewDocument {
  const DocumentRecord& record;
  std::string_view text;
  const std::vector<float>& vectors;  // row-major [chunks, dimension]
  const std::string& postings;        // as encode_postings made them
  const DocumentRecord* replaced;     // null: none
};

class Corpus {
 public:
  // `embedder` may be missing: then the index must be there, and whose vectors it holds isn't checked.
  static std::unique_ptr<Corpus> open(const std::filesystem::path& folder, OpenMode mode,
                                      const std::optional<EmbedderIdentity>& embedder);
  ~Corpus();

  uint64_t generation() const;  // counts every change
  uint64_t next_chunk() const;  // the first id of the next document
  std::string format() const;   // of the layout on disk
  const EmbedderIdentity& embedder() const;
  std::vector<IndexRoot> roots() const;
  size_t texts() const;  // stored ones, old versions too

  void for_each_document(const std::function<void(DocumentRecord)>& visit) const;
  std::vector<float> vectors(const DocumentRecord& document) const;  // row-major [chunks, dimension]
  std::string postings(const DocumentRecord& document) const;        // as encode_postings made them
  std::string text(const Sha256Digest& sha256) const;                // unverified; not_found
  std::string verified_text(const Sha256Digest& sha256) const;       // data_loss when it no longer hashes to that

  // Stores the documents, whose chunk ids must follow each other from next_chunk() on, in one batch with new records for `moved`,
  // documents of which nothing changed but the record.
  void put(const std::vector<NewDocument>& documents, const std::vector<DocumentRecord>& moved);
  void set_roots(const std::vector<IndexRoot>& roots);
  void remove(const std::vector<const DocumentRecord*>& documents);
  size_t drop_texts_except(const std::set<Sha256Digest>& current);
  void flush();  // the log into tables, which open faster
  void purge();  // as RocksStore::purge

 private:
  class Store;
  explicit Corpus(std::unique_ptr<Store> store);
  std::unique_ptr<Store> store_;
};

}  // namespace openbook::retriever
