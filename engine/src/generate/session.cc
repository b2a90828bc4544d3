#include "openbook/engine/session.h"

#include <algorithm>
#include <utility>

#include "openbook/base/error.h"

namespace openbook::engine {
namespace {

std::vector<TokenId> copied(std::span<const TokenId> tokens) { return {tokens.begin(), tokens.end()}; }

size_t chunk_of(const Model& model) {
  return static_cast<size_t>(model.device().is_cpu() ? Session::kChunk : Session::kDeviceChunk);
}

// How many positions both take. The last token is only predicted, never run.
int64_t positions_of(const Decoder& decoder, std::span<const TokenId> context, std::span<const TokenId> continuation) {
  if (context.empty()) throw Error(Code::kInvalidArgument, "log probabilities need at least one token before the continuation");
  const auto run = static_cast<int64_t>(context.size() + continuation.size()) - 1;
  if (run > decoder.model().config().max_positions)
    throw Error(Code::kOutOfRange,
                std::to_string(run) + " tokens do not fit into the model's " +
                    std::to_string(decoder.model().config().max_positions) + " positions",
                "Use fewer or shorter passages.");
  return run;
}

// log p of each of `continuation`, predicted by `rows` of logits.
void read_log_probabilities(const at::Tensor& rows, std::span<const TokenId> continuation, std::vector<double>& log_p) {
  const auto next = continuation.subspan(log_p.size(), static_cast<size_t>(rows.size(0)));
  const at::Tensor ids = at::tensor(std::vector<int64_t>(next.begin(), next.end())).to(rows.device()).unsqueeze(1);
  const at::Tensor found = at::log_softmax(rows.to(at::kDouble), -1).gather(1, ids).squeeze(1).cpu();
  if (!found.isfinite().all().item<bool>())
    throw Error(Code::kInternal, "a log probability is not finite",
                "With bfloat16, try float32; else the weights may be damaged.");
  log_p.insert(log_p.end(), found.const_data_ptr<double>(), found.const_data_ptr<double>() + found.numel());
}

// `cache` holds the context's first tokens, but not all of them, and has room for the others.
std::vector<double> log_probabilities_after(const Decoder& decoder, KvCache cache, std::span<const TokenId> context,
                                            std::span<const TokenId> continuation, const Cancellation* cancellation) {
  const auto step = [&](std::span<const TokenId> tokens, LogitsOf of) {
    return decoder.step({{.tokens = copied(tokens), .cache = &cache, .logits_of = of}}, cancellation).at(0).logits;
  };
  // Logits of the context would cost more than the context itself: its last token's are enough.
  const size_t context_chunk = chunk_of(decoder.model());
  at::Tensor logits;
  for (auto at = static_cast<size_t>(cache.size()); at < context.size(); at += context_chunk)
    logits = step(context.subspan(at, std::min(context_chunk, context.size() - at)), LogitsOf::kLast);

  std::vector<double> log_p;
  read_log_probabilities(logits, continuation, log_p);
  const size_t chunk = Session::kChunk;  // logits of all its tokens are held
  for (size_t at = 0; at + 1 < continuation.size(); at += chunk)
    read_log_probabilities(step(continuation.subspan(at, std::min(chunk, continuation.size() - 1 - at)), LogitsOf::kAll),
                           continuation, log_p);
  return log_p;
}

}  // namespace

Session::Session(const Decoder& decoder, int64_t capacity, std::vector<HeadId> heads, TokenRange keys)
    : decoder_(&decoder), cache_(decoder.model(), capacity), edits_(decoder.model()) {
  if (!heads.empty()) taps_.emplace(decoder.model(), std::move(heads), keys);
}

void Session::append(std::span<const TokenId> tokens, const Cancellation* cancellation) {
  if (tokens.empty()) return;
  const int64_t begin = position();
  if (static_cast<int64_t>(tokens.size()) > cache_.capacity() - begin)
    throw Error(Code::kOutOfRange,
                std::to_string(tokens.size()) + " tokens after position " + std::to_string(begin) +
                    " do not fit into the session's " + std::to_string(cache_.capacity()) + " positions",
                "Use fewer passages, a shorter question or a larger context.");
  try {
    for (std::span<const TokenId> rest = tokens; !rest.empty();) {
      const auto chunk = rest.first(std::min(chunk_of(decoder_->model()), rest.size()));
      rest = rest.subspan(chunk.size());
      HeadTaps* taps = rest.empty() && taps_ ? &*taps_ : nullptr;  // of the last token only
      const auto results =
          decoder_->step({{.tokens = copied(chunk), .cache = &cache_, .taps = taps, .edits = &edits_}}, cancellation);
      if (rest.empty()) logits_ = results.at(0).logits[0];
    }
  } catch (...) {
    cache_.cut(begin);
    throw;
  }
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  if (unedited_ == begin) unedited_ = edits_.neutral() ? position() : std::clamp(edits_.from_position, begin, position());
}

void Session::rewind(int64_t position) {
  cache_.cut(position);
  tokens_.resize(static_cast<size_t>(position));
  logits_.reset();
  unedited_ = std::min(unedited_, position);
}

std::vector<double> log_probabilities(const Decoder& decoder, std::span<const TokenId> context,
                                      std::span<const TokenId> continuation, const Cancellation* cancellation) {
  if (continuation.empty()) return {};
  return log_probabilities_after(decoder, KvCache(decoder.model(), positions_of(decoder, context, continuation)), context,
                                 continuation, cancellation);
}

std::vector<double> log_probabilities(const Session& session, std::span<const TokenId> context,
                                      std::span<const TokenId> continuation, const Cancellation* cancellation) {
  if (continuation.empty()) return {};
  const int64_t positions = positions_of(session.decoder(), context, continuation);
  // The context's last token is run again whatever was read: its logits are needed.
  const auto comparable = context.first(std::min(context.size() - 1, static_cast<size_t>(session.unedited())));
  const auto differs = std::mismatch(comparable.begin(), comparable.end(), session.tokens().begin()).first;
  return log_probabilities_after(session.decoder(), session.cache().fork(differs - comparable.begin(), positions), context,
                                 continuation, cancellation);
}

}  // namespace openbook::engine
