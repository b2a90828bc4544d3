#include "dense_index.h"

#include <faiss/IndexFlat.h>
#include <faiss/impl/IDSelector.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "openbook/base/error.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"
#include "record.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "the file holds little-endian numbers");

constexpr std::string_view kMagic = "openbook vectors 2\n";
constexpr std::string_view kMagicOfAnyLayout = "openbook vectors ";
constexpr size_t kDigestBytes = sizeof(Sha256Digest);
constexpr uint64_t kHeaderBytes = 1024;  // more than magic, digest and the numbers before the ids take

std::string_view bytes_of(const Sha256Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

template <typename T>
std::string_view bytes_of(const T* values, size_t count) {
  return {reinterpret_cast<const char*>(values), count * sizeof(T)};
}

size_t count_of(const ChunkRanges& ranges) {
  size_t count = 0;
  for (const ChunkRange& range : ranges) count += range.end - range.begin;
  return count;
}

// A file with more dead rows than save() leaves is not read: its size is no reason to fill the memory.
uint64_t most_file_bytes(int64_t dimension, size_t live) {
  const uint64_t row_bytes = static_cast<uint64_t>(dimension) * sizeof(float) + sizeof(uint64_t);
  return kHeaderBytes + (2 * static_cast<uint64_t>(live) + 64) * row_bytes;
}

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
  constexpr size_t kContentBegin = kMagic.size() + kDigestBytes;
  std::string file(kMagic);
  file.resize(kContentBegin);
  file += RecordWriter()
              .number(generation)
              .string(fingerprint)
              .number(static_cast<uint64_t>(flat_->vectors.d))
              .number(flat_->ids.size())
              .take();
  file += bytes_of(flat_->ids.data(), flat_->ids.size());
  file += bytes_of(flat_->vectors.get_xb(), flat_->ids.size() * static_cast<size_t>(flat_->vectors.d));
  file.replace(kMagic.size(), kDigestBytes, bytes_of(sha256(std::string_view(file).substr(kContentBegin))));
  write_file_atomically(path, file);
}

std::unique_ptr<DenseIndex> DenseIndex::load(const fs::path& path, int64_t dimension, uint64_t generation,
                                             const std::string& fingerprint, const ChunkRanges& live) {
  const std::string file = read_file(path, most_file_bytes(dimension, count_of(live)));
  if (!file.starts_with(kMagic) && file.starts_with(kMagicOfAnyLayout)) fail_stale(path, "of another layout");
  const std::string_view content = std::string_view(file).substr(std::min(file.size(), kMagic.size() + kDigestBytes));
  if (!file.starts_with(kMagic) || std::string_view(file).substr(kMagic.size(), kDigestBytes) != bytes_of(sha256(content)))
    throw Error(Code::kDataLoss, path.string() + ": its SHA-256 doesn't match; the file is damaged or cut short");
  RecordReader header(content, path.string());
  const uint64_t file_generation = header.number();
  if (header.string() != fingerprint) fail_stale(path, "made with another embedder");
  if (file_generation != generation)
    fail_stale(path, "of generation " + std::to_string(file_generation) + ", the index is at " + std::to_string(generation));
  if (const uint64_t d = header.number(); d != static_cast<uint64_t>(dimension))
    fail_stale(path, "not of " + std::to_string(dimension) + " dimensions, but of " + std::to_string(d));
  return read_rows(path, header, dimension, live);
}

// Nothing is allocated for a count before the file is seen to have the bytes.
std::unique_ptr<DenseIndex> DenseIndex::read_rows(const fs::path& path, RecordReader& header, int64_t dimension,
                                                  const ChunkRanges& live) {
  const uint64_t rows = header.number();
  const std::string_view bytes = header.rest();
  const size_t row_bytes = static_cast<size_t>(dimension) * sizeof(float) + sizeof(uint64_t);
  if (bytes.size() % row_bytes != 0 || rows != bytes.size() / row_bytes)
    throw Error(Code::kDataLoss, path.string() + ": says that it holds " + std::to_string(rows) + " vectors, and has " +
                                     std::to_string(bytes.size()) + " bytes of them, " + std::to_string(row_bytes) + " each");
  auto index = std::make_unique<DenseIndex>(dimension);
  auto& ids = index->flat_->ids;
  ids.resize(rows);
  auto& vectors = index->flat_->vectors;
  vectors.codes.resize(rows * static_cast<size_t>(dimension) * sizeof(float));
  if (rows > 0) {  // without any there is no memory to copy to
    std::memcpy(ids.data(), bytes.data(), rows * sizeof(uint64_t));
    std::memcpy(vectors.codes.data(), bytes.data() + rows * sizeof(uint64_t), vectors.codes.size());
  }
  vectors.ntotal = static_cast<faiss::Index::idx_t>(rows);
  const float* numbers = vectors.get_xb();
  if (!std::all_of(numbers, numbers + rows * static_cast<size_t>(dimension), [](float x) { return std::isfinite(x); }))
    throw Error(Code::kDataLoss, path.string() + ": holds numbers that are not finite");
  if (std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) != ids.end() ||
      RowMask(ids, live).rows != count_of(live))
    fail_stale(path, "it doesn't hold the chunks of the index");
  return index;
}

}  // namespace openbook::retriever
