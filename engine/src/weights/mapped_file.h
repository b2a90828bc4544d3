// A file mapped read-only into memory for as long as somebody holds it.
//
// The size is taken once, when it is opened; whoever cuts the file short later breaks the reader (SIGBUS), as with any mapping.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace openbook::engine {

class MappedFile {
 public:
  // Throws not_found, invalid_argument (a folder or device), failed_precondition (no permission), unavailable.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {static_cast<const char*>(address_), size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit MappedFile(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  void* address_ = nullptr;
  size_t size_ = 0;
};

}  // namespace openbook::engine
