// Which document a file is. A document is its file, by whatever path the file was given: the first ingest gives it an id that
// people can read, and from then on the file is known by where it is.
//
// The id of a new file is its path below the nearest root of the index, behind the root's prefix. A root is a folder that was
// named in an ingest; its prefix is the folder as it was named there, relative to the working folder, or its absolute path when
// it isn't below that. So an id opens from the folder where its file was ingested.
//
// An index of version 0.1.0 knows no files: an id of such a document is taken for a path, seen from the working folder, when a
// file is there.
//
// Not thread-safe; holds a copy of what it was given. Paths are compared, nothing is read.
//
//   DocumentNames names(index->roots(), index->documents());
//   for (const FoundFile& file : found.files) ids.push_back(names.id_of(file));  // throws before anything has changed
//   index->set_roots(names.roots());
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "openbook/retriever/document.h"
#include "openbook/retriever/retriever.h"

namespace openbook::retriever {

class DocumentNames {
 public:
  DocumentNames(std::vector<IndexRoot> roots, const std::vector<StoredDocument>& documents);

  // The id of the file's document, stored or new; remembers it, and the root that it needed. Throws failed_precondition, naming
  // both, when the id is that of another file that still exists, or of a document that came from no file. The id of a file that
  // is gone passes on to the one that is found by its name.
  std::string id_of(const FoundFile& file);

  // The stored document that `path` names: by its id, else by the file that it leads to, which may be gone. Nothing: none.
  std::optional<std::string> find(const std::string& path) const;

  // The file of a document, absolute and without links; nothing when it came from none, or an older version didn't say.
  std::optional<std::filesystem::path> file_of(const std::string& id) const;

  // Throws failed_precondition when `id` is that of a document that came from a file.
  void require_no_file(const std::string& id) const;

  const std::vector<IndexRoot>& roots() const { return roots_; }

 private:
  const IndexRoot& root_of(const FoundFile& file);

  std::vector<IndexRoot> roots_;
  std::map<std::string, std::filesystem::path> files_;  // by id; empty: came from none
  std::map<std::filesystem::path, std::string> ids_;    // by file
  std::set<std::string> unplaced_;                      // of an older version, from a file that isn't known
};

// Whether `path` is `folder` or below it; both absolute.
bool lies_below(const std::filesystem::path& path, const std::filesystem::path& folder);

// Whether it is known that nothing is at `path`, not even a link; what merely can't be looked at may be there.
bool is_gone(const std::filesystem::path& path);

}  // namespace openbook::retriever
