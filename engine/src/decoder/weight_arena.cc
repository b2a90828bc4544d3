#include "decoder/weight_arena.h"

#include <c10/util/accumulate.h>
#include <sys/mman.h>

#include <cstdint>

namespace openbook::engine {
namespace {

constexpr int64_t kLineElements = 32;  // a cache line of bfloat16, two of float32
constexpr uintptr_t kHugePage = 2 << 20;

int64_t whole_lines(int64_t elements) { return (elements + kLineElements - 1) / kLineElements * kLineElements; }

}  // namespace

WeightArena::WeightArena(int64_t elements, int64_t blocks, at::ScalarType dtype, at::Device device) {
  const auto element_bytes = static_cast<int64_t>(c10::elementSize(dtype));
  const int64_t slack = device.is_cpu() ? static_cast<int64_t>(kHugePage) / element_bytes : 0;
  const int64_t wanted = elements + blocks * kLineElements;
  memory_ = at::empty({wanted + slack}, at::TensorOptions(dtype).device(device));
  if (!device.is_cpu()) return;
  const auto start = reinterpret_cast<uintptr_t>(memory_.mutable_data_ptr());
  const uintptr_t aligned = (start + kHugePage - 1) / kHugePage * kHugePage;
  memory_ = memory_.narrow(0, static_cast<int64_t>(aligned - start) / element_bytes, wanted);
  // Advice before the first touch; where the kernel doesn't take it, pages stay small.
  ::madvise(reinterpret_cast<void*>(aligned), static_cast<size_t>(wanted * element_bytes), MADV_HUGEPAGE);
}

at::Tensor WeightArena::take(const std::vector<int64_t>& shape) {
  const int64_t elements = c10::multiply_integers(shape);
  const at::Tensor block = memory_.narrow(0, used_, elements).view(shape);
  used_ += whole_lines(elements);
  return block;
}

}  // namespace openbook::engine
