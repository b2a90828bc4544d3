// Speed of the text functions of base: text_bench FILE...
//
// Repeats each file's text to a megabyte and prints the best of five runs in MB/s. The last two figures are of short texts, as an
// answer is read while it grows: microseconds a call.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "openbook/base/sentences.h"
#include "openbook/base/words.h"

namespace {

constexpr size_t kMegabyte = 1 << 20;
constexpr int kRuns = 5;

double best_seconds(const std::function<size_t()>& work) {
  double best = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    if (work() == 0) std::puts("found nothing");
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

void measure(const char* path) {
  std::ifstream file(path);
  std::stringstream read;
  read << file.rdbuf();
  const std::string once = read.str();
  if (once.empty()) return std::printf("%s: empty or not there\n", path), void();
  std::string text;
  while (text.size() < kMegabyte) text += once + "\n";
  const double megabytes = static_cast<double>(text.size()) / 1e6;
  std::printf("%s\n", path);
  const auto print = [&](const char* what, const std::function<size_t()>& work) {
    std::printf("  %-16s %8.1f MB/s\n", what, megabytes / best_seconds(work));
  };
  print("split_sentences", [&] { return openbook::split_sentences(text).size(); });
  print("split_words", [&] { return openbook::split_words(text).size(); });
  print("folded_words", [&] { return openbook::folded_words(text).size(); });
  print("find_words", [&] { return 1 + openbook::find_words(text, "never said, 12,500 times").size(); });

  const std::string answer = "The council met on 9 May 2001 in the hall of Dr. Vane and counted approx. 12,500 visitors a year";
  constexpr int kCalls = 1000;
  const auto print_call = [&](const char* what, const std::function<size_t()>& work) {
    const double seconds = best_seconds([&] {
      size_t found = 0;
      for (int call = 0; call < kCalls; ++call) found += work();
      return found;
    });
    std::printf("  %-16s %8.2f us an answer of %zu bytes\n", what, seconds / kCalls * 1e6, answer.size());
  };
  print_call("split_sentences", [&] { return openbook::split_sentences(answer).size(); });
  print_call("find_words", [&] { return openbook::find_words(answer, "12,500 visitors").size(); });
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: text_bench FILE...\n");
    return 2;
  }
  for (int i = 1; i < count; ++i) measure(arguments[i]);
  return 0;
}
