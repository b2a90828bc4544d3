// A folder for what is needed for a while.
#pragma once

#include <filesystem>
#include <string>

namespace openbook {

// A fresh folder under TMPDIR (else /tmp), removed with everything in it at the end. The constructor throws unavailable when it
// can't be made.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace openbook
