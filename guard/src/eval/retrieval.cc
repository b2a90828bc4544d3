#include <filesystem>
#include <set>

#include "eval/eval.h"
#include "eval/shares.h"
#include "openbook/base/temporary_folder.h"
#include "openbook/retriever/retriever.h"
#include "report/rows.h"

namespace openbook::guard {
namespace {

constexpr size_t kDocuments = 5;
constexpr size_t kPassages = 60;  // enough that five distinct documents are among them

std::set<std::string> first_documents(const retriever::Retriever& retriever, const std::string& question,
                                      retriever::SearchMode mode) {
  std::set<std::string> documents;
  for (const Passage& passage : retriever.search(question, {.limit = kPassages, .mode = mode})) {
    if (documents.size() == kDocuments) break;
    documents.insert(std::filesystem::path(passage.document_id).filename().string());
  }
  return documents;
}

}  // namespace

nlohmann::ordered_json eval_retrieval(std::shared_ptr<const Embedder> embedder, const std::filesystem::path& file,
                                      const EvalOptions& options) {
  const auto rows =
      attribution::draw_rows(attribution::read_rows(file, {"question", "correct_chunks"}), options.limit, options.seed);
  const std::filesystem::path folder = file.parent_path() / "docs";
  std::map<std::string, std::string> file_of_chunk;
  for (const nlohmann::json& chunk : attribution::read_rows(folder / "chunks.jsonl", {"id", "file"}))
    file_of_chunk[chunk["id"]] = std::filesystem::path(chunk["file"].get<std::string>()).filename().string();

  const TemporaryFolder temporary;
  const auto retriever = retriever::Retriever::open(temporary / "index", embedder, retriever::OpenMode::kReadWrite);
  std::vector<std::filesystem::path> documents;
  for (const auto& path : retriever::find_documents({folder}))
    if (path.extension() == ".md") documents.push_back(path);
  for (size_t i = 0; i < documents.size(); ++i) {
    retriever->ingest(retriever::load_document(documents[i]), options.cancellation);
    if (options.progress) options.progress("ingest", static_cast<int64_t>(i) + 1, static_cast<int64_t>(documents.size()));
  }

  nlohmann::ordered_json recall;
  for (const auto& [name, mode] :
       {std::pair{"hybrid", retriever::SearchMode::kHybrid}, std::pair{"words", retriever::SearchMode::kWords},
        std::pair{"vectors", retriever::SearchMode::kVectors}}) {
    Share found;
    for (const nlohmann::json& row : rows) {
      const std::set<std::string> first = first_documents(*retriever, row["question"], mode);
      bool right = false;
      for (const auto& chunk : row["correct_chunks"]) right |= first.contains(file_of_chunk[chunk]);
      found.add(row["question"], right);
    }
    recall[name] = found.to_json();
  }
  return {{"questions", rows.size()}, {"documents", documents.size()}, {"recall_at_5", std::move(recall)}};
}

}  // namespace openbook::guard
