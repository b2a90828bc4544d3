#include "batches.h"

#include <algorithm>
#include <numeric>

#include "openbook/base/words.h"

namespace openbook::attribution {
namespace {

// Tokens and rows of one batch. A CPU gains by reading the weights once for some rows and loses its caches with many; a GPU is busy with
// this many and holds their keys and values in about 3 GB for the models that the project ships with.
struct Budget {
  size_t tokens, rows;
};
Budget budget_of(const at::Device& device) { return device.is_cuda() ? Budget{32768, 128} : Budget{4096, 16}; }

}  // namespace

std::vector<std::vector<size_t>> batches_of(const std::vector<size_t>& lengths, const at::Device& device) {
  const Budget budget = budget_of(device);
  std::vector<size_t> by_length(lengths.size());
  std::iota(by_length.begin(), by_length.end(), 0);
  std::stable_sort(by_length.begin(), by_length.end(), [&](size_t a, size_t b) { return lengths[a] > lengths[b]; });  // the longest first: memory fails early
  std::vector<std::vector<size_t>> batches;
  for (const size_t prompt : by_length) {
    const bool full = !batches.empty() && (batches.back().size() == budget.rows || (batches.back().size() + 1) * lengths[batches.back()[0]] > budget.tokens);
    if (batches.empty() || full) batches.emplace_back();
    batches.back().push_back(prompt);
  }
  return batches;
}

std::vector<std::string> say_all(const engine::Decoder& decoder, const std::vector<std::vector<engine::TokenId>>& prompts, const GreedyOptions& options) {
  const engine::Tokenizer& tokenizer = decoder.model().tokenizer();
  std::vector<size_t> lengths;
  for (const auto& prompt : prompts) lengths.push_back(prompt.size());
  std::vector<std::string> texts(prompts.size());
  int64_t finished = 0;
  for (const std::vector<size_t>& rows : batches_of(lengths, decoder.model().device())) {
    if (options.cancellation) options.cancellation->check();
    std::vector<std::vector<engine::TokenId>> tokens;
    for (const size_t row : rows) tokens.push_back(prompts[row]);
    engine::BatchOptions batch_options;
    if (options.edits) batch_options.edits = options.edits(rows);
    engine::BatchSession batch(decoder, tokens, options.max_tokens, std::move(batch_options));
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
      if (step + 1 == options.max_tokens || std::all_of(ended.begin(), ended.end(), [](bool end) { return end; })) break;
      batch.append(said);
    }
    finished += static_cast<int64_t>(rows.size());
    if (options.progress) options.progress(finished);
  }
  for (std::string& text : texts) text = with_valid_utf8(text);
  return texts;
}

}  // namespace openbook::attribution
