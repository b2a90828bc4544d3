// Measures how fast a session reads a prompt and writes after it, how near that is to what memory allows, and what observing
// costs.
//
// One decoded token reads every weight once, so bytes_read_per_token / read bandwidth is the time below which no decoder gets at
// a batch of one. The bandwidth is measured in the same call, on the same device and threads.
//
//   DecodeBenchmark result = run_decode_benchmark(decoder, {.threads = 2});
//   result.share_of_memory_floor();  // 0..1
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "openbook/base/cancellation.h"
#include "openbook/engine/session.h"

namespace openbook::engine {

struct DecodeBenchmarkOptions {
  int64_t prompt_tokens = 512;
  int64_t decode_tokens = 128;  // greedy, after the prompt
  int repeats = 3;              // the fastest counts: other programs only ever slow one down
  int threads = 0;              // of libtorch, on the CPU; 0: as many as it uses already
  // Decodes a second time, taking turns token by token with the first, while these heads are tapped over the whole prompt.
  std::vector<HeadId> tapped;
  // Called then with each chosen token before it is run; may be empty.
  std::function<void(const Session& session, TokenId token)> observe;
};

struct DecodeBenchmark {
  int threads = 0;
  double prefill_seconds = 0;          // of the whole prompt; the fastest repeat
  double decode_seconds = 0;           // of all decoded tokens, each at its fastest repeat
  double observed_decode_seconds = 0;  // the same with taps and observer; 0 when no heads were tapped
  double prefill_tokens_per_second = 0;
  double decode_tokens_per_second = 0;
  double bytes_read_per_token = 0;   // weights
  double read_bytes_per_second = 0;  // the device's memory, measured

  double memory_floor_tokens_per_second() const { return read_bytes_per_second / bytes_read_per_token; }
  double share_of_memory_floor() const { return decode_tokens_per_second / memory_floor_tokens_per_second(); }
  double observation_cost() const { return observed_decode_seconds / decode_seconds - 1; }  // 0.05: a token takes 5 % longer
};

// Takes seconds. Sets libtorch's threads for the whole process while it runs. Throws invalid_argument for counts below 1,
// out_of_range for more tokens than the model has positions, cancelled.
DecodeBenchmark run_decode_benchmark(const Decoder& decoder, const DecodeBenchmarkOptions& options = {},
                                     const Cancellation* cancellation = nullptr);

}  // namespace openbook::engine
