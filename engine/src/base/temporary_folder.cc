#include "openbook/base/temporary_folder.h"

#include <cstdlib>

#include "openbook/base/error.h"

namespace openbook {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "openbook-XXXXXX";
  if (!::mkdtemp(pattern.data()))
    throw Error(Code::kUnavailable, pattern + ": can't make a temporary folder",
                "Set TMPDIR to a folder that can be written and has room.");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace openbook
