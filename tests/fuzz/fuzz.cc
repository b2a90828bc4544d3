#include "fuzz.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "openbook/base/error.h"
#include "openbook/base/log.h"
#include "openbook/base/temporary_folder.h"
#include "openbook/base/utf8.h"

namespace openbook::fuzz {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void require_in_order(std::string_view valid_utf8, const std::vector<ByteSpan>& spans) {
  const auto on_border = [&](int64_t at) {
    return at == static_cast<int64_t>(valid_utf8.size()) || (static_cast<uint8_t>(valid_utf8[at]) & 0xC0) != 0x80;
  };
  int64_t end = 0;
  for (const ByteSpan span : spans) {
    require(span.begin >= end && span.end > span.begin && span.end <= static_cast<int64_t>(valid_utf8.size()),
            "spans ascend, hold something and lie in the text");
    require(on_border(span.begin) && on_border(span.end), "spans cut no code point");
    end = span.end;
  }
}

std::vector<std::string_view> pieces(std::string_view input, size_t count) {
  std::vector<std::string_view> found;
  while (found.size() + 1 < count) {
    const size_t end = std::min(input.find('\x1E'), input.size());
    found.push_back(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  found.push_back(input);
  return found;
}

std::filesystem::path folder() {
  static const TemporaryFolder owned;
  return owned.path();
}

std::filesystem::path file(const std::string& name, std::string_view bytes) {
  const std::filesystem::path path = folder() / name;
  if (bytes.empty()) {
    std::filesystem::remove(path);
  } else {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  return path;
}

}  // namespace openbook::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  openbook::set_log_level(openbook::LogLevel::kOff);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  try {
    openbook::fuzz::run({reinterpret_cast<const char*>(bytes), size});
  } catch (const openbook::Error& error) {
    if (error.code() == openbook::Code::kInternal) throw;
  }
  return 0;
}
