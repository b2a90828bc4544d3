// Stores documents and finds passages: RocksDB is the truth; BM25 and FAISS vectors, joined by reciprocal rank fusion, find.
//
// An index folder belongs to one writer at a time (a second is refused as unavailable); readers open it read-only beside the
// writer, in whatever process, and see the state of when they opened: every change that returned before, and no half of one. What
// they hold open stays readable to them, also after an erase; no file of the folder has it then.
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
#include <span>
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
  std::string file;         // as Document::file; empty too for what an older version stored
  int64_t ingested_ms = 0;  // since 1970; 0: stored by an older version, which didn't say
};

// A folder whose files are documents. The id of one that is new is `prefix`, "/" and its path below `folder`.
struct IndexRoot {
  std::string folder;  // absolute, without links
  std::string prefix;  // may be empty

  bool operator==(const IndexRoot&) const = default;
};

struct IndexDescription {
  std::string format;    // "openbook index 1"
  std::string embedder;  // its name, dimension and the beginning of its fingerprint
  uint64_t generation = 0;
  size_t documents = 0;
  size_t chunks = 0;
  uint64_t text_bytes = 0;  // of current documents
  size_t old_versions = 0;  // texts that no current document has, kept until gc()
  std::vector<IndexRoot> roots;
};

class Retriever {
 public:
  // Throws not_found (no index: read-only, or without an embedder), unavailable (another writer holds it; to read, somebody keeps
  // the folder locked), failed_precondition (made with another embedder: both are named; or a format of another version),
  // data_loss (damaged RocksDB; a damaged FAISS file is rebuilt from RocksDB and said so in the log), invalid_argument (to write:
  // chunks longer than the embedder reads). Without an embedder an index is searched by words only, and documents can be removed
  // but not ingested.
  static std::unique_ptr<Retriever> open(const std::filesystem::path& folder, std::shared_ptr<const Embedder> embedder,
                                         OpenMode mode, const ChunkerOptions& chunking = {});
  virtual ~Retriever() = default;

  // Adds or replaces documents in one atomic, synced batch, a report for each; embeds the chunks of all together, which for many
  // small documents is several times as fast as one by one. What is as stored (text, format, metadata, chunking) is left alone.
  // Throws invalid_argument (not UTF-8, empty, NUL, an id twice), out_of_range (over kMaxDocumentBytes), resource_exhausted (disk
  // full), cancelled: then none of them has changed anything, and searches go on.
  virtual std::vector<IngestReport> ingest(std::span<const Document> documents, const Cancellation* cancellation = nullptr) = 0;
  IngestReport ingest(const Document& document, const Cancellation* cancellation = nullptr) {
    return ingest(std::span(&document, 1), cancellation).front();
  }
  virtual bool remove(const std::string& document_id) = 0;  // false: there was none
  virtual void flush() = 0;  // writes the FAISS file; search works without, opening is faster with it

  // Folders of documents, kept with the index: see DocumentNames.
  virtual std::vector<IndexRoot> roots() const = 0;
  virtual void set_roots(const std::vector<IndexRoot>& roots) = 0;

  // Best first; passages may overlap, and several may come from one document. A text that several chunks have comes once, as the
  // best of them; Passage::also_in names the other documents that have it. Throws failed_precondition on an empty index,
  // invalid_argument on a question that is empty or not UTF-8.
  virtual std::vector<Passage> search(std::string_view question, const SearchOptions& options = {}) const = 0;

  virtual std::vector<StoredDocument> documents() const = 0;  // current versions, by id
  // The extracted text by content hash; old versions stay readable until gc(). Throws not_found, data_loss when the bytes no
  // longer have that hash.
  virtual std::string document_text(const std::string& sha256) const = 0;
  // Takes off the disk what no current document has: texts of old versions, and whatever removed and replaced documents left in
  // the files of the folder. How many texts. Throws unavailable when somebody keeps the folder locked, so that old files stay:
  // nothing is lost, run it again.
  virtual size_t gc() = 0;
  // Removes documents and takes them off the disk, as gc() does with all that is old: afterwards no file of the folder has their
  // text, terms, vectors, ids or metadata, but for a text that another current document has, too. The ids that there were none of
  // are returned. Roots without documents go with them.
  virtual std::vector<std::string> erase(const std::vector<std::string>& document_ids) = 0;

  virtual size_t chunk_count() const = 0;   // of current versions
  virtual uint64_t generation() const = 0;  // counts every change
  virtual IndexDescription describe() const = 0;
};

}  // namespace openbook::retriever
