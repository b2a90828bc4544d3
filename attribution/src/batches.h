// Cuts many prompts into batches that fit the device, and decodes them greedily: what experiments run on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "openbook/base/cancellation.h"
#include "openbook/engine/batch_session.h"

namespace openbook::attribution {

// Indices of prompts that run together: of similar length, as many as the device is busy with and has memory for. Every index
// once; the same for the same lengths.
std::vector<std::vector<size_t>> batches_of(const std::vector<size_t>& lengths, const at::Device& device);

struct GreedyOptions {
  int64_t max_tokens = 20;
  std::function<engine::BatchEdits(const std::vector<size_t>& prompts)> edits;  // of a batch's rows; empty: none
  std::function<bool(size_t prompt, const std::string& text)>
      done;                                    // stop this prompt here; empty: special tokens and max_tokens stop it
  std::function<void(int64_t done)> progress;  // prompts done, those of every edit
  const Cancellation* cancellation = nullptr;
};

// What the model says after each prompt, in the order of `prompts`; special tokens end a text and are left out. Invalid UTF-8 is
// replaced.
std::vector<std::string> say_all(const engine::Decoder& decoder, const std::vector<std::vector<engine::TokenId>>& prompts,
                                 const GreedyOptions& options = {});

// The same for many edits of the same prompts that act from each prompt's last token on: what stands before it runs once, and as
// many edits as the device has room for run side by side. By edit, then in the order of `prompts`.
struct EditedRow {
  int64_t edit;
  size_t prompt;
};
struct EditedRuns {
  int64_t count = 0;
  std::function<engine::BatchEdits(const std::vector<EditedRow>& rows)> edits;  // of a batch's rows
};
std::vector<std::vector<std::string>> say_all_under(const engine::Decoder& decoder,
                                                    const std::vector<std::vector<engine::TokenId>>& prompts,
                                                    const EditedRuns& runs, const GreedyOptions& options = {});

// Every head's output at the last token of each prompt: float32 [prompts, layers, heads, d_head] on the model's device.
at::Tensor last_z(const engine::Decoder& decoder, const std::vector<std::vector<engine::TokenId>>& prompts,
                  const Cancellation* cancellation = nullptr);

}  // namespace openbook::attribution
