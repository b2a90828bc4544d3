#include "openbook/retriever/document_names.h"

#include <algorithm>

#include "named_folder.h"
#include "openbook/base/error.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

// `path` without links as far as it exists.
fs::path located(const fs::path& path) {
  std::error_code failed;
  fs::path absolute = fs::absolute(path, failed).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  const fs::path resolved = fs::weakly_canonical(absolute, failed);
  return failed ? absolute : resolved;
}

}  // namespace

bool lies_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

bool is_gone(const fs::path& path) {
  std::error_code unknown;
  return fs::symlink_status(path, unknown).type() == fs::file_type::not_found;
}

DocumentNames::DocumentNames(std::vector<IndexRoot> roots, const std::vector<StoredDocument>& documents)
    : roots_(std::move(roots)) {
  bool seen_from_here = false;
  for (const StoredDocument& document : documents) {
    fs::path& file = files_[document.id] = document.file;
    const auto source = document.metadata.find("source");
    if (!file.empty() || (source != document.metadata.end() && source->second == "stdin") || document.ingested_ms != 0) {
      if (!file.empty()) ids_.emplace(file, document.id);
      continue;
    }
    const fs::path place = located(document.id);
    std::error_code unknown;
    const bool there = fs::is_regular_file(place, unknown);
    seen_from_here = seen_from_here || (there && fs::path(document.id).is_relative());
    if (!there && fs::path(document.id).is_relative()) {
      unplaced_.insert(document.id);
    } else {
      file = place;
      ids_.emplace(place, document.id);
    }
  }
  // One relative id that leads to a file shows from which folder they all were given.
  if (!seen_from_here) return;
  for (const std::string& id : unplaced_) ids_.emplace(files_[id] = located(id), id);
  unplaced_.clear();
}

const IndexRoot& DocumentNames::root_of(const FoundFile& file) {
  const IndexRoot* nearest = nullptr;
  for (const IndexRoot& root : roots_)
    if (lies_below(file.file, root.folder) && (!nearest || root.folder.size() > nearest->folder.size())) nearest = &root;
  if (nearest) return *nearest;
  return roots_.emplace_back(IndexRoot{file.folder->path().string(), file.folder->prefix()});
}

std::string DocumentNames::id_of(const FoundFile& file) {
  if (const auto known = ids_.find(file.file); known != ids_.end()) return known->second;
  const IndexRoot& root = root_of(file);
  const std::string below = file.file.lexically_relative(root.folder).generic_string();
  std::string id = root.prefix.empty() ? below : (fs::path(root.prefix) / below).generic_string();
  if (const auto other = files_.find(id); other != files_.end()) {
    const fs::path& its_file = other->second;
    // A file that was moved takes its document with it.
    const bool its_own = its_file.empty() ? unplaced_.contains(id) : is_gone(its_file);
    if (!its_own)
      throw Error(Code::kFailedPrecondition,
                  file.path.string() + ": the name \"" + id + "\" would be that of two files: " + file.file.string() + " and " +
                      (its_file.empty() ? std::string("a document that came from no file") : its_file.string()),
                  "Nothing was changed. Ingest it from a folder above both, so that their names differ, or remove the other one: "
                  "openbook index remove.");
    ids_.erase(its_file);
    unplaced_.erase(id);
  }
  files_[id] = file.file;
  ids_[file.file] = id;
  return id;
}

std::optional<std::string> DocumentNames::find(const std::string& path) const {
  if (files_.contains(path)) return path;
  const auto known = ids_.find(located(path));
  return known == ids_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<fs::path> DocumentNames::file_of(const std::string& id) const {
  const auto known = files_.find(id);
  return known == files_.end() || known->second.empty() ? std::nullopt : std::optional(known->second);
}

void DocumentNames::require_no_file(const std::string& id) const {
  if (const auto file = file_of(id))
    throw Error(Code::kFailedPrecondition, "the name \"" + id + "\" is that of the file " + file->string() + " in the index",
                "Give another name with --id.");
}

}  // namespace openbook::retriever
