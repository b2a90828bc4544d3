#include "dense_index.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexIDMap.h>
#include <faiss/impl/FaissException.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <cstring>

#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"
#include "record.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "openbook vectors 1\n";
constexpr size_t kDigestBytes = sizeof(Sha256Digest);
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 40;  // nothing but memory bounds it

std::string_view bytes_of(const Sha256Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

// FAISS's streams over the bytes of the file, which may be hundreds of megabytes: no copy beside them.
struct AppendTo : faiss::IOWriter {
  explicit AppendTo(std::string& bytes) : bytes(bytes) {}
  size_t operator()(const void* from, size_t size, size_t count) override {
    bytes.append(static_cast<const char*>(from), size * count);
    return count;
  }
  std::string& bytes;
};

struct ReadFrom : faiss::IOReader {
  explicit ReadFrom(std::string_view bytes) : bytes(bytes) {}
  size_t operator()(void* to, size_t size, size_t count) override {
    const size_t whole = size == 0 ? 0 : std::min(count, bytes.size() / size);
    std::memcpy(to, bytes.data(), whole * size);
    bytes.remove_prefix(whole * size);
    return whole;
  }
  std::string_view bytes;
};

[[noreturn]] void fail_stale(const fs::path& path, const std::string& why) {
  throw Error(Code::kFailedPrecondition, path.string() + ": " + why);
}

}  // namespace

struct DenseIndex::Flat {
  explicit Flat(int64_t dimension) : vectors(dimension) {}
  faiss::IndexFlatIP vectors;
  std::vector<uint64_t> ids;  // by row, ascending
};

DenseIndex::DenseIndex(int64_t dimension) : flat_(std::make_unique<Flat>(dimension)) {}
DenseIndex::~DenseIndex() = default;

void DenseIndex::add(uint64_t first_chunk, const std::vector<float>& rows) {
  const size_t count = rows.size() / static_cast<size_t>(flat_->vectors.d);
  flat_->vectors.add(static_cast<faiss::Index::idx_t>(count), rows.data());
  for (size_t row = 0; row < count; ++row) flat_->ids.push_back(first_chunk + row);
}

size_t DenseIndex::rows() const { return flat_->ids.size(); }

std::vector<Hit> DenseIndex::search(const std::vector<float>& query, size_t limit, const ChunkRanges& allowed) const {
  const RowMask mask(flat_->ids, allowed);
  const size_t wanted = std::min(limit, mask.rows);
  if (wanted == 0) return {};
  faiss::IDSelectorBitmap selector(mask.bits.size(), mask.bits.data());
  faiss::SearchParameters parameters;
  parameters.sel = &selector;
  std::vector<float> scores(wanted);
  std::vector<faiss::Index::idx_t> rows(wanted);
  flat_->vectors.search(1, query.data(), static_cast<faiss::Index::idx_t>(wanted), scores.data(), rows.data(), &parameters);
  std::vector<Hit> hits;
  for (size_t rank = 0; rank < wanted; ++rank)
    if (rows[rank] >= 0) hits.push_back({flat_->ids[static_cast<size_t>(rows[rank])], scores[rank]});
  return hits;
}

void DenseIndex::drop_dead(const ChunkRanges& live) {
  const RowMask mask(flat_->ids, live);
  auto kept = std::make_unique<Flat>(flat_->vectors.d);
  for (size_t row = 0; row < flat_->ids.size(); ++row) {
    if (!mask.holds(row)) continue;
    kept->vectors.add(1, flat_->vectors.get_xb() + row * static_cast<size_t>(flat_->vectors.d));
    kept->ids.push_back(flat_->ids[row]);
  }
  flat_ = std::move(kept);
}

void DenseIndex::save(const fs::path& path, uint64_t generation, const std::string& fingerprint) const {
  faiss::IndexIDMap named;  // its constructor wants an empty index
  named.index = &flat_->vectors;
  named.d = flat_->vectors.d;
  named.metric_type = flat_->vectors.metric_type;
  named.id_map.assign(flat_->ids.begin(), flat_->ids.end());
  named.ntotal = flat_->vectors.ntotal;
  constexpr size_t kContentBegin = kMagic.size() + kDigestBytes;
  std::string file(kMagic);
  file.resize(kContentBegin);
  file += RecordWriter().number(generation).string(fingerprint).take();
  AppendTo stream(file);
  faiss::write_index(&named, &stream);
  file.replace(kMagic.size(), kDigestBytes, bytes_of(sha256(std::string_view(file).substr(kContentBegin))));
  write_file_atomically(path, file);
}

std::unique_ptr<DenseIndex> DenseIndex::load(const fs::path& path, int64_t dimension, uint64_t generation,
                                             const std::string& fingerprint, const ChunkRanges& live) {
  const std::string file = read_file(path, kMaxFileBytes);
  const std::string_view content = std::string_view(file).substr(std::min(file.size(), kMagic.size() + kDigestBytes));
  if (!file.starts_with(kMagic) || std::string_view(file).substr(kMagic.size(), kDigestBytes) != bytes_of(sha256(content)))
    throw Error(Code::kDataLoss, path.string() + ": its SHA-256 doesn't match; the file is damaged or cut short");
  RecordReader header(content, path.string());
  const uint64_t file_generation = header.number();
  if (header.string() != fingerprint) fail_stale(path, "made with another embedder");
  if (file_generation != generation)
    fail_stale(path, "of generation " + std::to_string(file_generation) + ", the index is at " + std::to_string(generation));

  ReadFrom stream(header.rest());
  std::unique_ptr<faiss::Index> read;
  try {
    read.reset(faiss::read_index(&stream));
  } catch (const faiss::FaissException& error) {
    throw Error(Code::kDataLoss, path.string() + ": FAISS can't read it: " + error.what());
  }
  auto* named = dynamic_cast<faiss::IndexIDMap*>(read.get());
  auto* vectors = named ? dynamic_cast<faiss::IndexFlatIP*>(named->index) : nullptr;
  if (!vectors || vectors->d != dimension) fail_stale(path, "not a flat index of " + std::to_string(dimension) + " dimensions");
  auto index = std::make_unique<DenseIndex>(dimension);
  index->flat_->vectors = std::move(*vectors);
  index->flat_->ids.assign(named->id_map.begin(), named->id_map.end());
  size_t expected = 0;
  for (const ChunkRange& range : live) expected += range.end - range.begin;
  const auto& ids = index->flat_->ids;
  if (std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) != ids.end() || RowMask(ids, live).rows != expected)
    fail_stale(path, "it doesn't hold the chunks of the index");
  return index;
}

}  // namespace openbook::retriever
