// Retrieval on the public documentation set with the shipped text encoder: the file of a right chunk among the first 5 documents.
#include <iostream>
#include <set>

#include "base/test_support.h"
#include "openbook/engine/text_encoder.h"
#include "openbook/retriever/retriever.h"

namespace openbook::retriever {
namespace {

constexpr size_t kDocuments = 5;
constexpr size_t kPassages = 200;  // enough for 5 distinct documents, the longest of which has about 150 chunks

bool found_among_first(const std::vector<Passage>& passages, const nlohmann::json& right) {
  std::set<std::string> seen;
  for (const Passage& passage : passages) {
    if (seen.insert(passage.document_id).second && seen.size() > kDocuments) return false;
    if (std::find(right.begin(), right.end(), passage.document_id) != right.end()) return true;
  }
  return false;
}

TEST(DocsQa, TheJoinedRankingIsAtMostOneQuestionBelowItsBetterHalf) {
  const auto model = test::model_folder("all-minilm-l6-v2");
  const auto questions = test::evaluation_data("docs_qa.jsonl");
  const auto documents = test::evaluation_data("docs");
  if (!model || !questions || !documents)
    GTEST_SKIP() << "needs all-minilm-l6-v2 (cmake/setup.sh) and the evaluation data's docs_qa";

  const test::TemporaryFolder folder;
  const auto index = Retriever::open(folder / "index", engine::TextEncoder::load(*model), OpenMode::kReadWrite);
  for (const auto& path : find_documents({*documents}).files) {
    if (path.extension() != ".md") continue;
    Document document = load_document(path);
    document.id = path.stem().string();
    index->ingest(document);
  }
  std::map<SearchMode, int> found;
  const auto rows = test::read_json_lines(*questions);
  for (const auto& row : rows)
    for (const SearchMode mode : {SearchMode::kHybrid, SearchMode::kWords, SearchMode::kVectors})
      found[mode] += found_among_first(index->search(row["question"].get<std::string>(), {.limit = kPassages, .mode = mode}),
                                       row["correct_chunks"]);
  const int hybrid = found[SearchMode::kHybrid], words = found[SearchMode::kWords], vectors = found[SearchMode::kVectors];
  std::cout << index->chunk_count() << " chunks, " << rows.size() << " questions; recall_at_5: hybrid " << hybrid << ", words "
            << words << ", vectors " << vectors << "\n";
  EXPECT_GE(hybrid, std::max(words, vectors) - 1);
  // Measured 99, 96 and 94 of 100.
  EXPECT_GE(hybrid, 97);
  EXPECT_GE(words, 94);
  EXPECT_GE(vectors, 92);
}

}  // namespace
}  // namespace openbook::retriever
