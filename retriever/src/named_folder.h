// A folder that was named. What is below it is opened from there, and only while it is the same folder: whatever is put in its
// path meanwhile is not read. It holds nothing open, so there may be thousands.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>

namespace openbook::retriever {

class NamedFolder {
 public:
  // `named` may be a link. Throws not_found, failed_precondition (no permission), unavailable.
  explicit NamedFolder(const std::filesystem::path& named);

  const std::filesystem::path& path() const { return path_; }  // absolute, without links
  // What the ids of documents below it begin with: the folder relative to the working folder, empty for that one itself, or its
  // absolute path when it isn't below.
  const std::string& prefix() const { return prefix_; }

  // An open file at `below`, no component of which may be a link. Waits for nothing: a pipe opens at once. Negative, with errno,
  // where that fails; ESTALE: another folder has taken this one's place.
  int open(const std::filesystem::path& below, int flags) const;

 private:
  std::filesystem::path path_;
  std::string prefix_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace openbook::retriever
