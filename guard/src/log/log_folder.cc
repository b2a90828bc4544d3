#include "log/log_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "openbook/base/error.h"

namespace openbook::provenance {
namespace {

namespace fs = std::filesystem;

std::string named(const fs::path& folder) { return "provenance log " + folder.string() + ": "; }

[[noreturn]] void refuse_taken(const fs::path& folder) {
  throw Error(Code::kFailedPrecondition, named(folder) + "is there already and is not an empty folder",
              "Choose another folder; a log is never made anew over another.");
}

void require_empty(const fs::path& folder) {
  std::error_code problem;
  if (!fs::is_empty(folder, problem) || problem) refuse_taken(folder);
}

[[noreturn]] void refuse_claimed(const fs::path& folder) {
  throw Error(Code::kUnavailable, named(folder) + "another process is just making or opening a log there",
              "Wait until it ends, or choose another folder.");
}

// Whether it was made now; false when something is there.
bool make(const fs::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) return true;
  if (errno == EEXIST) return false;
  throw Error(errno == ENOENT ? Code::kNotFound : Code::kFailedPrecondition,
              named(folder) + "can't make the folder: " + std::strerror(errno));
}

void claim(int fd, const fs::path& folder) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) refuse_claimed(folder);
    if (errno != EINTR) break;  // a file system without locks: RocksDB's own lock file is left
  }
  struct stat opened {
  }, there{};
  if (::fstat(fd, &opened) != 0 || ::stat(folder.c_str(), &there) != 0 || opened.st_ino != there.st_ino ||
      opened.st_dev != there.st_dev)
    refuse_claimed(folder);  // who had claimed it gave up and took it away
}

// What others may read or write can't be a log's folder, empty as it is now: it holds questions and answers.
void make_private(int fd, const fs::path& folder) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) refuse_taken(folder);
  if (status.st_uid != ::geteuid())
    throw Error(Code::kFailedPrecondition,
                named(folder) + "the folder belongs to user " + std::to_string(status.st_uid) + ", expected " +
                    std::to_string(::geteuid()),
                "Run as its owner, or choose another folder.");
  if ((status.st_mode & 077) && ::fchmod(fd, 0700) != 0)
    throw Error(Code::kFailedPrecondition,
                named(folder) + "others can open the folder, and its mode can't be changed to 0700: " + std::strerror(errno));
}

}  // namespace

ClaimedFolder::ClaimedFolder(const fs::path& folder)
    : path_(folder), made_here_(make(folder)), folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (folder_.get() < 0) refuse_taken(folder);
  require_empty(folder);
  claim(folder_.get(), folder);
  require_empty(folder);  // and it was not filled before the claim
  make_private(folder_.get(), folder);
}

void ClaimedFolder::abandon() noexcept {
  std::error_code ignored;
  for (fs::directory_iterator file(path_, ignored), end; !ignored && file != end; file.increment(ignored))
    fs::remove_all(file->path(), ignored);
  if (made_here_) ::rmdir(path_.c_str());
}

}  // namespace openbook::provenance
