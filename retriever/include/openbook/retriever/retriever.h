// Stores documents and finds passages: RocksDB is the truth; BM25 and FAISS vectors, joined by reciprocal rank fusion, find.
//
// An index folder belongs to one writer at a time (a second is refused as unavailable); readers open it read-only beside the
// writer, in whatever process, and see the state of when they opened: every change that returned before, and no half of one.
// Thread-safe: searches run in parallel with each other and with one ingest.
//
// What is on disk, and what a kill at any moment leaves: docs/storage.md. Every document whose ingest returned is there after a
// crash.
//
//   auto retriever = Retriever::open("handbook/", embedder, OpenMode::kReadOnly);
//   for (const Passage& passage : retriever->search("How many days of leave?", {.limit = 5})) use(passage);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "openbook/base/cancellation.h"
#include "openbook/base/embedder.h"
#include "openbook/base/passage.h"
#include "openbook/retriever/chunker.h"
#include "openbook/retriever/document.h"

namespace openbook::retriever {

enum class OpenMode {
  kReadOnly,   // the index must exist
  kReadWrite,  // made when it isn't there
};

enum class SearchMode { kHybrid, kWords, kVectors };

struct SearchOptions {
  size_t limit = 5;  // passages
  SearchMode mode = SearchMode::kHybrid;
  // Documents that may be found, by id and metadata; empty = all. Applied before ranking: what it leaves out influences no score.
  // Called under a lock: it must not call the retriever.
  std::function<bool(const std::string& document_id, const std::map<std::string, std::string>& metadata)> filter;
};

enum class IngestOutcome { kAdded, kReplaced, kUnchanged };

struct IngestReport {
  IngestOutcome outcome = IngestOutcome::kAdded;
  std::string sha256;  // of the extracted text
  size_t chunks = 0;
};

struct StoredDocument {
  std::string id;
  std::string sha256;
  std::string format;
  std::map<std::string, std::string> metadata;
  size_t bytes = 0;
  size_t chunks = 0;
};

class Retriever {
 public:
  // Throws not_found (no index, read-only), unavailable (another writer holds it; to read, somebody keeps the folder locked),
  // failed_precondition (made with another embedder: both are named; or a format of another version), data_loss (damaged RocksDB;
  // a damaged FAISS file is rebuilt from RocksDB and said so in the log), invalid_argument (to write: no embedder, or chunks
  // longer than it reads). A read-only open may go without an embedder: it searches by words only.
  static std::unique_ptr<Retriever> open(const std::filesystem::path& folder, std::shared_ptr<const Embedder> embedder,
                                         OpenMode mode, const ChunkerOptions& chunking = {});
  virtual ~Retriever() = default;

  // Adds or replaces one document in one atomic, synced batch; does nothing when text, format, metadata and chunking are as
  // stored. Throws invalid_argument (not UTF-8, empty, NUL), out_of_range (over kMaxDocumentBytes), resource_exhausted (disk
  // full: the index is as before, and searches go on), cancelled.
  virtual IngestReport ingest(const Document& document, const Cancellation* cancellation = nullptr) = 0;
  virtual bool remove(const std::string& document_id) = 0;  // false: there was none
  virtual void flush() = 0;  // writes the FAISS file; search works without, opening is faster with it

  // Best first; passages may overlap, and several may come from one document. Throws failed_precondition on an empty index,
  // invalid_argument on a question that is empty or not UTF-8.
  virtual std::vector<Passage> search(std::string_view question, const SearchOptions& options = {}) const = 0;

  virtual std::vector<StoredDocument> documents() const = 0;  // current versions, by id
  // The extracted text by content hash; old versions stay readable until gc(). Throws not_found, data_loss when the bytes no
  // longer have that hash.
  virtual std::string document_text(const std::string& sha256) const = 0;
  virtual size_t gc() = 0;  // drops versions that no current document has; how many

  virtual size_t chunk_count() const = 0;   // of current versions
  virtual uint64_t generation() const = 0;  // counts every change
};

}  // namespace openbook::retriever
