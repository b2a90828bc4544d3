#include "batches.h"

#include <algorithm>
#include <numeric>

#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

// Tokens and rows of one batch. A CPU gains by reading the weights once for some rows and loses its caches with many. A GPU takes
// as long for one decoded row as for hundreds; this many prompt tokens keep it busy, and their keys, values and activations take
// about 6 GB for the models that the project ships with.
struct Budget {
  size_t tokens, rows;
};
Budget budget_of(const at::Device& device) { return device.is_cuda() ? Budget{65536, 512} : Budget{4096, 16}; }

// What every row of `batch` says; row i continues the prompt prompts[i].
std::vector<std::string> decode(engine::BatchSession& batch, const engine::Tokenizer& tokenizer,
                                const std::vector<size_t>& prompts, const GreedyOptions& options) {
  std::vector<std::string> texts(prompts.size());
  std::vector<bool> ended(prompts.size());
  for (int64_t step = 0; step < options.max_tokens; ++step) {
    const std::vector<engine::TokenId> said = batch.choose();
    for (size_t row = 0; row < prompts.size(); ++row) {
      if (ended[row]) continue;
      ended[row] = tokenizer.is_special(said[row]);
      if (ended[row]) continue;
      texts[row] += tokenizer.token_bytes(said[row]);
      ended[row] = options.done && options.done(prompts[row], texts[row]);
    }
    if (step + 1 == options.max_tokens || std::all_of(ended.begin(), ended.end(), [](bool end) { return end; })) break;
    batch.append(said);
  }
  for (std::string& text : texts) text = with_valid_utf8(text);
  return texts;
}

// Calls `each` with the rows of every batch and their prompts.
template <typename Each>
void for_batches(const engine::Decoder& decoder, const std::vector<std::vector<engine::TokenId>>& prompts,
                 const Cancellation* cancellation, Each each) {
  std::vector<size_t> lengths;
  for (const auto& prompt : prompts) lengths.push_back(prompt.size());
  for (const std::vector<size_t>& rows : batches_of(lengths, decoder.model().device())) {
    if (cancellation) cancellation->check();
    std::vector<std::vector<engine::TokenId>> tokens;
    for (const size_t row : rows) tokens.push_back(prompts[row]);
    each(rows, tokens);
  }
}

// How many edits of these prompts, longest first, run side by side.
int64_t edits_at_once(const std::vector<std::vector<engine::TokenId>>& prompts, int64_t edits, int64_t room,
                      const at::Device& device) {
  const Budget budget = budget_of(device);
  const size_t fit = std::min(budget.rows / prompts.size(),
                              budget.tokens / (prompts.size() * (prompts.front().size() + static_cast<size_t>(room))));
  const int64_t most = std::clamp<int64_t>(static_cast<int64_t>(fit), 1, edits), rounds = (edits + most - 1) / most;
  return (edits + rounds - 1) / rounds;
}

}  // namespace

std::vector<std::vector<size_t>> batches_of(const std::vector<size_t>& lengths, const at::Device& device) {
  const Budget budget = budget_of(device);
  std::vector<size_t> by_length(lengths.size());
  std::iota(by_length.begin(), by_length.end(), 0);
  std::stable_sort(by_length.begin(), by_length.end(),
                   [&](size_t a, size_t b) { return lengths[a] > lengths[b]; });  // the longest first: memory fails early
  std::vector<std::vector<size_t>> batches;
  for (const size_t prompt : by_length) {
    const bool full = !batches.empty() && (batches.back().size() == budget.rows ||
                                           (batches.back().size() + 1) * lengths[batches.back()[0]] > budget.tokens);
    if (batches.empty() || full) batches.emplace_back();
    batches.back().push_back(prompt);
  }
  return batches;
}

std::vector<std::string> say_all(const engine::Decoder& decoder, const std::vector<std::vector<engine::TokenId>>& prompts,
                                 const GreedyOptions& options) {
  std::vector<std::string> texts(prompts.size());
  int64_t done = 0;
  for_batches(decoder, prompts, options.cancellation, [&](const std::vector<size_t>& rows, const auto& tokens) {
    engine::BatchOptions batch_options{.cancellation = options.cancellation};
    if (options.edits) batch_options.edits = options.edits(rows);
    engine::BatchSession batch(decoder, tokens, options.max_tokens, std::move(batch_options));
    std::vector<std::string> said = decode(batch, decoder.model().tokenizer(), rows, options);
    for (size_t i = 0; i < rows.size(); ++i) texts[rows[i]] = std::move(said[i]);
    done += static_cast<int64_t>(rows.size());
    if (options.progress) options.progress(done);
  });
  return texts;
}

std::vector<std::vector<std::string>> say_all_under(const engine::Decoder& decoder,
                                                    const std::vector<std::vector<engine::TokenId>>& prompts,
                                                    const EditedRuns& runs, const GreedyOptions& options) {
  std::vector<std::vector<std::string>> texts(static_cast<size_t>(runs.count), std::vector<std::string>(prompts.size()));
  int64_t done = 0;
  for_batches(decoder, prompts, options.cancellation, [&](const std::vector<size_t>& rows, const auto& tokens) {
    const int64_t at_once = edits_at_once(tokens, runs.count, options.max_tokens, decoder.model().device());
    std::vector<std::vector<engine::TokenId>> repeated;
    std::vector<size_t> prompt_of;
    for (int64_t i = 0; i < at_once; ++i) {
      repeated.insert(repeated.end(), tokens.begin(), tokens.end());
      prompt_of.insert(prompt_of.end(), rows.begin(), rows.end());
    }
    engine::BatchSession batch(decoder, repeated, options.max_tokens, {.cancellation = options.cancellation});
    for (int64_t first = 0; first < runs.count; first += at_once) {
      std::vector<EditedRow> edited;
      for (size_t i = 0; i < prompt_of.size(); ++i)  // the last round repeats its last edit
        edited.push_back({std::min(first + static_cast<int64_t>(i / rows.size()), runs.count - 1), prompt_of[i]});
      batch.restart(runs.edits(edited));
      std::vector<std::string> said = decode(batch, decoder.model().tokenizer(), prompt_of, options);
      for (size_t i = 0; i < said.size(); ++i) texts[static_cast<size_t>(edited[i].edit)][edited[i].prompt] = std::move(said[i]);
      done += static_cast<int64_t>(rows.size()) * std::min(at_once, runs.count - first);
      if (options.progress) options.progress(done);
    }
  });
  return texts;
}

at::Tensor last_z(const engine::Decoder& decoder, const std::vector<std::vector<engine::TokenId>>& prompts,
                  const Cancellation* cancellation) {
  const engine::ModelConfig& config = decoder.model().config();
  at::Tensor z = at::empty({static_cast<int64_t>(prompts.size()), config.layers, config.heads, config.d_head},
                           at::TensorOptions(at::kFloat).device(decoder.model().device()));
  for_batches(decoder, prompts, cancellation, [&](const std::vector<size_t>& rows, const auto& tokens) {
    const engine::BatchSession batch(decoder, tokens, 0, {.observe = true, .cancellation = cancellation});
    z.index_copy_(0, at::tensor(std::vector<int64_t>(rows.begin(), rows.end()), at::kLong).to(z.device()), batch.observed().z);
  });
  return z;
}

}  // namespace openbook::attribution
