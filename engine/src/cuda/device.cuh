// What the kernels share: words of several numbers, and sums of a warp.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace openbook::engine::cuda {

constexpr int kWarp = 32;

// kWidth numbers that lie side by side, read as one word.
template <typename Element, int kWidth>
struct alignas(sizeof(Element) * kWidth) Pack {
  Element at[kWidth];
};

template <int kWidth, typename Element>
__device__ Pack<Element, kWidth> pack_at(const Element* from) {
  return *reinterpret_cast<const Pack<Element, kWidth>*>(from);
}

template <typename Element>
constexpr int kWidest = 16 / static_cast<int>(sizeof(Element));

// Whether rows of so many numbers from `pointer` on, which may be null, can be read in the widest words.
template <typename Element>
bool packs(int64_t columns, const Element* pointer) {
  return columns % kWidest<Element> == 0 && reinterpret_cast<uintptr_t>(pointer) % 16 == 0;
}

__device__ inline float warp_sum(float value) {
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffff, value, step);
  return value;
}

__device__ inline float warp_max(float value) {
  for (int step = kWarp / 2; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffff, value, step));
  return value;
}

__device__ inline float silu(float x) { return x / (1 + expf(-x)); }

inline unsigned blocks_of(int64_t count, int64_t size) { return static_cast<unsigned>((count + size - 1) / size); }

}  // namespace openbook::engine::cuda
