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

KvCache KvCache::fork() const {
  KvCache copy;
  copy.size_ = size_;
  translating_torch_errors("copying a cache of " + std::to_string(capacity()) + " positions", [&] {
    copy.keys_ = at::empty_like(keys_);
    copy.values_ = at::empty_like(values_);
    copy.keys_.narrow(2, 0, size_).copy_(keys_.narrow(2, 0, size_));
    copy.values_.narrow(2, 0, size_).copy_(values_.narrow(2, 0, size_));
  });
  return copy;
}

}  // namespace openbook::engine
