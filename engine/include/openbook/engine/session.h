// One request's conversation with a model: decode, look, rewind, decode again under edits.
//
// Holds the cache of one sequence. rewind() goes back to any earlier position; what was before it is not computed again. Not
// thread-safe; any number of sessions may share one decoder, which must outlive them.
//
//   Session session(decoder, 1024, heads, prompt.all_passages);
//   session.append(prompt.tokens);
//   for (TokenId id = session.choose(sampler); !stop(id); id = session.choose(sampler)) session.append({&id, 1});
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "openbook/base/cancellation.h"
#include "openbook/engine/decoder.h"
#include "openbook/engine/sampler.h"

namespace openbook::engine {

class Session {
 public:
  // Room for `capacity` tokens. Taps `heads` over the prompt positions `keys`; no heads = no taps. Throws what KvCache and
  // HeadTaps throw.
  Session(const Decoder& decoder, int64_t capacity, std::vector<HeadId> heads = {}, TokenRange keys = {});

  // Runs the tokens through the model under the edits now in force. Afterwards logits() and taps() are of the last of them. A
  // long run goes in chunks of kChunk tokens (kDeviceChunk on CUDA). All or nothing: on an error the session stands where it
  // stood, but its taps are undefined. Throws out_of_range when the tokens don't fit into the capacity, and what Decoder::step
  // throws, which looks at `cancellation` before every layer.
  void append(std::span<const TokenId> tokens, const Cancellation* cancellation = nullptr);

  // Chooses a token from logits(). Does not run it: look at taps() (they belong to the position that chose it), then append it.
  // Throws failed_precondition when there are no logits, and what Sampler::next throws.
  TokenId choose(Sampler& sampler) const { return sampler.next(logits_); }

  // Forgets positions >= position; logits() is undefined until the next append(). Edits stay in force. Throws out_of_range when
  // position is not in [0, this->position()].
  void rewind(int64_t position);

  HeadEdits& edits() { return edits_; }                 // in force from the next append() on
  const at::Tensor& logits() const { return logits_; }  // float32 [vocabulary], on the model's device
  const HeadTaps* taps() const { return taps_ ? &*taps_ : nullptr; }
  int64_t position() const { return cache_.size(); }  // tokens run so far
  const std::vector<TokenId>& tokens() const { return tokens_; }
  const Decoder& decoder() const { return *decoder_; }
  const KvCache& cache() const { return cache_; }

  // How many of the first positions no edit acted on: what they hold is what a plain pass holds.
  int64_t unedited() const { return unedited_; }

  // What a chunk needs besides the cache stays small. Smaller chunks would read the weights more often, and a device would do
  // little but start kernels.
  static constexpr int64_t kChunk = 256, kDeviceChunk = 2048;

 private:
  const Decoder* decoder_;
  KvCache cache_;
  HeadEdits edits_;
  std::optional<HeadTaps> taps_;
  std::vector<TokenId> tokens_;
  at::Tensor logits_;
  int64_t unedited_ = 0;
};

// log p of each of `continuation` after `context`, in nats, in one unedited teacher-forced pass: [continuation.size()]. Throws
// invalid_argument when the context is empty, out_of_range when both do not fit into the model's positions, and what
// `cancellation` throws.
std::vector<double> log_probabilities(const Decoder& decoder, std::span<const TokenId> context,
                                      std::span<const TokenId> continuation, const Cancellation* cancellation = nullptr);

// The same, for a context that begins as the session did: what the session has read of it, unedited, is copied and not read
// again. The session stays as it is.
std::vector<double> log_probabilities(const Session& session, std::span<const TokenId> context,
                                      std::span<const TokenId> continuation, const Cancellation* cancellation = nullptr);

}  // namespace openbook::engine
