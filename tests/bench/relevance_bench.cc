// Time and memory of AttnLRP relevance for prompts of one length: relevance_bench MODEL_FOLDER [TOKENS] [THREADS] [DEVICE]
// [PROMPTS]
//
// Prints seconds (median of the runs), the process's CPU seconds, which other work on the machine disturbs less, and the peak of
// resident memory above what the loaded model takes. relevance_baseline.py prints the same for a plain forward and backward pass
// in transformers.
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

#include "openbook/attribution/relevance.h"

namespace {

using namespace openbook;

// Resident memory in MiB: "VmRSS" now, "VmHWM" at its peak.
double resident_mib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field)) return std::strtod(line.c_str() + field.size() + 1, nullptr) / 1024;
  return 0;
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: relevance_bench MODEL_FOLDER [TOKENS] [THREADS] [DEVICE] [PROMPTS]\n");
    return 2;
  }
  const int tokens = count > 2 ? std::atoi(arguments[2]) : 512;
  at::set_num_threads(count > 3 ? std::atoi(arguments[3]) : 2);
  const auto model = engine::Model::load(arguments[1], {.device = count > 4 ? arguments[4] : "cpu"});
  attribution::RelevanceRequest request;
  for (int i = 0; i < tokens; ++i) request.tokens.push_back(100 + (i * 7919) % 40000);
  request.target = 260;

  const std::vector<attribution::RelevanceRequest> requests(count > 5 ? std::atoi(arguments[5]) : 1, request);
  const attribution::Relevance relevance(model);
  attribution::RelevanceRequest short_request = request;
  short_request.tokens.resize(8);
  relevance.of({short_request});  // reads every weight, so that the pass alone is measured below
  const double before = resident_mib("VmRSS");
  forget_peak();
  std::vector<double> seconds, cpu_seconds;
  for (int run = 0; run < (tokens > 2048 ? 1 : 7); ++run) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    relevance.of(requests);
    cpu_seconds.push_back(double(std::clock() - cpu_start) / CLOCKS_PER_SEC);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  std::sort(cpu_seconds.begin(), cpu_seconds.end());
  std::printf("relevance: %zu x %d tokens, %.3f s (fastest %.3f), %.3f CPU s (fewest %.3f), %.0f MiB above the model\n",
              requests.size(), tokens, seconds[seconds.size() / 2], seconds.front(), cpu_seconds[cpu_seconds.size() / 2],
              cpu_seconds.front(), resident_mib("VmHWM") - before);
  return 0;
}
