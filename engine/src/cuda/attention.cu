#include <cmath>

#include "cuda/device.cuh"
#include "cuda/kernels.h"

namespace openbook::engine::cuda {
namespace {

constexpr int kKeyLanes = 8;                      // threads that share a key
constexpr int kWarpKeys = 2 * kWarp / kKeyLanes;  // of a warp in a turn, two for each group of threads
constexpr int kPartWarps = 8;
constexpr int kPartPositions = kPartWarps * kWarpKeys;  // of a head, for one block
constexpr int kWidestHead = 256;
constexpr int kMostPositions = 11264;  // pattern_rows has a weight for each in a block's 48 KiB of shared memory
constexpr int kMostParts = kMostPositions / kPartPositions;
constexpr int kPatternWarps = 16;

// What a dot product of query and key becomes: scale * it + bias * chosen[position].
struct Scoring {
  float bias, scale;
  const float* chosen;  // may be null
};

// Scores of kWarpKeys positions from `first` on: a thread gets those of first + its group of kKeyLanes and of the position
// kWarpKeys / 2 behind it, -inf past `end`. All threads of a warp take part; keys past the end are read as the last one.
template <int kWidth, typename Element>
__device__ void warp_scores(const float* query, const Element* keys, const Scoring& scoring, int first, int end, int d_head,
                            float (&scores)[2]) {
  const int lane = threadIdx.x % kKeyLanes, group = threadIdx.x % kWarp / kKeyLanes;
#pragma unroll
  for (int turn = 0; turn < 2; ++turn) {
    const int position = min(first + turn * kWarpKeys / 2 + group, end - 1);
    const Element* key = keys + static_cast<int64_t>(position) * d_head;
    scores[turn] = 0;
    for (int at = lane * kWidth; at < d_head; at += kKeyLanes * kWidth) {
      const auto k = pack_at<kWidth>(key + at);
      for (int i = 0; i < kWidth; ++i) scores[turn] += query[at + i] * static_cast<float>(k.at[i]);
    }
  }
#pragma unroll
  for (int turn = 0; turn < 2; ++turn) {
    for (int step = kKeyLanes / 2; step > 0; step /= 2) scores[turn] += __shfl_xor_sync(0xffffffff, scores[turn], step);
    const int position = first + turn * kWarpKeys / 2 + group;
    scores[turn] *= scoring.scale;
    if (position >= end)
      scores[turn] = -INFINITY;
    else if (scoring.chosen != nullptr)
      scores[turn] += scoring.bias * scoring.chosen[position];
  }
}

// (a, b) of a head's two halves becomes (a cos - b sin, b cos + a sin), at the position whose angles are given.
template <typename Element>
__device__ void rotated(const Element* head, const float* cos, const float* sin, int within, int half, Element* first,
                        Element* second) {
  const float a = static_cast<float>(head[within]), b = static_cast<float>(head[within + half]);
  *first = static_cast<Element>(a * cos[within] - b * sin[within]);
  *second = static_cast<Element>(b * cos[within] + a * sin[within]);
}

// The token's own key and value go to the cache, its query to `query` and, from one block, to where taps read it. Query heads
// that share a key/value head each store it, with the same bytes, since a block can wait only for itself.
template <typename Element>
__device__ void take_token(const TokenHeads<Element>& token, HeadShape shape, int head, int kv_head, int position, bool stores,
                           bool first_part, CachedHeads<Element> keys, CachedHeads<Element> values, float* query) {
  const int d_head = shape.d_head, half = d_head / 2;
  const int64_t at = static_cast<int64_t>(position) * d_head;
  const float *cos = token.cos + at, *sin = token.sin + at;
  const Element* own_key = token.qkv + (shape.heads + kv_head) * d_head;
  Element* key = keys.start + kv_head * keys.head_stride + at;
  Element* value = values.start + kv_head * values.head_stride + at;
  for (int i = threadIdx.x; i < half; i += blockDim.x) {
    Element turned[2];
    rotated(token.qkv + head * d_head, cos, sin, i, half, &turned[0], &turned[1]);
    query[i] = static_cast<float>(turned[0]);
    query[i + half] = static_cast<float>(turned[1]);
    if (first_part) {
      token.queries[head * d_head + i] = turned[0];
      token.queries[head * d_head + i + half] = turned[1];
    }
    if (!stores) continue;
    rotated(own_key, cos, sin, i, half, key + i, key + i + half);
    value[i] = own_key[shape.kv_heads * d_head + i];
    value[i + half] = own_key[shape.kv_heads * d_head + i + half];
  }
}

// A block's attention, by warp: the best score, the sum of exp(score - best), and the sum of that times the values.
struct WarpParts {
  float best[kPartWarps], sum[kPartWarps], values[kPartWarps][kWidestHead];
};

template <int kWidth, typename Element>
__device__ void attend_warp(const float* query, const Element* keys, const Element* values, const Scoring& scoring, int begin,
                            int end, int d_head, WarpParts& parts) {
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp, first = begin + warp * kWarpKeys;
  float scores[2];
  warp_scores<kWidth>(query, keys, scoring, first, end, d_head, scores);
  const float best = warp_max(fmaxf(scores[0], scores[1]));
  // A warp behind the last position has nothing but -inf; its weights are 0, not NaN.
  const float shift = best == -INFINITY && first >= end ? 0.0f : best;
  const float weights[2] = {expf(scores[0] - shift), expf(scores[1] - shift)};
  const float sum = warp_sum(weights[0] + weights[1]) / kKeyLanes;
  float of_keys[kWarpKeys];
#pragma unroll
  for (int key = 0; key < kWarpKeys; ++key)
    of_keys[key] = __shfl_sync(0xffffffff, weights[key / (kWarpKeys / 2)], key % (kWarpKeys / 2) * kKeyLanes);
  for (int column = lane; column < d_head; column += kWarp) {
    float total = 0;
#pragma unroll
    for (int key = 0; key < kWarpKeys; ++key)
      total += of_keys[key] * static_cast<float>(values[static_cast<int64_t>(min(first + key, end - 1)) * d_head + column]);
    parts.values[warp][column] = total;
  }
  if (lane == 0) {
    parts.best[warp] = best;
    parts.sum[warp] = sum;
  }
}

// Parts of a head's positions taken together: share[p] is what part p's sums are to be multiplied by; gives the best score of all
// and the sum of all weights. All arrays are shared memory.
struct Joint {
  float best, sum;
};
__device__ Joint weigh_parts(const float* best, const float* sum, int parts, float* share) {
  Joint joint = {-INFINITY, 0};
  for (int part = 0; part < parts; ++part) joint.best = fmaxf(joint.best, best[part]);
  for (int part = threadIdx.x; part < parts; part += blockDim.x)
    share[part] = sum[part] == 0 ? 0.0f : expf(best[part] - joint.best);
  __syncthreads();
  for (int part = 0; part < parts; ++part) joint.sum += share[part] * sum[part];
  return joint;
}

// A block has a part of a head's positions; what the parts leave is joined by the block that is the last to finish, as in flash
// decoding (Dao et al. 2023).
template <int kWidth, typename Element>
__global__ void attend_parts(TokenHeads<Element> token, HeadShape shape, CachedHeads<Element> keys, CachedHeads<Element> values,
                             ScoreBias bias, const float* gains, const int32_t* position, AttentionParts parts, Element* z) {
  __shared__ float query[kWidestHead], best[kMostParts], sum[kMostParts], share[kMostParts];
  __shared__ WarpParts warps;
  __shared__ bool last;
  const int head = blockIdx.x, part = blockIdx.y, kv_head = head / (shape.heads / shape.kv_heads), d_head = shape.d_head;
  const int positions = *position + 1, begin = part * kPartPositions, end = min(begin + kPartPositions, positions);
  if (begin >= positions) return;
  take_token(token, shape, head, kv_head, positions - 1, end == positions, part == 0, keys, values, query);
  __syncthreads();
  const Scoring scoring = {bias.biases == nullptr ? 0.0f : bias.biases[head], rsqrtf(static_cast<float>(d_head)), bias.chosen};
  attend_warp<kWidth>(query, keys.start + kv_head * keys.head_stride, values.start + kv_head * values.head_stride, scoring, begin,
                      end, d_head, warps);
  __syncthreads();

  const int count = (positions + kPartPositions - 1) / kPartPositions, width = d_head + 2;
  float* of_head = parts.sums + static_cast<int64_t>(head) * gridDim.y * width;
  float* own = of_head + part * width;
  const Joint of_part = weigh_parts(warps.best, warps.sum, kPartWarps, share);
  for (int i = threadIdx.x; i < d_head; i += blockDim.x) {
    float total = 0;
    for (int warp = 0; warp < kPartWarps; ++warp) total += share[warp] * warps.values[warp][i];
    own[2 + i] = total;
  }
  if (threadIdx.x == 0) {
    own[0] = of_part.best;
    own[1] = of_part.sum;
  }
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(parts.finished + head, 1) == count - 1;
  __syncthreads();
  if (!last) return;
  if (threadIdx.x == 0) parts.finished[head] = 0;  // for the next layer
  for (int p = threadIdx.x; p < count; p += blockDim.x) {
    best[p] = __ldcg(of_head + p * width);
    sum[p] = __ldcg(of_head + p * width + 1);
  }
  __syncthreads();
  const float scale = (gains == nullptr ? 1.0f : gains[head]) / weigh_parts(best, sum, count, share).sum;
  for (int i = threadIdx.x; i < d_head; i += blockDim.x) {
    float total = 0;
#pragma unroll 8
    for (int p = 0; p < count; ++p) total += share[p] * __ldcg(of_head + p * width + 2 + i);
    z[head * d_head + i] = static_cast<Element>(total * scale);
  }
}

// The block's largest or summed value, in every thread.
template <typename Combine>
__device__ float over_block(float value, float* by_warp, float neutral, Combine&& combine) {
  value = combine(value);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) by_warp[threadIdx.x / kWarp] = value;
  __syncthreads();
  return combine(threadIdx.x % kWarp < kPatternWarps ? by_warp[threadIdx.x % kWarp] : neutral);
}

template <int kWidth, typename Element>
__global__ void pattern_rows(const Element* queries, const int64_t* query_rows, CachedHeads<Element> keys,
                             const int64_t* key_rows, ScoreBias bias, int d_head, const int32_t* position, KeyWindow window,
                             float* out) {
  extern __shared__ float weights[];
  __shared__ float query[kWidestHead], by_warp[kPatternWarps];
  const int64_t row = query_rows[blockIdx.x];
  const int positions = *position + 1, group = threadIdx.x % kWarp / kKeyLanes;
  for (int i = threadIdx.x; i < d_head; i += blockDim.x) query[i] = static_cast<float>(queries[row * d_head + i]);
  __syncthreads();
  const Scoring scoring = {bias.biases == nullptr ? 0.0f : bias.biases[row], rsqrtf(static_cast<float>(d_head)), bias.chosen};
  float best = -INFINITY;
  for (int first = threadIdx.x / kWarp * kWarpKeys; first < positions; first += kPatternWarps * kWarpKeys) {
    float scores[2];
    warp_scores<kWidth>(query, keys.start + key_rows[blockIdx.x] * keys.head_stride, scoring, first, positions, d_head, scores);
    for (int turn = 0; turn < 2; ++turn) {
      const int at = first + turn * kWarpKeys / 2 + group;
      if (threadIdx.x % kKeyLanes == 0 && at < positions) weights[at] = scores[turn];
      best = fmaxf(best, scores[turn]);
    }
  }
  best = over_block(best, by_warp, -INFINITY, warp_max);  // its barriers also make the scores visible
  float sum = 0;
  for (int at = threadIdx.x; at < positions; at += blockDim.x) {
    const float weight = expf(weights[at] - best);
    weights[at] = weight;
    sum += weight;
  }
  sum = over_block(sum, by_warp, 0.0f, warp_sum);
  float* to = out + blockIdx.x * (window.end - window.begin);
  for (int64_t at = window.begin + threadIdx.x; at < window.end; at += blockDim.x)
    to[at - window.begin] = at < positions ? weights[at] / sum : 0.0f;
}

}  // namespace

bool attends(int64_t capacity, int64_t d_head) { return d_head <= kWidestHead && capacity <= kMostPositions; }

int64_t attention_parts(int64_t capacity) { return blocks_of(capacity, kPartPositions); }

template <typename Element>
void attend(TokenHeads<Element> token, HeadShape shape, CachedHeads<Element> keys, CachedHeads<Element> values, ScoreBias bias,
            const float* gains, const int32_t* position, int64_t capacity, AttentionParts parts, Element* z, Stream stream) {
  const dim3 blocks(shape.heads, static_cast<unsigned>(attention_parts(capacity)));
  const auto kernel = packs(shape.d_head, keys.start) ? attend_parts<kWidest<Element>, Element> : attend_parts<1, Element>;
  kernel<<<blocks, kPartWarps * kWarp, 0, stream>>>(token, shape, keys, values, bias, gains, position, parts, z);
}

template <typename Element>
void patterns(const Element* queries, const int64_t* query_rows, CachedHeads<Element> keys, const int64_t* key_rows,
              ScoreBias bias, int64_t rows, int64_t d_head, const int32_t* position, int64_t capacity, KeyWindow window,
              float* out, Stream stream) {
  const auto kernel = packs(d_head, keys.start) ? pattern_rows<kWidest<Element>, Element> : pattern_rows<1, Element>;
  kernel<<<static_cast<unsigned>(rows), kPatternWarps * kWarp, static_cast<size_t>(capacity) * sizeof(float), stream>>>(
      queries, query_rows, keys, key_rows, bias, static_cast<int>(d_head), position, window, out);
}

#define OPENBOOK_KERNELS_OF(Element)                                                                                        \
  template void attend(TokenHeads<Element>, HeadShape, CachedHeads<Element>, CachedHeads<Element>, ScoreBias, const float*, \
                       const int32_t*, int64_t, AttentionParts, Element*, Stream);                                          \
  template void patterns(const Element*, const int64_t*, CachedHeads<Element>, const int64_t*, ScoreBias, int64_t, int64_t, \
                         const int32_t*, int64_t, KeyWindow, float*, Stream);
OPENBOOK_KERNELS_OF(float)
OPENBOOK_KERNELS_OF(at::BFloat16)

}  // namespace openbook::engine::cuda
