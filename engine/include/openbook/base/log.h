// Logging, on stderr. spdlog stands behind it in one source file, because its fmt and torch's do not go together.
//
//   log_info("ingested " + path);
#pragma once

#include <string>
#include <string_view>

namespace openbook {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

void set_log_level(LogLevel level);  // thread-safe; the default is kWarning
void log_debug(std::string_view message);
void log_info(std::string_view message);
void log_warning(std::string_view message);
void log_error(std::string_view message);

}  // namespace openbook
