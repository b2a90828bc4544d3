#include "openbook/engine/decoder.h"

#include <set>

#include "cuda/built.h"
#include "cuda/token_step.h"
#include "decoder/step.h"
#include "decoder/torch_errors.h"
#include "openbook/base/error.h"

namespace openbook::engine {
namespace {

void refuse(const std::string& what) { throw Error(Code::kInvalidArgument, "decoder step: " + what); }

void check_belongs(const Sequence& sequence, const Model& model) {
  const ModelConfig& config = model.config();
  const KvCache& cache = *sequence.cache;
  const std::vector<int64_t> shape = {config.layers, config.kv_heads, cache.capacity(), config.d_head};
  if (cache.keys().sizes() != at::IntArrayRef(shape) || cache.keys().scalar_type() != model.dtype() ||
      cache.keys().device() != model.device())
    refuse("the cache was made for another model");
  const std::vector<int64_t> queries = {config.layers, config.heads * config.d_head};
  if (sequence.taps != nullptr) {
    const at::Tensor& buffer = sequence.taps->layer_queries();
    if (buffer.sizes() != at::IntArrayRef(queries) || buffer.scalar_type() != model.dtype() || buffer.device() != model.device())
      refuse("the taps were made for another model");
  }
  const std::vector<int64_t> heads = {config.layers, config.heads};
  if (sequence.edits != nullptr &&
      (sequence.edits->gains().sizes() != at::IntArrayRef(heads) || sequence.edits->gains().device() != model.device()))
    refuse("the edits were made for another model");
}

void check(const std::vector<Sequence>& sequences, const Model& model) {
  std::set<const void*> used;
  for (const Sequence& sequence : sequences) {
    if (sequence.tokens.empty()) refuse("a sequence has no tokens");
    if (sequence.cache == nullptr) refuse("a sequence has no cache");
    if (!used.insert(sequence.cache).second) refuse("two sequences share one cache");
    if (sequence.taps != nullptr && !used.insert(sequence.taps).second) refuse("two sequences share one set of taps");
    check_belongs(sequence, model);
    for (const TokenId id : sequence.tokens)
      if (id < 0 || id >= model.config().vocabulary)
        refuse("token id " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(model.config().vocabulary));
    const auto tokens = static_cast<int64_t>(sequence.tokens.size());
    if (tokens > sequence.cache->capacity() - sequence.cache->size())
      throw Error(Code::kOutOfRange,
                  "decoder step: " + std::to_string(tokens) + " tokens after position " + std::to_string(sequence.cache->size()) +
                      " do not fit into the cache of " + std::to_string(sequence.cache->capacity()) + " positions",
                  "Use fewer passages, a shorter question or a larger context.");
  }
}

std::vector<StepResult> run(const std::shared_ptr<const Model>& model, const std::vector<Sequence>& sequences,
                            const Cancellation* cancellation) {
  if constexpr (cuda::kBuilt) {
    if (cuda::TokenStep::takes(sequences, *model)) {
      if (cancellation != nullptr) cancellation->check();  // its layers are enqueued at once, in microseconds
      std::shared_ptr<cuda::TokenStep>& step = sequences[0].cache->token_step();
      if (step == nullptr || !step->is_of(*model)) step = std::make_shared<cuda::TokenStep>(model, *sequences[0].cache);
      return {{.logits = step->run(sequences[0])}};
    }
  }
  return Step(*model, sequences, cancellation).run();
}

}  // namespace

Decoder::Decoder(std::shared_ptr<const Model> model) : model_(std::move(model)) {
  if (!model_) throw Error(Code::kInvalidArgument, "a decoder needs a model");
}

bool Decoder::has_cuda_kernels() { return cuda::kBuilt; }

std::vector<StepResult> Decoder::step(std::vector<Sequence> sequences, const Cancellation* cancellation) const {
  if (sequences.empty()) return {};
  check(sequences, *model_);
  // Nothing here is differentiated. Unlike inference mode, this leaves tensors that callers may use in their own autograd.
  const at::AutoDispatchBelowADInplaceOrView below_autograd;
  std::vector<StepResult> results =
      translating_torch_errors("decoder step", [&] { return run(model_, sequences, cancellation); });
  for (const Sequence& sequence : sequences) sequence.cache->advance(static_cast<int64_t>(sequence.tokens.size()));
  return results;
}

}  // namespace openbook::engine
