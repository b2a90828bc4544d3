// Time of one token's evidence: evidence_bench MODEL_FOLDER [HEADS] [THREADS] [DTYPE]
//
// Prints microseconds (median) with the weights in the cache, and after other memory went through it, as between two decoded
// tokens.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "openbook/attribution/evidence.h"

namespace {

using namespace openbook;

double median_microseconds(const attribution::EvidenceReader& reader, const engine::HeadTaps& taps, const at::Tensor& evicting) {
  std::vector<double> times;
  for (int run = 0; run < 201; ++run) {
    if (evicting.defined()) evicting.add_(1);
    const auto start = std::chrono::steady_clock::now();
    reader.read(taps, 260);
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: evidence_bench MODEL_FOLDER [HEADS] [THREADS] [DTYPE]\n");
    return 2;
  }
  at::set_num_threads(count > 3 ? std::atoi(arguments[3]) : 2);
  const auto model = engine::Model::load(arguments[1], {.dtype = count > 4 ? arguments[4] : "float32"});
  const int heads_wanted = count > 2 ? std::atoi(arguments[2]) : 30;
  std::vector<engine::HeadId> heads;
  for (int i = 0; i < heads_wanted; ++i)
    heads.push_back({int32_t(i % model->config().layers), int32_t(i / model->config().layers)});
  const engine::HeadTaps taps(*model, heads, {0, 1});
  const attribution::EvidenceReader reader(model, heads);
  const double warm = median_microseconds(reader, taps, {}), cold = median_microseconds(reader, taps, at::zeros({16 << 20}));
  std::printf("evidence: %d heads, %.0f us warm, %.0f us cold\n", heads_wanted, warm, cold);
  return 0;
}
