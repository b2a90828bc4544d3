#include "named_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "openbook/base/descriptor.h"
#include "openbook/base/error.h"

namespace openbook::retriever {
namespace {

namespace fs = std::filesystem;

// Where the kernel says that the open folder is; asking for the path again could be answered with another folder.
fs::path path_of(const Descriptor& folder, const fs::path& named) {
  std::error_code failed;
  fs::path path = fs::read_symlink("/proc/self/fd/" + std::to_string(folder.get()), failed);
  return failed ? fs::canonical(named) : path;
}

std::string relative_to(const fs::path& base, const fs::path& path, bool& below) {
  const fs::path relative = path.lexically_relative(base);
  below = !relative.empty() && *relative.begin() != "..";
  return relative == "." ? "" : relative.generic_string();
}

std::string prefix_of(const fs::path& named, const fs::path& path) {
  std::error_code failed;
  const fs::path here = fs::current_path(failed);
  bool below = false;
  fs::path spelled = fs::absolute(named, failed).lexically_normal();
  if (!spelled.has_filename()) spelled = spelled.parent_path();
  const std::string as_spelled = relative_to(here, spelled, below);
  if (below && fs::equivalent(here / as_spelled, path, failed)) return as_spelled;
  const std::string without_links = relative_to(here, path, below);
  return below ? without_links : path.generic_string();
}

}  // namespace

NamedFolder::NamedFolder(const fs::path& named) {
  const Descriptor folder(::open(named.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (folder.get() < 0 || ::fstat(folder.get(), &status) != 0) {
    const std::string message = named.string() + ": can't open the folder: " + std::strerror(errno);
    if (errno == ENOENT || errno == ENOTDIR) throw Error(Code::kNotFound, message);
    throw Error(errno == EACCES ? Code::kFailedPrecondition : Code::kUnavailable, message, "Check who owns it and its mode.");
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
  path_ = path_of(folder, named);
  prefix_ = prefix_of(named, path_);
}

int NamedFolder::open(const fs::path& below, int flags) const {
  int folder = ::open(path_.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat status {};
  if (folder < 0 || ::fstat(folder, &status) != 0) return -1;
  if (status.st_dev != device_ || status.st_ino != inode_) {
    ::close(folder);
    errno = ESTALE;
    return -1;
  }
  const fs::path wanted = below.empty() ? fs::path(".") : below;
  for (auto component = wanted.begin(); component != wanted.end(); ++component) {
    const bool last = std::next(component) == wanted.end();
    const int how = last ? flags | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    const int opened = ::openat(folder, component->c_str(), how | O_NOFOLLOW | O_CLOEXEC);
    const int why = errno;
    ::close(folder);
    errno = why;
    folder = opened;
    if (opened < 0) break;
  }
  return folder;
}

}  // namespace openbook::retriever
