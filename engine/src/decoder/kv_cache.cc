#include "openbook/engine/kv_cache.h"

#include "decoder/torch_errors.h"
#include "openbook/base/error.h"

namespace openbook::engine {

KvCache::KvCache(const Model& model, int64_t capacity) {
  const ModelConfig& config = model.config();
  if (capacity < 1 || capacity > config.max_positions)
    throw Error(Code::kInvalidArgument, "a cache of " + std::to_string(capacity) + " positions; the model has 1 to " +
                                            std::to_string(config.max_positions));
  translating_torch_errors("allocating a cache of " + std::to_string(capacity) + " positions", [&] {
    const auto options = at::TensorOptions(model.dtype()).device(model.device());
    keys_ = at::empty({config.layers, config.kv_heads, capacity, config.d_head}, options);
    values_ = at::empty_like(keys_);
  });
}

void KvCache::cut(int64_t size) {
  if (size < 0 || size > size_)
    throw Error(Code::kOutOfRange, "can't cut a cache of " + std::to_string(size_) + " positions to " + std::to_string(size));
  size_ = size;
}

KvCache KvCache::fork(int64_t size, int64_t capacity) const {
  if (size < 0 || size > size_ || size > capacity)
    throw Error(Code::kOutOfRange, "can't copy " + std::to_string(size) + " of a cache's " + std::to_string(size_) +
                                       " positions into one of " + std::to_string(capacity));
  KvCache copy;
  copy.size_ = size;
  translating_torch_errors("copying a cache of " + std::to_string(size) + " positions", [&] {
    copy.keys_ = at::empty({keys_.size(0), keys_.size(1), capacity, keys_.size(3)}, keys_.options());
    copy.values_ = at::empty_like(copy.keys_);
    copy.keys_.narrow(2, 0, size).copy_(keys_.narrow(2, 0, size));
    copy.values_.narrow(2, 0, size).copy_(values_.narrow(2, 0, size));
  });
  return copy;
}

}  // namespace openbook::engine
