// The folder that a log is about to be made in: empty, readable by its owner alone, and claimed.
//
// Of two `log init` that are run at once on one folder one makes the log; the other is refused, and takes nothing away. The claim
// is an flock on the folder, which the kernel gives back when its holder dies. One thread.
#pragma once

#include <filesystem>

#include "openbook/base/descriptor.h"

namespace openbook::provenance {

class ClaimedFolder {
 public:
  // Makes the folder with mode 0700, or takes an empty one that belongs to this user and gives it that mode. Throws
  // failed_precondition (something else is there; of another owner), unavailable (somebody else claimed it), not_found.
  explicit ClaimedFolder(const std::filesystem::path& folder);

  // Takes out again what was put in, and the folder itself where it was made here.
  void abandon() noexcept;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool made_here_;
  Descriptor folder_;
};

}  // namespace openbook::provenance
