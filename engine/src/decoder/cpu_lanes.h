// Sixteen floats at a time, on whatever registers the processor has, for the kernels in cpu_kernels.h.
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <cstring>

// One source, three processors: GCC compiles a function marked so once for each and binds the right one at start.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define OPENBOOK_FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define OPENBOOK_FOR_EACH_PROCESSOR
#endif
#define OPENBOOK_INLINE inline __attribute__((always_inline))

namespace openbook::engine::cpu {

constexpr int64_t kLanes = 16;
typedef float Floats __attribute__((vector_size(64)));  // 16 floats: one AVX-512 register, two of AVX2, four of SSE
typedef uint32_t Words __attribute__((vector_size(64)));
typedef uint16_t Halves __attribute__((vector_size(32)));

// Below this a thread's start costs more than its work (bytes of weights).
constexpr int64_t kBytesPerThread = 64 << 10;

OPENBOOK_INLINE void load(const float* from, Floats& to) { std::memcpy(&to, from, sizeof to); }

// bfloat16 is the upper half of a float.
OPENBOOK_INLINE void load(const at::BFloat16* from, Floats& to) {
  Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  const Words words = __builtin_convertvector(halves, Words) << 16;
  std::memcpy(&to, &words, sizeof to);
}

OPENBOOK_INLINE float sum(const Floats& lanes) {
  typedef int32_t Indices __attribute__((vector_size(64)));
  Floats x = lanes;
  x += __builtin_shuffle(x, Indices{8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7});
  x += __builtin_shuffle(x, Indices{4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11});
  x += __builtin_shuffle(x, Indices{2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13});
  return x[0] + x[1];
}

// e^x to about 2 ulp for x <= 88: 2^n times a polynomial in the rest, |rest| <= ln 2 / 2 (coefficients: Taylor's, economised;
// Cephes expf).
OPENBOOK_INLINE void exponential(Floats& x) {
  const Floats kSmallest = {};
  const Floats low = kSmallest - 87.0f;
  x = x < low ? low : x;
  const Floats kRound = kSmallest + 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const Floats shifted = x * 1.44269504f + kRound;
  const Floats n = shifted - kRound;
  const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats p = kSmallest + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  Words power;
  std::memcpy(&power, &shifted, sizeof power);
  power = (power + 127) << 23;  // the bits above n's fall out
  Floats scale;
  std::memcpy(&scale, &power, sizeof scale);
  x = p * scale;
}

OPENBOOK_INLINE void store(const Floats& from, float* to) { std::memcpy(to, &from, sizeof from); }

// Rounded to nearest, ties to even; NaN stays NaN.
OPENBOOK_INLINE void store(const Floats& from, at::BFloat16* to) {
  Words words;
  std::memcpy(&words, &from, sizeof words);
  const Words rounded = (words + 0x7FFF + ((words >> 16) & 1)) >> 16;
  const Halves halves = __builtin_convertvector(from == from ? rounded : (Words{} + 0x7FC0), Halves);
  std::memcpy(to, &halves, sizeof halves);
}

}  // namespace openbook::engine::cpu
