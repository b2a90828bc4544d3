#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <span>

#include "decoder/cpu_kernels.h"
#include "decoder/weight_arena.h"
#include "openbook/base/error.h"
#include "openbook/engine/benchmark.h"

namespace openbook::engine {
namespace {

constexpr int64_t kBandwidthBytes = 512 << 20;  // far past any cache
constexpr int64_t kStepsPerReading = 16;        // so that both see the same neighbours on the machine
constexpr double kNever = std::numeric_limits<double>::infinity();

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

// How fast memory can be read, from huge pages as the weights are: the fastest of all measurements.
class ReadBandwidth {
 public:
  explicit ReadBandwidth(at::Device device)
      : arena_(kBandwidthBytes / 4, 1, at::kFloat, device), memory_(arena_.take({kBandwidthBytes / 4}).fill_(1)) {}

  void measure() {
    const double start = seconds_now();
    keep_ = memory_.is_cpu() ? cpu::read_all(memory_.const_data_ptr<float>(), memory_.numel()) : memory_.sum().item<float>();
    fastest_ = std::min(fastest_, seconds_now() - start);
  }
  double bytes_per_second() const { return static_cast<double>(kBandwidthBytes) / fastest_; }

 private:
  WeightArena arena_;
  at::Tensor memory_;
  double fastest_ = kNever;
  volatile float keep_ = 0;  // so that the reading is not optimised away
};

// A session that decodes after the prompt, and the fastest time of every step.
class Lane {
 public:
  using Observer = std::function<void(const Session&, TokenId)>;

  Lane(const Decoder& decoder, const DecodeBenchmarkOptions& options, std::vector<HeadId> tapped, Observer observe)
      : session_(decoder, options.prompt_tokens + options.decode_tokens, std::move(tapped), {0, options.prompt_tokens}),
        sampler_(SamplerOptions{}),
        observe_(std::move(observe)),
        step_seconds_(options.decode_tokens, kNever) {}

  // Stands behind the prompt afterwards; all of it is run when `whole`, else what is kept from before is used. Returns the time
  // it took.
  double read(std::span<const TokenId> prompt, bool whole, const Cancellation* cancellation) {
    const auto last = static_cast<int64_t>(prompt.size()) - 1;
    session_.rewind(whole ? 0 : std::min(session_.position(), last));
    const double start = seconds_now();
    session_.append(prompt.subspan(session_.position()), cancellation);
    wait_for(session_);
    return seconds_now() - start;
  }

  void decode(int64_t step, bool counted, const Cancellation* cancellation) {
    const double start = seconds_now();
    const TokenId token = session_.choose(sampler_);
    if (observe_) observe_(session_, token);
    session_.append({&token, 1}, cancellation);
    wait_for(session_);
    if (counted) step_seconds_[step] = std::min(step_seconds_[step], seconds_now() - start);
  }

  double decode_seconds() const { return std::accumulate(step_seconds_.begin(), step_seconds_.end(), 0.0); }

 private:
  // Reading a logit waits for the device, as choosing the next token does.
  static void wait_for(const Session& session) {
    if (session.logits().is_cuda()) session.logits()[0].item<float>();
  }

  Session session_;
  Sampler sampler_;
  Observer observe_;
  std::vector<double> step_seconds_;
};

std::vector<TokenId> random_prompt(const DecodeBenchmarkOptions& options, const ModelConfig& config) {
  std::mt19937 random(1);
  std::vector<TokenId> prompt(options.prompt_tokens);
  for (TokenId& id : prompt) id = static_cast<TokenId>(random() % config.vocabulary);
  return prompt;
}

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
  const std::vector<TokenId> prompt = random_prompt(options, model.config());
  Lane plain(decoder, options, {}, {});
  std::optional<Lane> observed;
  if (!options.tapped.empty()) observed.emplace(decoder, options, options.tapped, options.observe);
  ReadBandwidth bandwidth(model.device());

  DecodeBenchmark result{.threads = at::get_num_threads(), .prefill_seconds = kNever};
  // One run more than counted: the first one also pages the weights in.
  for (int repeat = 0; repeat <= options.repeats; ++repeat) {
    const double prefill = plain.read(prompt, true, cancellation);
    if (repeat > 0) result.prefill_seconds = std::min(result.prefill_seconds, prefill);
    if (observed) observed->read(prompt, false, cancellation);
    for (int64_t step = 0; step < options.decode_tokens; ++step) {
      plain.decode(step, repeat > 0, cancellation);
      if (observed) observed->decode(step, repeat > 0, cancellation);
      if (step % kStepsPerReading == 0) bandwidth.measure();
    }
  }
  result.decode_seconds = plain.decode_seconds();
  if (observed) result.observed_decode_seconds = observed->decode_seconds();
  result.prefill_tokens_per_second = static_cast<double>(options.prompt_tokens) / result.prefill_seconds;
  result.decode_tokens_per_second = static_cast<double>(options.decode_tokens) / result.decode_seconds;
  result.bytes_read_per_token = static_cast<double>(model.bytes_read_per_token());
  result.read_bytes_per_second = bandwidth.bytes_per_second();
  return result;
}

}  // namespace openbook::engine
