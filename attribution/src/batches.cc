#include "batches.h"

#include <algorithm>
#include <numeric>

#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

// Tokens and rows of one batch. A CPU gains by reading the weights once for some rows and loses its caches with many; a GPU is
// busy with this many and holds their keys and values in about 3 GB for the models that the project ships with.
struct Budget {
  size_t tokens, rows;
};
Budget budget_of(const at::Device& device) { return device.is_cuda() ? Budget{32768, 128} : Budget{4096, 16}; }

// Lets every row of `batch` speak; `texts` has one text a prompt.
void decode(engine::BatchSession& batch, const engine::Tokenizer& tokenizer, const std::vector<size_t>& rows,
            const GreedyOptions& options, std::vector<std::string>& texts) {
  std::vector<bool> ended(rows.size());
  for (int64_t step = 0; step < options.max_tokens; ++step) {
    const std::vector<engine::TokenId> said = batch.choose();
    for (size_t i = 0; i < rows.size(); ++i) {
      if (ended[i]) continue;
      ended[i] = tokenizer.is_special(said[i]);
      if (ended[i]) continue;
      texts[rows[i]] += tokenizer.token_bytes(said[i]);
      ended[i] = options.done && options.done(rows[i], texts[rows[i]]);
    }
    if (step + 1 == options.max_tokens || std::all_of(ended.begin(), ended.end(), [](bool end) { return end; })) return;
    batch.append(said);
  }
}

// Calls `each` with the rows of every batch and their prompts.
template <typename Each>
void for_batches(const engine::Decoder& decoder, const std::vector<std::vector<engine::TokenId>>& prompts,
                 const Cancellation* cancellation, const std::function<void(int64_t)>& progress, Each each) {
  std::vector<size_t> lengths;
  for (const auto& prompt : prompts) lengths.push_back(prompt.size());
  int64_t done = 0;
  for (const std::vector<size_t>& rows : batches_of(lengths, decoder.model().device())) {
    if (cancellation) cancellation->check();
    std::vector<std::vector<engine::TokenId>> tokens;
    for (const size_t row : rows) tokens.push_back(prompts[row]);
    each(rows, tokens);
    done += static_cast<int64_t>(rows.size());
    if (progress) progress(done);
  }
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
  for_batches(decoder, prompts, options.cancellation, options.progress, [&](const std::vector<size_t>& rows, const auto& tokens) {
    engine::BatchOptions batch_options;
    if (options.edits) batch_options.edits = options.edits(rows);
    engine::BatchSession batch(decoder, tokens, options.max_tokens, std::move(batch_options));
    decode(batch, decoder.model().tokenizer(), rows, options, texts);
  });
  for (std::string& text : texts) text = with_valid_utf8(text);
  return texts;
}

std::vector<std::vector<std::string>> say_all_under(const engine::Decoder& decoder,
                                                    const std::vector<std::vector<engine::TokenId>>& prompts,
                                                    const EditedRuns& runs, const GreedyOptions& options) {
  std::vector<std::vector<std::string>> texts(static_cast<size_t>(runs.count), std::vector<std::string>(prompts.size()));
  for_batches(decoder, prompts, options.cancellation, options.progress, [&](const std::vector<size_t>& rows, const auto& tokens) {
    engine::BatchSession batch(decoder, tokens, options.max_tokens);
    for (int64_t edit = 0; edit < runs.count; ++edit) {
      if (options.cancellation) options.cancellation->check();
      batch.restart(runs.edits(edit, rows));
      decode(batch, decoder.model().tokenizer(), rows, options, texts[static_cast<size_t>(edit)]);
    }
  });
  for (auto& of_edit : texts)
    for (std::string& text : of_edit) text = with_valid_utf8(text);
  return texts;
}

at::Tensor last_z(const engine::Decoder& decoder, const std::vector<std::vector<engine::TokenId>>& prompts,
                  const Cancellation* cancellation) {
  const engine::ModelConfig& config = decoder.model().config();
  at::Tensor z = at::empty({static_cast<int64_t>(prompts.size()), config.layers, config.heads, config.d_head},
                           at::TensorOptions(at::kFloat).device(decoder.model().device()));
  for_batches(decoder, prompts, cancellation, {}, [&](const std::vector<size_t>& rows, const auto& tokens) {
    const engine::BatchSession batch(decoder, tokens, 0, {.observe = true});
    z.index_copy_(0, at::tensor(std::vector<int64_t>(rows.begin(), rows.end()), at::kLong).to(z.device()), batch.observed().z);
  });
  return z;
}

}  // namespace openbook::attribution
