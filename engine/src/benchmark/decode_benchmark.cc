#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>

#include "decoder/cpu_kernels.h"
#include "openbook/base/error.h"
#include "openbook/engine/benchmark.h"

namespace openbook::engine {
namespace {

constexpr int64_t kBandwidthBytes = 512 << 20;  // far past any cache
constexpr int kBandwidthRepeats = 5;

double seconds_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Sets libtorch's threads and puts them back.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) {
    if (count > 0) at::set_num_threads(count);
  }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

double measure_read_bandwidth(at::Device device) {
  const at::Tensor memory = at::ones({kBandwidthBytes / 4}, at::TensorOptions(at::kFloat).device(device));
  double fastest = std::numeric_limits<double>::infinity();
  volatile float keep = 0;  // so that the reading is not optimised away
  for (int i = 0; i < kBandwidthRepeats; ++i) {
    const double start = seconds_now();
    keep = device.is_cpu() ? cpu::read_all(memory.const_data_ptr<float>(), memory.numel()) : memory.sum().item<float>();
    fastest = std::min(fastest, seconds_now() - start);
  }
  static_cast<void>(keep);
  return static_cast<double>(kBandwidthBytes) / fastest;
}

// Reading the chosen id waits for the device, as a real decode does.
TokenId greedy(const at::Tensor& logits) { return static_cast<TokenId>(logits.argmax(-1).item<int64_t>()); }

void check(const DecodeBenchmarkOptions& options, const ModelConfig& config) {
  if (options.prompt_tokens < 1 || options.decode_tokens < 1 || options.repeats < 1 || options.threads < 0)
    throw Error(Code::kInvalidArgument, "a benchmark needs at least one prompt token, one decoded token and one repeat");
  if (options.prompt_tokens + options.decode_tokens > config.max_positions)
    throw Error(Code::kOutOfRange, "a benchmark of " + std::to_string(options.prompt_tokens) + " + " +
                                       std::to_string(options.decode_tokens) + " tokens; the model has " +
                                       std::to_string(config.max_positions) + " positions");
}

}  // namespace

DecodeBenchmark run_decode_benchmark(const Decoder& decoder, const DecodeBenchmarkOptions& options,
                                     const Cancellation* cancellation) {
  const Model& model = decoder.model();
  check(options, model.config());
  const Threads threads(options.threads);
  std::mt19937 random(1);
  std::vector<TokenId> prompt(options.prompt_tokens);
  for (TokenId& id : prompt) id = static_cast<TokenId>(random() % model.config().vocabulary);
  KvCache cache(model, options.prompt_tokens + options.decode_tokens);
  HeadTaps taps(model, options.tapped, {0, options.prompt_tokens});
  HeadTaps* const in_use = options.tapped.empty() ? nullptr : &taps;

  DecodeBenchmark result{.threads = at::get_num_threads(),
                         .prefill_seconds = std::numeric_limits<double>::infinity(),
                         .decode_seconds = std::numeric_limits<double>::infinity()};
  // One run more than counted: the first one also pages the weights in.
  for (int repeat = 0; repeat <= options.repeats; ++repeat) {
    cache.cut(0);
    const double start = seconds_now();
    TokenId next = greedy(decoder.step({{.tokens = prompt, .cache = &cache}}).at(0).logits);
    const double middle = seconds_now();
    for (int64_t i = 0; i < options.decode_tokens; ++i) {
      if (cancellation != nullptr) cancellation->check();
      next = greedy(decoder.step({{.tokens = {next}, .cache = &cache, .taps = in_use}}).at(0).logits);
    }
    if (repeat == 0) continue;
    result.prefill_seconds = std::min(result.prefill_seconds, middle - start);
    result.decode_seconds = std::min(result.decode_seconds, seconds_now() - middle);
  }
  result.prefill_tokens_per_second = static_cast<double>(options.prompt_tokens) / result.prefill_seconds;
  result.decode_tokens_per_second = static_cast<double>(options.decode_tokens) / result.decode_seconds;
  result.bytes_read_per_token = static_cast<double>(model.bytes_read_per_token());
  result.read_bytes_per_second = measure_read_bandwidth(model.device());
  return result;
}

}  // namespace openbook::engine
