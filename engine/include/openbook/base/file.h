// Files that are either whole or not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace openbook {

// The whole file. Throws not_found, out_of_range when it is larger than `max_bytes`, unavailable when it can't be read.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 30);

// Writes beside `path`, fsyncs, renames over it and fsyncs the folder: after a crash the file is the old or the new one.
// Throws resource_exhausted when the disk is full; then the old file is untouched.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace openbook
