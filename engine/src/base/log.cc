#include "openbook/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "openbook/base/utf8.h"

namespace openbook {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    const char* no_colour = std::getenv("NO_COLOR");
    const auto mode = no_colour && *no_colour ? spdlog::color_mode::never : spdlog::color_mode::automatic;
    auto made = std::make_shared<spdlog::logger>("openbook", std::make_shared<spdlog::sinks::stderr_color_sink_mt>(mode));
    made->set_pattern("openbook: %^%l%$: %v");
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::warn;
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(to_spdlog(level)); }
// Messages name files and documents, whose names somebody else chose.
void log_debug(std::string_view message) { logger().debug("{}", escape_line(message)); }
void log_info(std::string_view message) { logger().info("{}", escape_line(message)); }
void log_warning(std::string_view message) { logger().warn("{}", escape_line(message)); }
void log_error(std::string_view message) { logger().error("{}", escape_line(message)); }

}  // namespace openbook
