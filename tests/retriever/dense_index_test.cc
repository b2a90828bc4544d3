#include "dense_index.h"

#include <algorithm>
#include <fstream>
#include <random>

#include "base/test_support.h"
#include "openbook/base/file.h"
#include "openbook/base/hash.h"
#include "record.h"

namespace openbook::retriever {
namespace {

constexpr int64_t kDimension = 8;

std::vector<float> random_rows(size_t count, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> rows(count * kDimension);
  for (float& x : rows) x = normal(random);
  return rows;
}

struct Filled {
  DenseIndex index{kDimension};
  std::vector<float> rows;  // chunk id = row + 1
  std::vector<float> query;

  explicit Filled(size_t count) {
    std::mt19937 random(7);
    rows = random_rows(count, random);
    query = random_rows(1, random);
    index.add(1, {rows.begin(), rows.begin() + kDimension});
    index.add(2, {rows.begin() + kDimension, rows.end()});
  }

  std::vector<uint64_t> best_by_hand(size_t limit, const ChunkRanges& allowed) const {
    std::vector<std::pair<float, uint64_t>> scored;
    for (const ChunkRange& range : allowed)
      for (uint64_t id = range.begin; id < range.end; ++id) {
        if (id * kDimension > rows.size()) continue;
        float score = 0;
        for (size_t i = 0; i < kDimension; ++i) score += rows[(id - 1) * kDimension + i] * query[i];
        scored.emplace_back(-score, id);
      }
    std::sort(scored.begin(), scored.end());
    std::vector<uint64_t> ids;
    for (size_t i = 0; i < std::min(limit, scored.size()); ++i) ids.push_back(scored[i].second);
    return ids;
  }
};

std::vector<uint64_t> ids_of(const std::vector<Hit>& hits) {
  std::vector<uint64_t> ids;
  for (const Hit& hit : hits) ids.push_back(hit.chunk_id);
  return ids;
}

TEST(DenseIndex, FindsTheLargestInnerProductsAmongTheAllowed) {
  const Filled filled(50);
  for (const ChunkRanges& allowed :
       {ChunkRanges{{1, 51}}, ChunkRanges{{3, 9}, {20, 21}, {49, 51}}, ChunkRanges{{51, 60}}, ChunkRanges{}})
    EXPECT_EQ(ids_of(filled.index.search(filled.query, 5, allowed)), filled.best_by_hand(5, allowed));
  EXPECT_EQ(filled.index.search(filled.query, 500, {{1, 51}}).size(), 50u);
}

TEST(DenseIndex, DroppingDeadChunksChangesNoRanking) {
  Filled filled(50);
  const ChunkRanges live = {{5, 20}, {30, 45}};
  filled.index.drop_dead(live);
  EXPECT_EQ(filled.index.rows(), 30u);
  EXPECT_EQ(ids_of(filled.index.search(filled.query, 10, live)), filled.best_by_hand(10, live));
}

TEST(DenseIndex, AFileIsReadBackAndFindsTheSame) {
  const test::TemporaryFolder folder;
  const Filled filled(50);
  filled.index.save(folder / "v", 12, "print");
  const ChunkRanges live = {{2, 50}};
  const auto read = DenseIndex::load(folder / "v", kDimension, 12, "print", live);
  EXPECT_EQ(ids_of(read->search(filled.query, 9, live)), filled.best_by_hand(9, live));
}

TEST(DenseIndex, AFileThatIsDamagedOrOfSomethingElseIsRefused) {
  const test::TemporaryFolder folder;
  const Filled filled(5);
  filled.index.save(folder / "v", 12, "print");
  const std::string good = read_file(folder / "v");
  const auto load = [&] { DenseIndex::load(folder / "v", kDimension, 12, "print", {{1, 6}}); };
  for (size_t byte = 0; byte < good.size(); byte += 7) {
    std::string bad = good;
    bad[byte] ^= 1;
    write_file_atomically(folder / "v", bad);
    EXPECT_ERROR(load(), Code::kDataLoss, "SHA-256");
    write_file_atomically(folder / "v", good.substr(0, byte));
    EXPECT_ERROR(load(), Code::kDataLoss, "SHA-256");
  }
  write_file_atomically(folder / "v", good);
  load();
  EXPECT_ERROR(DenseIndex::load(folder / "v", kDimension, 13, "print", {}), Code::kFailedPrecondition, "generation 12");
  EXPECT_ERROR(DenseIndex::load(folder / "v", kDimension, 12, "other", {}), Code::kFailedPrecondition, "another embedder");
  EXPECT_ERROR(DenseIndex::load(folder / "v", 16, 12, "print", {}), Code::kFailedPrecondition, "16 dimensions");
  EXPECT_ERROR(DenseIndex::load(folder / "v", kDimension, 12, "print", {{1, 7}}), Code::kFailedPrecondition,
               "doesn't hold the chunks");
  EXPECT_ERROR(DenseIndex::load(folder / "w", kDimension, 12, "print", {}), Code::kNotFound, "can't open");
}

// A file with the right digest over whatever content.
std::string sealed(const std::string& content) {
  const Sha256Digest digest = sha256(content);
  return "openbook vectors 2\n" + std::string(digest.begin(), digest.end()) + content;
}

TEST(DenseIndex, ContentThatCanNotBeIsRefusedThoughItsDigestIsRight) {
  const test::TemporaryFolder folder;
  const auto header = [](uint64_t dimension, uint64_t rows) {
    return RecordWriter().number(12).string("print").number(dimension).number(rows).take();
  };
  const std::string id = {1, 0, 0, 0, 0, 0, 0, 0};
  const std::string row(kDimension * sizeof(float), '\0');
  std::string not_a_number = row;
  not_a_number.replace(0, 4, "\xFF\xFF\xFF\x7F");
  const struct {
    const char* what;
    std::string file;
    Code code;
    std::string piece;
  } rows[] = {
      {"more rows than bytes", sealed(header(kDimension, uint64_t{1} << 60) + id + row), Code::kDataLoss, "and has 40 bytes"},
      {"a count whose bytes overflow to few", sealed(header(kDimension, (uint64_t{1} << 63) + 1) + id + row), Code::kDataLoss,
       "40 each"},
      {"fewer rows than bytes", sealed(header(kDimension, 0) + id + row), Code::kDataLoss, "holds 0 vectors"},
      {"half a row", sealed(header(kDimension, 1) + id + row.substr(1)), Code::kDataLoss, "39 bytes"},
      {"a dimension past all memory", sealed(header(uint64_t{1} << 62, 1) + id + row), Code::kFailedPrecondition,
       "not of 8 dimensions"},
      {"a fingerprint longer than the file", sealed(RecordWriter().number(12).number(uint64_t{1} << 40).take()), Code::kDataLoss,
       "cut short"},
      {"a number without an end", sealed(std::string(20, '\xFF')), Code::kDataLoss, "malformed"},
      {"nothing", sealed(""), Code::kDataLoss, "cut short"},
      {"not a number", sealed(header(kDimension, 1) + id + not_a_number), Code::kDataLoss, "not finite"},
      {"ids that don't ascend", sealed(header(kDimension, 2) + id + id + row + row), Code::kFailedPrecondition, "doesn't hold"},
      {"another layout", "openbook vectors 1\n" + std::string(1000, 'x'), Code::kFailedPrecondition, "another layout"},
      {"far more than the index has", std::string(1 << 20, 'x'), Code::kOutOfRange, "limit"},
  };
  for (const auto& bad : rows) {
    SCOPED_TRACE(bad.what);
    write_file_atomically(folder / "v", bad.file);
    EXPECT_ERROR(DenseIndex::load(folder / "v", kDimension, 12, "print", {{1, 2}}), bad.code, bad.piece);
  }
  write_file_atomically(folder / "v", sealed(header(kDimension, 1) + id + row));
  EXPECT_EQ(DenseIndex::load(folder / "v", kDimension, 12, "print", {{1, 2}})->rows(), 1u);
}

}  // namespace
}  // namespace openbook::retriever
