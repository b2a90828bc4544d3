#include "openbook/retriever/retriever.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "catalog.h"
#include "corpus.h"
#include "dense_index.h"
#include "fair_shared_mutex.h"
#include "lexical_index.h"
#include "openbook/base/error.h"
#include "openbook/base/lines.h"
#include "openbook/base/log.h"
#include "openbook/base/utf8.h"
#include "openbook/retriever/document_names.h"
#include "passage_search.h"
#include "postings.h"
#include "prepared_document.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void require_distinct_ids(std::span<const Document> documents) {
  std::set<std::string_view> ids;
  for (const Document& document : documents)
    if (!ids.insert(document.id).second)
      throw Error(Code::kInvalidArgument, "document " + document.id + ": given twice in one ingest");
}

class StoredRetriever : public Retriever {
 public:
  StoredRetriever(const fs::path& folder, std::shared_ptr<const Embedder> embedder, OpenMode mode, const ChunkerOptions& chunking)
      : folder_(folder),
        embedder_(std::move(embedder)),
        mode_(mode),
        chunking_(chunking),
        corpus_(Corpus::open(folder, mode, identity())) {
    corpus_->for_each_document([&](DocumentRecord document) { catalog_.put(std::move(document)); });
    // In order of chunk ids, which both indexes want ascending.
    for (const ChunkRange& range : catalog_.live()) {
      const DocumentRecord& document = catalog_.owner(range.begin);
      add_words(document, corpus_->postings(document));
    }
    if (embedder_ || mode_ == OpenMode::kReadWrite) load_or_rebuild_vectors();
  }

  std::vector<IngestReport> ingest(std::span<const Document> documents, const Cancellation* cancellation) override {
    require_writer("ingest");
    if (!embedder_)
      throw Error(Code::kFailedPrecondition, "index " + folder_.string() + ": opened without an embedder, which an ingest needs");
    for (const Document& document : documents) require_document(document);
    require_distinct_ids(documents);
    if (cancellation) cancellation->check();
    const std::lock_guard one_writer(writing_);
    Changes changes = changes_of(documents);
    std::vector<PreparedDocument> prepared = prepare(changes.to_prepare, *embedder_, chunking_, cancellation);
    uint64_t next_chunk = corpus_->next_chunk();
    for (size_t i = 0; i < prepared.size(); ++i) {
      prepared[i].record.first_chunk = next_chunk;
      prepared[i].record.ingested_ms = now_ms();
      next_chunk += prepared[i].record.chunks.size();
      changes.reports[changes.report_of[i]].chunks = prepared[i].record.chunks.size();
    }
    if (!prepared.empty() || !changes.moved.empty()) store(changes, prepared);
    return std::move(changes.reports);
  }

  bool remove(const std::string& document_id) override {
    require_writer("remove");
    const std::lock_guard one_writer(writing_);
    const std::unique_lock no_reader(state_);
    const DocumentRecord* stored = catalog_.find(document_id);
    if (!stored) return false;
    corpus_->remove({stored});
    catalog_.remove(document_id);
    drop_dead();
    return true;
  }

  void flush() override {
    require_writer("flush");
    const std::lock_guard one_writer(writing_);
    {
      const std::unique_lock no_reader(state_);
      corpus_->flush();
    }
    save_vectors();
  }

  std::vector<IndexRoot> roots() const override {
    const std::shared_lock reading(state_);
    return corpus_->roots();
  }

  void set_roots(const std::vector<IndexRoot>& roots) override {
    require_writer("set_roots");
    const std::lock_guard one_writer(writing_);
    const std::unique_lock no_reader(state_);
    if (corpus_->roots() != roots) corpus_->set_roots(roots);
  }

  std::vector<Passage> search(std::string_view question, const SearchOptions& options) const override {
    require_utf8(question, "question");
    if (trim(question, {0, static_cast<int64_t>(question.size())}).empty())
      throw Error(Code::kInvalidArgument, "the question is empty");
    std::vector<float> query;
    if (options.mode != SearchMode::kWords) query = embed_question(question);

    const std::shared_lock reading(state_);
    if (catalog_.chunk_count() == 0)
      throw Error(Code::kFailedPrecondition, "index " + folder_.string() + ": it holds no documents", "Ingest some first.");
    return PassageSearch({catalog_, *corpus_, lexical_, dense_.get()}, options).run(question, query);
  }

  std::vector<StoredDocument> documents() const override {
    const std::shared_lock reading(state_);
    std::vector<StoredDocument> documents;
    for (const auto& [id, document] : catalog_.by_id())
      documents.push_back({.id = id,
                           .sha256 = to_hex(document->sha256),
                           .format = document->format,
                           .metadata = document->metadata,
                           .bytes = document->bytes,
                           .chunks = document->chunks.size(),
                           .file = document->file,
                           .ingested_ms = document->ingested_ms});
    return documents;
  }

  std::string document_text(const std::string& sha256) const override {
    Sha256Digest digest{};
    if (!parse_hex(sha256, digest))
      throw Error(Code::kInvalidArgument, "\"" + sha256 + "\" is no SHA-256", "It has 64 hexadecimal digits.");
    const std::shared_lock reading(state_);
    return corpus_->verified_text(digest);
  }

  size_t gc() override {
    require_writer("gc");
    const std::lock_guard one_writer(writing_);
    const std::unique_lock no_reader(state_);
    return drop_all_that_is_old();
  }

  std::vector<std::string> erase(const std::vector<std::string>& document_ids) override {
    require_writer("erase");
    const std::lock_guard one_writer(writing_);
    const std::unique_lock no_reader(state_);
    std::vector<std::string> unknown;
    std::map<std::string, const DocumentRecord*> stored;
    for (const std::string& id : document_ids) {
      if (const DocumentRecord* document = catalog_.find(id))
        stored.emplace(id, document);
      else
        unknown.push_back(id);
    }
    std::vector<const DocumentRecord*> erased;
    for (const auto& [id, document] : stored) erased.push_back(document);
    if (!erased.empty()) corpus_->remove(erased);
    for (const auto& [id, document] : stored) catalog_.remove(id);
    drop_roots_without_documents();
    drop_all_that_is_old();
    return unknown;
  }

  size_t chunk_count() const override {
    const std::shared_lock reading(state_);
    return catalog_.chunk_count();
  }

  uint64_t generation() const override {
    const std::shared_lock reading(state_);
    return corpus_->generation();
  }

  IndexDescription describe() const override {
    const std::shared_lock reading(state_);
    IndexDescription description{.format = corpus_->format(),
                                 .embedder = described(corpus_->embedder()),
                                 .generation = corpus_->generation(),
                                 .documents = catalog_.by_id().size(),
                                 .chunks = catalog_.chunk_count(),
                                 .roots = corpus_->roots()};
    for (const auto& [id, document] : catalog_.by_id()) description.text_bytes += document->bytes;
    description.old_versions = corpus_->texts() - current_texts().size();
    return description;
  }

 private:
  // What an ingest finds that it has to do.
  struct Changes {
    std::vector<IngestReport> reports;            // by document
    std::vector<ToPrepare> to_prepare;            // what is new or changed
    std::vector<size_t> report_of;                // by to_prepare
    std::vector<const DocumentRecord*> replaced;  // by to_prepare; null: none
    std::vector<DocumentRecord> moved;            // the same, in another file than before
  };

  Changes changes_of(std::span<const Document> documents) const {
    Changes changes;
    for (const Document& document : documents) {
      const Sha256Digest digest = sha256(document.text);
      const DocumentRecord* stored = catalog_.find(document.id);  // only this thread changes the catalog
      const bool same = stored && stored->sha256 == digest && stored->format == document.format &&
                        stored->metadata == document.metadata && stored->chunking == chunking_ &&
                        stored->chunk_rules == kChunkRules;
      changes.reports.push_back({same     ? IngestOutcome::kUnchanged
                                 : stored ? IngestOutcome::kReplaced
                                          : IngestOutcome::kAdded,
                                 to_hex(digest), same ? stored->chunks.size() : 0});
      if (same && stored->file != document.file) {
        changes.moved.push_back(*stored);
        changes.moved.back().file = document.file;
      }
      if (same) continue;
      changes.report_of.push_back(changes.reports.size() - 1);
      changes.to_prepare.push_back({&document, digest});
      changes.replaced.push_back(stored);
    }
    return changes;
  }

  void store(Changes& changes, std::vector<PreparedDocument>& prepared) {
    std::vector<NewDocument> batch;
    for (size_t i = 0; i < prepared.size(); ++i)
      batch.push_back({prepared[i].record, changes.to_prepare[i].document->text, prepared[i].vectors, prepared[i].postings,
                       changes.replaced[i]});
    const std::unique_lock no_reader(state_);
    corpus_->put(batch, changes.moved);
    for (PreparedDocument& document : prepared) {
      add_words(document.record, document.postings);
      dense_->add(document.record.first_chunk, document.vectors);
      catalog_.put(std::move(document.record));
    }
    for (DocumentRecord& document : changes.moved) catalog_.put(std::move(document));
    drop_dead();
  }

  std::set<Sha256Digest> current_texts() const {
    std::set<Sha256Digest> current;
    for (const auto& [id, document] : catalog_.by_id()) current.insert(document->sha256);
    return current;
  }

  void drop_roots_without_documents() {
    std::vector<IndexRoot> roots = corpus_->roots();
    const size_t before = roots.size();
    std::erase_if(roots, [&](const IndexRoot& root) {
      const auto& documents = catalog_.by_id();
      return std::none_of(documents.begin(), documents.end(),
                          [&](const auto& document) { return lies_below(document.second->file, root.folder); });
    });
    if (roots.size() != before) corpus_->set_roots(roots);
  }

  size_t drop_all_that_is_old() {
    const size_t dropped = corpus_->drop_texts_except(current_texts());
    corpus_->purge();
    dense_->drop_dead(catalog_.live());
    lexical_.drop_dead(catalog_.live());
    saved_generation_.reset();
    save_vectors();
    std::error_code failed;  // what a kill left of one that was being written
    for (const auto& entry : fs::directory_iterator(folder_, failed))
      if (entry.path().filename().string().starts_with("vectors.faiss.")) fs::remove(entry.path(), failed);
    return dropped;
  }

  void save_vectors() {
    if (saved_generation_ == corpus_->generation()) return;
    dense_->save(vectors_path(), corpus_->generation(), corpus_->embedder().fingerprint);
    saved_generation_ = corpus_->generation();
  }

  std::optional<EmbedderIdentity> identity() const {
    if (!embedder_) return std::nullopt;
    return EmbedderIdentity{embedder_->name(), embedder_->fingerprint(), embedder_->dimension()};
  }

  fs::path vectors_path() const { return folder_ / "vectors.faiss"; }

  void require_writer(const char* doing) const {
    if (mode_ == OpenMode::kReadWrite) return;
    throw Error(Code::kFailedPrecondition, "index " + folder_.string() + ": " + doing + " in an index opened read-only",
                "Open it with OpenMode::kReadWrite.");
  }

  void add_words(const DocumentRecord& document, const std::string& postings) {
    const std::string what = "index " + folder_.string() + ": document " + document.id;
    std::vector<uint64_t> lengths;
    if (has_current_terms(postings)) {
      for (const ChunkRecord& chunk : document.chunks) lengths.push_back(chunk.words);
      return lexical_.add(document.first_chunk, lengths, postings, what);
    }
    // Counted by an older version, whose words are not those that a question is read by now.
    const std::string text = corpus_->text(document.sha256);
    std::vector<std::vector<std::string>> terms_of_chunks;
    for (const ChunkRecord& chunk : document.chunks) {
      terms_of_chunks.push_back(index_terms(slice(text, chunk.range)));
      lengths.push_back(terms_of_chunks.back().size());
    }
    lexical_.add(document.first_chunk, lengths, encode_postings(terms_of_chunks), what);
  }

  void load_or_rebuild_vectors() {
    const ChunkRanges live = catalog_.live();
    const auto& [name, fingerprint, dimension] = corpus_->embedder();
    try {
      dense_ = DenseIndex::load(vectors_path(), dimension, corpus_->generation(), fingerprint, live);
      saved_generation_ = corpus_->generation();
      return;
    } catch (const Error& error) {
      const std::string note = std::string(error.what()) + "; made again from the stored vectors";
      if (error.code() == Code::kDataLoss)
        log_warning(note);
      else
        log_info(note);
    }
    dense_ = std::make_unique<DenseIndex>(dimension);
    for (const ChunkRange& range : live) dense_->add(range.begin, corpus_->vectors(catalog_.owner(range.begin)));
  }

  void drop_dead() {
    if (too_many_dead(dense_->rows(), catalog_.chunk_count())) dense_->drop_dead(catalog_.live());
    if (too_many_dead(lexical_.rows(), catalog_.chunk_count())) lexical_.drop_dead(catalog_.live());
  }

  std::vector<float> embed_question(std::string_view question) const {
    if (!embedder_)
      throw Error(Code::kFailedPrecondition,
                  "index " + folder_.string() + ": opened without an embedder, which a search by vectors needs",
                  "Search by words, or open it with the embedder it was made with.");
    return embedder_->embed({std::string(question)});
  }

  static bool parse_hex(std::string_view hex, Sha256Digest& digest) {
    if (hex.size() != 2 * digest.size()) return false;
    for (size_t i = 0; i < digest.size(); ++i) {
      const std::string byte(hex.substr(2 * i, 2));
      if (byte.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return false;
      digest[i] = static_cast<uint8_t>(std::stoi(byte, nullptr, 16));
    }
    return true;
  }

  const fs::path folder_;
  const std::shared_ptr<const Embedder> embedder_;
  const OpenMode mode_;
  const ChunkerOptions chunking_;
  const std::unique_ptr<Corpus> corpus_;

  std::mutex writing_;             // one change at a time; taken before state_
  mutable FairSharedMutex state_;  // what follows, for as long as memory and disk must agree
  Catalog catalog_;
  LexicalIndex lexical_;
  std::unique_ptr<DenseIndex> dense_;
  std::optional<uint64_t> saved_generation_;
};

}  // namespace

std::unique_ptr<Retriever> Retriever::open(const fs::path& folder, std::shared_ptr<const Embedder> embedder, OpenMode mode,
                                           const ChunkerOptions& chunking) {
  if (embedder && mode == OpenMode::kReadWrite && chunking.max_tokens > embedder->max_tokens())
    throw Error(Code::kInvalidArgument, "chunks of " + std::to_string(chunking.max_tokens) + " tokens: " + embedder->name() +
                                            " reads " + std::to_string(embedder->max_tokens()) + " and would overlook the rest");
  return std::make_unique<StoredRetriever>(folder, std::move(embedder), mode, chunking);
}

}  // namespace openbook::retriever
