#include "openbook/engine/dense_product.h"

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <signal.h>

#include <optional>
#include <string_view>

namespace openbook::engine {
namespace {

using OneDnnLinear = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view,
                                c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);

// ATen has no C++ name for this operator; nothing when libtorch was built without oneDNN.
const std::optional<c10::TypedOperatorHandle<OneDnnLinear>>& one_dnn_linear() {
  static const auto found = []() -> std::optional<c10::TypedOperatorHandle<OneDnnLinear>> {
    const auto handle = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    if (!handle || !at::hasMKLDNN()) return std::nullopt;
    return handle->typed<OneDnnLinear>();
  }();
  return found;
}

// Signals of the calling thread wait until destruction, those of the threads that work for it for good.
//
// oneDNN's float32 kernels use the stack pointer for an address on the heap (uxlfoundation/oneDNN#4845, there in the version that
// libtorch 2.11 holds): a signal handler that runs then, Ctrl-C's or a profiler's, writes its frame over whatever lies below.
class SignalsWait {
 public:
  SignalsWait() {
    block(&before_);
    thread_local int threads_blocked = 1;
    const int threads = at::get_num_threads();
    if (threads <= threads_blocked || at::in_parallel_region()) return;
    at::parallel_for(0, threads, 1, [](int64_t, int64_t) {
      if (at::get_thread_num() != 0) block(nullptr);
    });
    threads_blocked = threads;
  }
  ~SignalsWait() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

 private:
  static void block(sigset_t* before) {
    sigset_t all;
    ::sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) ::sigdelset(&all, fault);
    ::pthread_sigmask(SIG_BLOCK, &all, before);
  }

  sigset_t before_;
};

}  // namespace

at::Tensor dense_product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (x.is_cpu() && x.scalar_type() == at::kFloat && one_dnn_linear()) {
    const SignalsWait wait;
    return one_dnn_linear()->call(x.contiguous(), weight, bias.defined() ? std::optional(bias) : std::nullopt, "none",
                                  c10::List<std::optional<at::Scalar>>(), "");
  }
  return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

}  // namespace openbook::engine
