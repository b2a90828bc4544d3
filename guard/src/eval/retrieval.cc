#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "eval/eval.h"
#include "eval/shares.h"
#include "openbook/base/error.h"
#include "openbook/base/temporary_folder.h"
#include "openbook/retriever/retriever.h"
#include "report/rows.h"

namespace openbook::guard {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr size_t kDocuments = 5;
constexpr size_t kPassages = 200;  // enough that five distinct documents are among them, the longest of which has 150 chunks

// The file of every chunk that a question may name. Throws invalid_argument when one is not in `folder`.
std::map<std::string, std::string> files_of_chunks(const fs::path& folder) {
  const auto name_of = [](const Json& chunk) { return fs::path(chunk["file"].get<std::string>()).filename().string(); };
  const auto fault = [&](const Json& chunk) {
    std::error_code unknown;
    return fs::exists(folder / name_of(chunk), unknown) ? "" : "\"file\": " + folder.string() + " has no " + name_of(chunk);
  };
  std::map<std::string, std::string> file_of;
  for (const Json& chunk : attribution::read_rows(folder / "chunks.jsonl", {{"id"}, {"file"}}, fault))
    file_of[chunk["id"]] = name_of(chunk);
  return file_of;
}

size_t ingest_all(retriever::Retriever& retriever, const fs::path& folder, const EvalOptions& options) {
  const retriever::FoundDocuments found = retriever::find_documents({folder}, {.include = {"*.md"}, .exclude = {}});
  for (const auto& [path, why, hint] : found.unreadable) throw Error(Code::kUnavailable, path.string() + ": " + why);
  const std::vector<retriever::FoundFile>& documents = found.files;
  if (documents.empty()) throw Error(Code::kInvalidArgument, folder.string() + ": no documents, which end in .md");
  for (size_t i = 0; i < documents.size(); ++i) {
    retriever.ingest(retriever::load_document(documents[i]), options.cancellation);
    if (options.progress) options.progress("ingest", static_cast<int64_t>(i) + 1, static_cast<int64_t>(documents.size()));
  }
  return documents.size();
}

std::set<std::string> first_documents(const retriever::Retriever& retriever, const std::string& question,
                                      retriever::SearchMode mode) {
  std::set<std::string> documents;
  for (const Passage& passage : retriever.search(question, {.limit = kPassages, .mode = mode})) {
    if (documents.size() == kDocuments) break;
    documents.insert(fs::path(passage.document_id).filename().string());
  }
  return documents;
}

}  // namespace

nlohmann::ordered_json eval_retrieval(std::shared_ptr<const Embedder> embedder, const fs::path& file,
                                      const EvalOptions& options) {
  const fs::path folder = file.parent_path() / "docs";
  const std::map<std::string, std::string> file_of = files_of_chunks(folder);
  const auto unknown_chunk = [&](const Json& row) -> std::string {
    for (const Json& chunk : row["correct_chunks"])
      if (!file_of.contains(chunk)) return "\"correct_chunks\": no chunk " + chunk.dump() + " in docs/chunks.jsonl";
    return {};
  };
  const auto rows = attribution::draw_rows(
      attribution::read_rows(file, {{"question"}, {"correct_chunks", attribution::FieldKind::kTexts}}, unknown_chunk),
      options.limit, options.seed);
  const TemporaryFolder temporary;
  const auto retriever = retriever::Retriever::open(temporary / "index", embedder, retriever::OpenMode::kReadWrite);
  const size_t documents = ingest_all(*retriever, folder, options);
  nlohmann::ordered_json recall;
  for (const auto& [name, mode] :
       {std::pair{"hybrid", retriever::SearchMode::kHybrid}, std::pair{"words", retriever::SearchMode::kWords},
        std::pair{"vectors", retriever::SearchMode::kVectors}}) {
    Share found;
    for (const Json& row : rows) {
      if (options.cancellation) options.cancellation->check();
      const std::set<std::string> first = first_documents(*retriever, row["question"], mode);
      const Json& right = row["correct_chunks"];
      found.add(row["question"],
                std::any_of(right.begin(), right.end(), [&](const Json& chunk) { return first.contains(file_of.at(chunk)); }));
    }
    recall[name] = found.to_json();
  }
  return {{"questions", rows.size()}, {"documents", documents}, {"recall_at_5", std::move(recall)}};
}

}  // namespace openbook::guard
