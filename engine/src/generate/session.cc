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
}

void Session::rewind(int64_t position) {
  cache_.cut(position);
  tokens_.resize(static_cast<size_t>(position));
  logits_.reset();
}

std::vector<double> log_probabilities(const Decoder& decoder, std::span<const TokenId> context,
                                      std::span<const TokenId> continuation, const Cancellation* cancellation) {
  if (context.empty()) throw Error(Code::kInvalidArgument, "log probabilities need at least one token before the continuation");
  if (continuation.empty()) return {};
  // The last token is only predicted, never run.
  const auto run = static_cast<int64_t>(context.size() + continuation.size()) - 1;
  if (run > decoder.model().config().max_positions)
    throw Error(Code::kOutOfRange,
                std::to_string(run) + " tokens do not fit into the model's " +
                    std::to_string(decoder.model().config().max_positions) + " positions",
                "Use fewer or shorter passages.");
  KvCache cache(decoder.model(), run);
  const auto step = [&](std::span<const TokenId> tokens, LogitsOf of) {
    return decoder.step({{.tokens = copied(tokens), .cache = &cache, .logits_of = of}}, cancellation).at(0).logits;
  };
  // Logits of the context would cost more than the context itself: its last token's are enough.
  const size_t context_chunk = chunk_of(decoder.model());
  at::Tensor logits;
  for (size_t at = 0; at < context.size(); at += context_chunk)
    logits = step(context.subspan(at, std::min(context_chunk, context.size() - at)), LogitsOf::kLast);

  std::vector<double> log_p;
  const auto read = [&](const at::Tensor& rows) {  // [tokens, vocabulary]: each row predicts the next token of the continuation
    const auto next = continuation.subspan(log_p.size(), static_cast<size_t>(rows.size(0)));
    const at::Tensor ids = at::tensor(std::vector<int64_t>(next.begin(), next.end())).to(rows.device()).unsqueeze(1);
    const at::Tensor found = at::log_softmax(rows.to(at::kDouble), -1).gather(1, ids).squeeze(1).cpu();
    if (!found.isfinite().all().item<bool>())
      throw Error(Code::kInternal, "a log probability is not finite",
                  "With bfloat16, try float32; else the weights may be damaged.");
    log_p.insert(log_p.end(), found.const_data_ptr<double>(), found.const_data_ptr<double>() + found.numel());
  };
  read(logits);
  const size_t chunk = Session::kChunk;  // logits of all its tokens are held
  for (size_t at = 0; at + 1 < continuation.size(); at += chunk)
    read(step(continuation.subspan(at, std::min(chunk, continuation.size() - 1 - at)), LogitsOf::kAll));
  return log_p;
}

}  // namespace openbook::engine
