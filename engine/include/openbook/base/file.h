// Files that are either whole or not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "openbook/base/descriptor.h"

namespace openbook {

// Whether something has this name. What can't be looked at counts as there: opening it says what is wrong.
bool is_there(const std::filesystem::path& path);

// Opens a file for reading, without waiting for anybody. Throws not_found, invalid_argument when it is a folder, a pipe, a socket
// or a device (reading could wait forever, or never end), failed_precondition when this user may not, unavailable.
Descriptor open_regular_file(const std::filesystem::path& path);

// The whole file. Throws what open_regular_file throws, and out_of_range when it is larger than `max_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 30);

// Writes beside `path`, fsyncs, renames over it and fsyncs the folder: after a crash the file is the old or the new one.
// Throws resource_exhausted when the disk is full; then the old file is untouched.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

}  // namespace openbook
