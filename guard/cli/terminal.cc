#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>

#include "openbook/base/error.h"
#include "openbook/base/utf8.h"

namespace openbook::cli {
namespace {

bool colour_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && !(terminal && std::strcmp(terminal, "dumb") == 0);
}

const char* escape_of(Style style) {
  switch (style) {
    case Style::kCopied:
      return "\x1B[32m";
    case Style::kRecited:
      return "\x1B[31m";
    case Style::kUnchecked:
      return "\x1B[33m";
    case Style::kGood:
      return "\x1B[32m";
    case Style::kBad:
      return "\x1B[1;31m";
    case Style::kStrong:
      return "\x1B[1m";
    case Style::kFaint:
      return "\x1B[2m";
  }
  return "";
}

int columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string minutes(double seconds) {
  char text[32];
  const auto whole = static_cast<long>(seconds + 0.5);
  std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

}  // namespace

bool shows_colour() {
  static const bool colour = colour_wanted();
  return colour;
}

std::string paint(Style style, std::string_view text) {
  if (!shows_colour()) return std::string(text);
  return escape_of(style) + std::string(text) + "\x1B[0m";
}

std::string shown(std::string_view text, size_t indent) {
  const std::string safe = escape_for_terminal(text);
  std::string lines;
  for (const char byte : safe) {
    lines += byte;
    if (byte == '\n') lines.append(indent, ' ');
  }
  return lines;
}

void print(std::string_view text) {
  errno = 0;
  std::cout << text << std::flush;
  if (std::cout) return;
  throw Error(errno == ENOSPC ? Code::kResourceExhausted : Code::kUnavailable,
              std::string("can't write to stdout: ") + std::strerror(errno));
}

void print_json(const nlohmann::ordered_json& json) {
  const bool ascii_only = ::isatty(STDOUT_FILENO);  // there are code points beyond ASCII that steer a terminal
  print(json.dump(2, ' ', ascii_only, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::string plural(uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string size_text(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string time_text(int64_t ms_since_1970) {
  std::time_t seconds = ms_since_1970 / 1000;
  std::tm utc{};
  if (ms_since_1970 < 0 || !::gmtime_r(&seconds, &utc)) return std::to_string(ms_since_1970) + " ms";
  char day[32], text[48];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text, sizeof text, "%s.%03dZ", day, static_cast<int>(ms_since_1970 % 1000));
  return text;
}

ProgressBar::ProgressBar() : visible_(::isatty(STDERR_FILENO)) {}
ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::update(std::string_view stage, int64_t done, int64_t total) {
  if (!visible_) return;
  const auto now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_began_ = now;
  } else if (drawn_ && done < total && now - last_drawn_ < std::chrono::milliseconds(100)) {
    return;
  }
  last_drawn_ = now;
  const double share = total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 0;
  std::string line = escape_for_terminal(stage) + "  " + std::to_string(done) + "/" + std::to_string(total);
  const double elapsed = std::chrono::duration<double>(now - stage_began_).count();
  if (share > 0 && share < 1) line += "  " + minutes(elapsed * (1 - share) / share) + " left";
  const int width = std::min(30, columns() - static_cast<int>(line.size()) - 5);
  if (width > 4) {
    const auto filled = static_cast<size_t>(share * width);
    std::string bar(static_cast<size_t>(width), '.');
    std::fill_n(bar.begin(), filled, '#');
    line.insert(0, bar.append("  "));
  }
  std::cerr << "\r\x1B[K" << line << std::flush;
  drawn_ = true;
}

void ProgressBar::clear() {
  if (drawn_) std::cerr << "\r\x1B[K" << std::flush;
  drawn_ = false;
}

}  // namespace openbook::cli
