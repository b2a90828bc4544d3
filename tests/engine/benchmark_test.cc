#include "openbook/engine/benchmark.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <thread>

#include "base/test_support.h"
#include "engine/tiny_llama.h"

namespace openbook::engine {
namespace {

TEST(DecodeBenchmark, MeasuresAndPutsThreadsBack) {
  const Decoder decoder(test::load_tiny("plain"));
  const int before = at::get_num_threads();
  const DecodeBenchmark result =
      run_decode_benchmark(decoder, {.prompt_tokens = 20, .decode_tokens = 5, .repeats = 1, .threads = 1});
  EXPECT_EQ(result.threads, 1);
  EXPECT_EQ(at::get_num_threads(), before);
  EXPECT_NEAR(result.decode_tokens_per_second * result.decode_seconds, 5, 1e-6);
  EXPECT_NEAR(result.prefill_tokens_per_second * result.prefill_seconds, 20, 1e-6);
  // 276 x 32 unembedding, norms, and per layer qkv, out, gate over up, down; 4 bytes each.
  EXPECT_EQ(result.bytes_read_per_token, 4 * (276 * 32 + 32 + 2 * (2 * 32 + 64 * 32 + 32 * 32 + 96 * 32 + 48 * 32)));
  EXPECT_GT(result.read_bytes_per_second, 1e8);
  EXPECT_GT(result.share_of_memory_floor(), 0);
  EXPECT_EQ(result.observed_decode_seconds, 0);
}

TEST(DecodeBenchmark, WhatAnObserverTakesIsItsCost) {
  const Decoder decoder(test::load_tiny("plain"));
  std::vector<TokenId> seen;
  const DecodeBenchmark result =
      run_decode_benchmark(decoder, {.prompt_tokens = 20,
                                     .decode_tokens = 5,
                                     .repeats = 2,
                                     .tapped = {{0, 1}},
                                     .observe = [&](const Session& session, TokenId token) {
                                       EXPECT_EQ(session.position(), 20 + static_cast<int64_t>(seen.size() % 5));
                                       EXPECT_EQ(session.taps()->pattern().sizes(), at::IntArrayRef({1, 20}));
                                       EXPECT_GT(session.taps()->pattern().sum().item<float>(), 0);
                                       seen.push_back(token);
                                       std::this_thread::sleep_for(std::chrono::milliseconds(20));
                                     }});
  ASSERT_EQ(seen.size(), 15u);  // two repeats and the one that warms up
  EXPECT_TRUE(std::equal(seen.begin(), seen.begin() + 5, seen.begin() + 10));
  EXPECT_GE(result.observed_decode_seconds, 5 * 0.02);
  EXPECT_NEAR(result.observation_cost(), result.observed_decode_seconds / result.decode_seconds - 1, 1e-12);
  EXPECT_GT(result.observation_cost(), 1);  // the tiny model takes far less than what the observer sleeps
}

TEST(DecodeBenchmark, WrongCountsAreRefused) {
  const Decoder decoder(test::load_tiny("plain"));
  EXPECT_ERROR(run_decode_benchmark(decoder, {.prompt_tokens = 0}), Code::kInvalidArgument, "at least one prompt token");
  EXPECT_ERROR(run_decode_benchmark(decoder, {.prompt_tokens = 500, .decode_tokens = 13}), Code::kOutOfRange,
               "the model has 512");
  Cancellation cancellation;
  cancellation.cancel();
  EXPECT_ERROR(run_decode_benchmark(decoder, {.prompt_tokens = 5, .decode_tokens = 5}, &cancellation), Code::kCancelled,
               "stopped");
}

}  // namespace
}  // namespace openbook::engine
