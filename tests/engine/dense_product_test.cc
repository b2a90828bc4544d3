#include "openbook/engine/dense_product.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <ucontext.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace openbook::engine {
namespace {

uintptr_t stack_begin, stack_end;
pthread_t caller;
std::atomic<int> handled, elsewhere;

// On a stack of its own, so that a failure is counted instead of writing over the heap.
void on_alarm(int, siginfo_t*, void* context) {
#if defined(__x86_64__)
  const auto stack = static_cast<uintptr_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]);
#else
  const uintptr_t stack = stack_begin;
#endif
  ++handled;
  if (!pthread_equal(::pthread_self(), caller) || stack < stack_begin || stack > stack_end) ++elsewhere;
}

// oneDNN's kernels use the stack pointer for an address on the heap; whoever embeds a model has signals of their own.
TEST(DenseProduct, ASignalNeverFindsTheStackPointerElsewhere) {
  caller = ::pthread_self();
  pthread_attr_t attributes;
  void* lowest = nullptr;
  size_t size = 0;
  ASSERT_EQ(::pthread_getattr_np(caller, &attributes), 0);
  ::pthread_attr_getstack(&attributes, &lowest, &size);
  ::pthread_attr_destroy(&attributes);
  stack_begin = reinterpret_cast<uintptr_t>(lowest);
  stack_end = stack_begin + size;
  std::vector<char> own(1 << 16);
  const stack_t alternative{own.data(), 0, own.size()};
  stack_t before_stack;
  ::sigaltstack(&alternative, &before_stack);
  struct sigaction action {
  }, before;
  action.sa_sigaction = on_alarm;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  ::sigaction(SIGALRM, &action, &before);
  // Before the first product its threads may still take a signal, on their own stacks.
  const at::Tensor x = at::ones({100, 576}), weight = at::ones({1536, 576}), turned = at::ones({576, 1536}).t();
  dense_product(x, weight);

  const itimerval often{{0, 200}, {0, 200}}, never{};
  ::setitimer(ITIMER_REAL, &often, nullptr);

  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(300))
    dense_product(x, weight), dense_product(x, turned);

  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  ::sigaltstack(&before_stack, nullptr);
  EXPECT_GT(handled, 0);
  EXPECT_EQ(elsewhere, 0) << "of " << handled;
}

}  // namespace
}  // namespace openbook::engine
