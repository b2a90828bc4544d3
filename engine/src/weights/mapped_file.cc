#include "weights/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "openbook/base/descriptor.h"
#include "openbook/base/error.h"

namespace openbook::engine {
namespace {

Code code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    case EACCES:
    case EPERM:
      return Code::kFailedPrecondition;
    case ENOMEM:
      return Code::kResourceExhausted;
    default:
      return Code::kUnavailable;
  }
}

[[noreturn]] void throw_errno(const std::filesystem::path& path, const char* doing, int error) {
  throw Error(code_of(error), path.string() + ": " + doing + ": " + std::strerror(error));
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  std::shared_ptr<MappedFile> mapped(new MappedFile(path));
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) throw_errno(path, "can't open", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_errno(path, "can't read its size", errno);
  if (!S_ISREG(status.st_mode)) throw Error(Code::kInvalidArgument, path.string() + ": is not a regular file");
  if (status.st_size == 0) return mapped;
  void* address = ::mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) throw_errno(path, "can't map into memory", errno);
  mapped->address_ = address;
  mapped->size_ = static_cast<size_t>(status.st_size);
  return mapped;
}

MappedFile::~MappedFile() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

}  // namespace openbook::engine
