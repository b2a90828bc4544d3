#include "dense_index.h"

#include <algorithm>
#include <fstream>
#include <random>

#include "base/test_support.h"
#include "openbook/base/file.h"

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

TEST(DenseIndex, AFileThatIsDamagedOrOfSomethingElseIsRefusedBeforeFaissReadsIt) {
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

}  // namespace
}  // namespace openbook::retriever
