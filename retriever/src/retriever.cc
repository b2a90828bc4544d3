#include "openbook/retriever/retriever.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include "catalog.h"
#include "corpus.h"
#include "dense_index.h"
#include "document_rules.h"
#include "fair_shared_mutex.h"
#include "fusion.h"
#include "lexical_index.h"
#include "openbook/base/error.h"
#include "openbook/base/lines.h"
#include "openbook/base/log.h"
#include "openbook/base/utf8.h"
#include "postings.h"
#include "prepared_document.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFusionDepth = 50;  // how far down a half's ranking may lift a chunk into the joined one

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
    if (embedder_) load_or_rebuild_vectors();
  }

  IngestReport ingest(const Document& document, const Cancellation* cancellation) override {
    require_writer("ingest");
    require_document(document);
    if (cancellation) cancellation->check();
    const std::lock_guard one_writer(writing_);
    const Sha256Digest digest = sha256(document.text);
    const DocumentRecord* stored = catalog_.find(document.id);  // only this thread changes the catalog
    if (stored && stored->sha256 == digest && stored->format == document.format && stored->metadata == document.metadata &&
        stored->chunking == chunking_)
      return {IngestOutcome::kUnchanged, to_hex(digest), stored->chunks.size()};

    PreparedDocument prepared = prepare(document, digest, *embedder_, chunking_, cancellation);
    prepared.record.first_chunk = corpus_->next_chunk();
    const IngestReport report{stored ? IngestOutcome::kReplaced : IngestOutcome::kAdded, to_hex(digest),
                              prepared.record.chunks.size()};
    const std::unique_lock no_reader(state_);
    corpus_->put(prepared.record, document.text, prepared.vectors, prepared.postings, stored);
    add_words(prepared.record, prepared.postings);
    dense_->add(prepared.record.first_chunk, prepared.vectors);
    catalog_.put(std::move(prepared.record));
    drop_dead();
    return report;
  }

  bool remove(const std::string& document_id) override {
    require_writer("remove");
    const std::lock_guard one_writer(writing_);
    const std::unique_lock no_reader(state_);
    const DocumentRecord* stored = catalog_.find(document_id);
    if (!stored) return false;
    corpus_->remove(*stored);
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
    if (saved_generation_ == corpus_->generation()) return;
    dense_->save(vectors_path(), corpus_->generation(), embedder_->fingerprint());
    saved_generation_ = corpus_->generation();
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
    const ChunkRanges allowed = catalog_.allowed(options.filter);
    return passages(rank(question, query, options, allowed));
  }

  std::vector<StoredDocument> documents() const override {
    const std::shared_lock reading(state_);
    std::vector<StoredDocument> documents;
    for (const auto& [id, document] : catalog_.by_id())
      documents.push_back(
          {id, to_hex(document->sha256), document->format, document->metadata, document->bytes, document->chunks.size()});
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
    std::set<Sha256Digest> current;
    for (const auto& [id, document] : catalog_.by_id()) current.insert(document->sha256);
    const std::unique_lock no_reader(state_);
    return corpus_->drop_texts_except(current);
  }

  size_t chunk_count() const override {
    const std::shared_lock reading(state_);
    return catalog_.chunk_count();
  }

  uint64_t generation() const override {
    const std::shared_lock reading(state_);
    return corpus_->generation();
  }

 private:
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
    try {
      dense_ = DenseIndex::load(vectors_path(), embedder_->dimension(), corpus_->generation(), embedder_->fingerprint(), live);
      saved_generation_ = corpus_->generation();
      return;
    } catch (const Error& error) {
      const std::string note = std::string(error.what()) + "; made again from the stored vectors";
      if (error.code() == Code::kDataLoss)
        log_warning(note);
      else
        log_info(note);
    }
    dense_ = std::make_unique<DenseIndex>(embedder_->dimension());
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

  std::vector<Hit> rank(std::string_view question, const std::vector<float>& query, const SearchOptions& options,
                        const ChunkRanges& allowed) const {
    switch (options.mode) {
      case SearchMode::kWords:
        return lexical_.search(question, options.limit, allowed);
      case SearchMode::kVectors:
        return dense_->search(query, options.limit, allowed);
      case SearchMode::kHybrid:
        break;
    }
    const size_t depth = std::max(options.limit, kFusionDepth);
    return fuse(lexical_.search(question, depth, allowed), dense_->search(query, depth, allowed), options.limit);
  }

  std::vector<Passage> passages(const std::vector<Hit>& hits) const {
    struct Read {
      std::string text;
      std::vector<Line> lines;
    };
    std::map<Sha256Digest, Read> documents;
    std::vector<Passage> passages;
    for (const Hit& hit : hits) {
      const DocumentRecord& document = catalog_.owner(hit.chunk_id);
      Read& read = documents[document.sha256];
      if (read.text.empty()) {
        read.text = corpus_->text(document.sha256);
        read.lines = split_lines(read.text);
      }
      const ByteSpan range = document.chunks[hit.chunk_id - document.first_chunk].range;
      passages.push_back({.document_id = document.id,
                          .document_sha256 = to_hex(document.sha256),
                          .chunk_id = hit.chunk_id,
                          .range = range,
                          .text = std::string(slice(read.text, range)),
                          .context = context_above(read.text, document.format, read.lines, range.begin),
                          .score = hit.score});
    }
    return passages;
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
  if (!embedder && mode == OpenMode::kReadWrite)
    throw Error(Code::kInvalidArgument, "an index can't be written without an embedder");
  if (mode == OpenMode::kReadWrite && chunking.max_tokens > embedder->max_tokens())
    throw Error(Code::kInvalidArgument, "chunks of " + std::to_string(chunking.max_tokens) + " tokens: " + embedder->name() +
                                            " reads " + std::to_string(embedder->max_tokens()) + " and would overlook the rest");
  return std::make_unique<StoredRetriever>(folder, std::move(embedder), mode, chunking);
}

}  // namespace openbook::retriever
