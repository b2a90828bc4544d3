#include "openbook/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "openbook/base/error.h"

namespace openbook {
namespace {

[[noreturn]] void throw_errno(const std::filesystem::path& path, const char* doing, int error) {
  const std::string message = path.string() + ": " + doing + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      throw Error(Code::kNotFound, message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      throw Error(Code::kResourceExhausted, message, "Free some disk space and run it again; nothing was changed.");
    case EACCES:
    case EPERM:
      throw Error(Code::kFailedPrecondition, message, "Check who owns it and its mode.");
    default:
      throw Error(Code::kUnavailable, message);
  }
}

[[noreturn]] void refuse_kind(const std::filesystem::path& path, const char* kind) {
  throw Error(Code::kInvalidArgument, path.string() + ": is " + kind + ", not a file", "Name a regular file.");
}

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_errno(path, "can't write", errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) throw_errno(folder, "can't sync the folder", errno);
}

}  // namespace

bool is_there(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

Descriptor open_regular_file(const std::filesystem::path& path) {
  // A pipe is opened without waiting for its writer, and a terminal doesn't become the program's.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0 && errno == ENXIO) refuse_kind(path, "a socket or a device");
  if (file.get() < 0) throw_errno(path, "can't open", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_errno(path, "can't look at it", errno);
  if (S_ISDIR(status.st_mode)) refuse_kind(path, "a folder");
  if (S_ISFIFO(status.st_mode)) refuse_kind(path, "a pipe");
  if (!S_ISREG(status.st_mode)) refuse_kind(path, "a device");
  return file;
}

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  const Descriptor file = open_regular_file(path);
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(path, "can't read", errno);
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(got));
    if (bytes.size() > max_bytes)
      throw Error(Code::kOutOfRange, path.string() + ": larger than the limit of " + std::to_string(max_bytes) + " bytes");
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::string temporary = path.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) throw_errno(temporary, "can't create", errno);
  try {
    write_all(file.get(), bytes, temporary);
    if (::fchmod(file.get(), 0644) != 0 || ::fsync(file.get()) != 0) throw_errno(temporary, "can't sync", errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw_errno(path, "can't replace", errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(folder);
}

}  // namespace openbook
