#include "corpus.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "record.h"
#include "rocks_store.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "vectors are stored as little-endian float32");

constexpr std::string_view kFormat = "openbook index 1";

std::string big_endian(uint64_t value) {
  std::string key(8, '\0');
  for (int byte = 7; byte >= 0; --byte, value >>= 8) key[static_cast<size_t>(byte)] = static_cast<char>(value);
  return key;
}

uint64_t from_big_endian(std::string_view key) {
  uint64_t value = 0;
  for (const char byte : key) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

std::string_view key_of(const Sha256Digest& sha256) { return {reinterpret_cast<const char*>(sha256.data()), sha256.size()}; }
rocksdb::Slice slice_of(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

std::string encode(const DocumentRecord& document) {
  RecordWriter record;
  record.string(key_of(document.sha256)).string(document.format).number(document.bytes).number(document.first_chunk);
  record.number(static_cast<uint64_t>(document.chunking.max_tokens))
      .number(static_cast<uint64_t>(document.chunking.overlap_tokens));
  record.number(document.metadata.size());
  for (const auto& [key, value] : document.metadata) record.string(key).string(value);
  record.string(document.file).number(static_cast<uint64_t>(document.ingested_ms));
  record.number(document.chunk_rules);
  return record.take();
}

std::string encode(const std::vector<ChunkRecord>& chunks) {
  RecordWriter record;
  record.number(chunks.size());
  for (const ChunkRecord& chunk : chunks)
    record.number(static_cast<uint64_t>(chunk.range.begin)).number(static_cast<uint64_t>(chunk.range.size())).number(chunk.words);
  std::string keys;
  for (const ChunkRecord& chunk : chunks) keys.append(chunk.key.begin(), chunk.key.end());
  record.string(keys);
  return record.take();
}

std::string encode(const std::vector<IndexRoot>& roots) {
  RecordWriter record;
  for (const IndexRoot& root : roots) record.string(root.folder).string(root.prefix);
  return record.take();
}

std::string encode(const EmbedderIdentity& embedder) {
  return RecordWriter()
      .string(embedder.name)
      .string(embedder.fingerprint)
      .number(static_cast<uint64_t>(embedder.dimension))
      .take();
}

EmbedderIdentity decode_embedder(std::string_view bytes) {
  RecordReader record(bytes, "whose vectors the index holds");
  EmbedderIdentity embedder;
  embedder.name = record.string();
  embedder.fingerprint = record.string();
  embedder.dimension = static_cast<int64_t>(record.number());
  return embedder;
}

}  // namespace

std::string described(const EmbedderIdentity& embedder) {
  return embedder.name + " (" + std::to_string(embedder.dimension) + " dimensions, fingerprint " +
         embedder.fingerprint.substr(0, 12) + ")";
}

class Corpus::Store {
 public:
  Store(const fs::path& folder, OpenMode mode, const std::optional<EmbedderIdentity>& embedder)
      : folder_(folder), rocks_(folder / "rocksdb", mode) {
    const auto format = rocks_.get(Family::kMeta, "format");
    if (!format) {
      make(mode, embedder);
      return;
    }
    if (*format != kFormat)
      throw Error(
          Code::kFailedPrecondition,
          "index " + folder.string() + ": its format is \"" + *format + "\"; this version reads \"" + std::string(kFormat) + "\"",
          "Open it with the version that made it, or ingest the documents into a new folder.");
    embedder_ = decode_embedder(require("embedder"));
    generation_ = from_big_endian(require("generation"));
    next_chunk_ = from_big_endian(require("next_chunk"));
    if (!embedder || (embedder->fingerprint == embedder_.fingerprint && embedder->dimension == embedder_.dimension)) return;
    throw Error(
        Code::kFailedPrecondition,
        "index " + folder.string() + ": made with the embedder " + described(embedder_) + ", opened with " + described(*embedder),
        "Open it with the embedder it was made with, or ingest the documents into a new folder.");
  }

  DocumentRecord decode(std::string_view id, std::string_view bytes) const {
    const std::string what = "index " + folder_.string() + ": document " + std::string(id);
    RecordReader record(bytes, what);
    DocumentRecord document;
    document.id = id;
    const std::string_view sha256 = record.string();
    if (sha256.size() != document.sha256.size()) rocks_.fail_data_loss("document " + document.id + ": a malformed hash");
    std::memcpy(document.sha256.data(), sha256.data(), sha256.size());
    document.format = record.string();
    document.bytes = record.number();
    document.first_chunk = record.number();
    document.chunking.max_tokens = static_cast<int64_t>(record.number());
    document.chunking.overlap_tokens = static_cast<int64_t>(record.number());
    for (uint64_t left = record.number(); left > 0; --left) {
      const std::string_view key = record.string();
      document.metadata.emplace(key, record.string());
    }
    if (!record.at_end()) {  // version 0.1.0 wrote no more than this
      document.file = record.string();
      document.ingested_ms = static_cast<int64_t>(record.number());
      document.chunk_rules = record.number();
    } else {
      document.chunk_rules = 1;
    }
    const std::string chunks_bytes = require(Family::kChunks, document);
    RecordReader chunks(chunks_bytes, what);
    for (uint64_t left = chunks.number(); left > 0; --left) {
      const auto begin = static_cast<int64_t>(chunks.number());
      const auto size = static_cast<int64_t>(chunks.number());
      if (begin < 0 || size < 0 || begin + size > static_cast<int64_t>(document.bytes))
        rocks_.fail_data_loss("document " + document.id + ": a chunk lies outside its text");
      document.chunks.push_back({{begin, begin + size}, chunks.number(), {}});
    }
    read_keys(chunks, document);
    return document;
  }

  void read_keys(RecordReader& record, DocumentRecord& document) const {
    if (record.at_end()) return;  // version 0.1.0 wrote none
    const std::string_view keys = record.string();
    if (keys.size() != document.chunks.size() * sizeof(TextKey))
      rocks_.fail_data_loss("document " + document.id + ": keys that don't fit its chunks");
    for (size_t i = 0; i < document.chunks.size(); ++i)
      std::memcpy(document.chunks[i].key.data(), keys.data() + i * sizeof(TextKey), sizeof(TextKey));
  }

  std::string require(Family family, const DocumentRecord& document) const {
    if (auto value = rocks_.get(family, big_endian(document.first_chunk))) return *std::move(value);
    rocks_.fail_data_loss("document " + document.id + ": its stored chunks are gone");
  }

  void delete_chunks(rocksdb::WriteBatch& batch, const DocumentRecord& document) const {
    for (const Family family : {Family::kChunks, Family::kVectors, Family::kPostings})
      batch.Delete(rocks_.handle(family), big_endian(document.first_chunk));
  }

  // Writes `batch` as the next generation; what memory says changes only when the disk has it.
  void commit(rocksdb::WriteBatch& batch, uint64_t next_chunk) {
    batch.Put(rocks_.handle(Family::kMeta), "generation", big_endian(generation_ + 1));
    batch.Put(rocks_.handle(Family::kMeta), "next_chunk", big_endian(next_chunk));
    rocks_.write(batch);
    ++generation_;
    next_chunk_ = next_chunk;
  }

  fs::path folder_;
  RocksStore rocks_;
  EmbedderIdentity embedder_;
  uint64_t generation_ = 0;
  uint64_t next_chunk_ = 1;  // 0 is a passage that comes from no index

  // Readies the database for a change. After a failed write it is opened anew, and might have been changed in between, by another
  // writer or because that write reached the disk after all; then what the caller has in memory is old.
  void require_unchanged() {
    rocks_.recover();
    const auto stored = rocks_.get(Family::kMeta, "generation");
    if (!stored || from_big_endian(*stored) == generation_) return;
    throw Error(Code::kFailedPrecondition, "index " + folder_.string() + ": it has changed on disk since it was opened",
                "Open it again.");
  }

 private:
  std::string require(std::string_view key) const {
    if (auto value = rocks_.get(Family::kMeta, key)) return *std::move(value);
    rocks_.fail_data_loss("its \"" + std::string(key) + "\" is gone");
  }

  void make(OpenMode mode, const std::optional<EmbedderIdentity>& embedder) {
    if (mode == OpenMode::kReadOnly || !embedder)
      throw Error(Code::kNotFound, "index " + folder_.string() + ": it is not made yet", "Ingest some documents first.");
    embedder_ = *embedder;
    rocksdb::WriteBatch batch;
    batch.Put(rocks_.handle(Family::kMeta), "format", slice_of(kFormat));
    batch.Put(rocks_.handle(Family::kMeta), "embedder", encode(embedder_));
    commit(batch, next_chunk_);
  }
};

Corpus::Corpus(std::unique_ptr<Store> store) : store_(std::move(store)) {}
Corpus::~Corpus() = default;

std::unique_ptr<Corpus> Corpus::open(const fs::path& folder, OpenMode mode, const std::optional<EmbedderIdentity>& embedder) {
  std::error_code failed;
  if ((mode == OpenMode::kReadOnly || !embedder) && !fs::is_directory(folder / "rocksdb", failed))
    throw Error(Code::kNotFound, "index " + folder.string() + ": there is none",
                "Make one: openbook ingest PATH... --index " + folder.string());
  if (mode == OpenMode::kReadWrite && (fs::create_directories(folder / "rocksdb", failed), failed))
    throw Error(failed == std::errc::no_space_on_device ? Code::kResourceExhausted : Code::kFailedPrecondition,
                "index " + folder.string() + ": can't make the folder: " + failed.message(),
                "Name a folder that you may write to.");
  return std::unique_ptr<Corpus>(new Corpus(std::make_unique<Store>(folder, mode, embedder)));
}

uint64_t Corpus::generation() const { return store_->generation_; }
uint64_t Corpus::next_chunk() const { return store_->next_chunk_; }
std::string Corpus::format() const { return std::string(kFormat); }
const EmbedderIdentity& Corpus::embedder() const { return store_->embedder_; }

std::vector<IndexRoot> Corpus::roots() const {
  const auto stored = store_->rocks_.get(Family::kMeta, "roots");
  std::vector<IndexRoot> roots;
  if (!stored) return roots;
  for (RecordReader record(*stored, "index " + store_->folder_.string() + ": its roots"); !record.at_end();) {
    std::string folder(record.string());
    roots.push_back({std::move(folder), std::string(record.string())});
  }
  return roots;
}

size_t Corpus::texts() const {
  size_t count = 0;
  store_->rocks_.for_each(Family::kTexts, [&](std::string_view, std::string_view) { ++count; });
  return count;
}

void Corpus::for_each_document(const std::function<void(DocumentRecord)>& visit) const {
  store_->rocks_.for_each(Family::kDocuments,
                          [&](std::string_view id, std::string_view record) { visit(store_->decode(id, record)); });
}

std::vector<float> Corpus::vectors(const DocumentRecord& document) const {
  const std::string bytes = store_->require(Family::kVectors, document);
  std::vector<float> rows(document.chunks.size() * static_cast<size_t>(store_->embedder_.dimension));
  if (bytes.size() != rows.size() * sizeof(float))
    store_->rocks_.fail_data_loss("document " + document.id + ": vectors of a wrong size");
  std::memcpy(rows.data(), bytes.data(), bytes.size());
  return rows;
}

std::string Corpus::postings(const DocumentRecord& document) const { return store_->require(Family::kPostings, document); }

std::string Corpus::text(const Sha256Digest& sha256) const {
  if (auto text = store_->rocks_.get(Family::kTexts, key_of(sha256))) return *std::move(text);
  throw Error(Code::kNotFound, "index " + store_->folder_.string() + ": no document has the SHA-256 " + to_hex(sha256),
              "Old versions are kept until gc; ingest that version again.");
}

std::string Corpus::verified_text(const Sha256Digest& digest) const {
  std::string text = this->text(digest);
  if (sha256(text) != digest) store_->rocks_.fail_data_loss("the text stored as " + to_hex(digest) + " no longer has that hash");
  return text;
}

void Corpus::put(const std::vector<NewDocument>& documents, const std::vector<DocumentRecord>& moved) {
  store_->require_unchanged();  // before a column family's handle is taken: it may open the database anew
  rocksdb::WriteBatch batch;
  const auto put = [&](Family family, std::string_view key, std::string_view value) {
    batch.Put(store_->rocks_.handle(family), slice_of(key), slice_of(value));
  };
  uint64_t next_chunk = store_->next_chunk_;
  for (const auto& [record, text, vectors, postings, replaced] : documents) {
    if (replaced) store_->delete_chunks(batch, *replaced);
    const std::string chunk_key = big_endian(record.first_chunk);
    put(Family::kTexts, key_of(record.sha256), text);
    put(Family::kDocuments, record.id, encode(record));
    put(Family::kChunks, chunk_key, encode(record.chunks));
    put(Family::kVectors, chunk_key, {reinterpret_cast<const char*>(vectors.data()), vectors.size() * sizeof(float)});
    put(Family::kPostings, chunk_key, postings);
    next_chunk = record.first_chunk + record.chunks.size();
  }
  for (const DocumentRecord& record : moved) put(Family::kDocuments, record.id, encode(record));
  store_->commit(batch, next_chunk);
}

void Corpus::set_roots(const std::vector<IndexRoot>& roots) {
  store_->require_unchanged();
  rocksdb::WriteBatch batch;
  batch.Put(store_->rocks_.handle(Family::kMeta), "roots", encode(roots));
  store_->commit(batch, store_->next_chunk_);
}

void Corpus::remove(const std::vector<const DocumentRecord*>& documents) {
  store_->require_unchanged();
  rocksdb::WriteBatch batch;
  for (const DocumentRecord* document : documents) {
    store_->delete_chunks(batch, *document);
    batch.Delete(store_->rocks_.handle(Family::kDocuments), document->id);
  }
  store_->commit(batch, store_->next_chunk_);
}

size_t Corpus::drop_texts_except(const std::set<Sha256Digest>& current) {
  store_->require_unchanged();
  rocksdb::WriteBatch batch;
  size_t dropped = 0;
  store_->rocks_.for_each(Family::kTexts, [&](std::string_view key, std::string_view) {
    Sha256Digest sha256{};
    if (key.size() == sha256.size()) std::memcpy(sha256.data(), key.data(), key.size());
    if (current.contains(sha256)) return;
    batch.Delete(store_->rocks_.handle(Family::kTexts), slice_of(key));
    ++dropped;
  });
  if (dropped > 0) store_->commit(batch, store_->next_chunk_);
  return dropped;
}

void Corpus::flush() {
  store_->require_unchanged();
  store_->rocks_.flush();
}

void Corpus::purge() {
  store_->require_unchanged();
  store_->rocks_.purge();
}

TextKey text_key(std::string_view text, std::string_view context) {
  const auto words_of = [](std::string_view bytes) {
    std::string words;
    for (const char byte : bytes) {
      const bool blank = byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
      if (!blank || (!words.empty() && words.back() != ' ')) words += blank ? ' ' : byte;
    }
    if (words.ends_with(' ')) words.pop_back();
    return words;
  };
  const Sha256Digest digest = sha256(RecordWriter().string(words_of(context)).string(words_of(text)).take());
  TextKey key{};
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

}  // namespace openbook::retriever
