// What the command line shows: colour where a terminal wants it, text that can't steer the terminal, JSON, and a progress bar.
//
// stdout is the product, stderr everything else. Colour is off when stdout is no terminal, when NO_COLOR is set and not empty,
// and for TERM=dumb. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace openbook::cli {

enum class Style { kCopied, kRecited, kUnchecked, kGood, kBad, kStrong, kFaint };

// `text`, which is shown as it is, in a style; unchanged without colour. Escape what comes from documents, models and files
// first.
std::string paint(Style style, std::string_view text);
bool shows_colour();  // on stdout

// A body of text, which may span lines: control characters and direction overrides made visible, every line after the first
// indented by `indent`. What stands in one line, such as a name or a quote, goes through escape_line (openbook/base/utf8.h).
std::string shown(std::string_view text, size_t indent = 0);

// Prints to stdout. Throws resource_exhausted or unavailable when stdout takes no more.
void print(std::string_view text);
// Pretty, with a newline. What isn't UTF-8 becomes U+FFFD; on a terminal everything beyond ASCII is written as \uXXXX.
void print_json(const nlohmann::ordered_json& json);

std::string plural(uint64_t count, std::string_view noun);  // "1 document", "12 documents"
std::string size_text(uint64_t bytes);                      // "12.3 MiB"
std::string time_text(int64_t ms_since_1970);               // "2025-01-31T12:00:00.123Z"

// One line on stderr, redrawn at most ten times a second; nothing at all when stderr is no terminal. Wipes its line when it goes.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(std::string_view stage, int64_t done, int64_t total);
  void clear();  // before something else is written to the terminal

 private:
  using Clock = std::chrono::steady_clock;
  bool visible_;
  bool drawn_ = false;
  std::string stage_;
  Clock::time_point stage_began_, last_drawn_;
};

}  // namespace openbook::cli
