#include "weights/mapped_file.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "openbook/base/error.h"
#include "openbook/base/file.h"

namespace openbook::engine {
namespace {

[[noreturn]] void throw_errno(const std::filesystem::path& path, const char* doing, int error) {
  throw Error(error == ENOMEM ? Code::kResourceExhausted : Code::kUnavailable,
              path.string() + ": " + doing + ": " + std::strerror(error));
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  std::shared_ptr<MappedFile> mapped(new MappedFile(path));
  const Descriptor file = open_regular_file(path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_errno(path, "can't read its size", errno);
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
