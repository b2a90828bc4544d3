// Many prompts decoded side by side in one padded cache: what experiments run thousands of short prompts with.
//
// Rows are padded on the right, so that causal attention alone keeps a prompt from seeing padding; decoded tokens mask it. One
// step reads the weights once for all rows. A request's own Session has what a batch does not: rewinding, chunks.
//
// Not thread-safe; any number may share one decoder, which must outlive them. Errors: those of Decoder::step.
//
//   BatchSession batch(decoder, prompts, /*room=*/20, {.observe = true});
//   std::vector<TokenId> said = batch.choose();  // greedy, one a row
//   batch.observed().z;                          // of the positions that chose them
//   batch.append(said);
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "openbook/base/cancellation.h"
#include "openbook/base/span.h"
#include "openbook/engine/decoder.h"

namespace openbook::engine {

// What to change of heads, row by row, at positions >= from. Undefined tensors change nothing; the others are float32 on the
// model's device, and their first dimension may be 1 where all rows are edited alike.
struct BatchEdits {
  std::vector<int64_t> from;                         // [rows]; empty: 0
  std::vector<int64_t> positions;                    // [rows], how many are edited, from `from` on; empty: all
  at::Tensor gains;                                  // [rows, layers, heads]: z becomes gains * z + values; 0 removes a head
  at::Tensor values;                                 // [rows, layers, heads, d_head]; with a gain of 0 they replace z
  at::Tensor biases;                                 // [rows, layers, heads], nats, added to the scores of `biased_keys`
  std::vector<std::vector<TokenRange>> biased_keys;  // [rows]; unlike HeadEdits, position 0 is biased when it is named
  at::Tensor sharpen;  // [rows]: then positive scores of the biased keys, in heads whose bias isn't 0, are multiplied by it
};

struct BatchOptions {
  bool observe = false;             // fill observed(); costs about 5 % of a decoded token
  bool keep_prompt_states = false;  // fill prompt_states()
  BatchEdits edits;
  const Cancellation* cancellation = nullptr;  // looked at before every layer; must outlive the session
};

// Of every row's last position, float32 on the model's device.
struct BatchObservation {
  at::Tensor z;                    // [rows, layers, heads, d_head], edits included
  at::Tensor queries;              // [rows, layers, heads, d_head], after rope
  at::Tensor resid_mid;            // [rows, layers, d_model], between attention and MLP
  at::Tensor resid_post;           // [rows, layers, d_model]; the last layer's is what the final norm sees
  std::vector<int64_t> positions;  // [rows]
};

class BatchSession {
 public:
  // Runs the prompts. `room` is how many tokens may be appended to each.
  BatchSession(const Decoder& decoder, const std::vector<std::vector<TokenId>>& prompts, int64_t room, BatchOptions options = {});

  std::vector<TokenId> choose() const;  // of each row, the token of the largest logit; the first of equals

  // One token a row. After an error the session stands where it stood, but observed() is undefined.
  void append(const std::vector<TokenId>& tokens);

  // Goes back to where each prompt's last token was still to come, and runs it under other edits: what many edits of the same
  // prompts cost is the decoding alone. Throws invalid_argument when an edit would act before that token. After an error only
  // another restart() makes sense.
  void restart(BatchEdits edits);

  int64_t rows() const { return static_cast<int64_t>(lengths_.size()); }
  const std::vector<int64_t>& lengths() const { return lengths_; }    // positions filled, by row
  const at::Tensor& logits() const { return logits_; }                // float32 [rows, vocabulary], of the last position
  const BatchObservation& observed() const { return observed_; }      // defined with BatchOptions::observe
  const at::Tensor& prompt_states() const { return prompt_states_; }  // [rows, longest prompt, d_model], after the last layer

  // The unedited attention that `queries` [rows, layers, heads, d_head], observed at `positions` [rows], pay to the first `keys`
  // positions: float32 [rows, layers * heads, keys].
  at::Tensor pattern(const at::Tensor& queries, const std::vector<int64_t>& positions, int64_t keys) const;

  // What a layer's heads read at the first `keys` positions: [rows, kv_heads, keys, d_head] in the model's dtype, a view of the
  // cache that is 0 or padding beyond a row's length. Query head h reads kv_head h / heads_per_kv_head().
  at::Tensor values(int64_t layer, int64_t keys) const { return values_[layer].narrow(2, 0, keys); }

 private:
  struct Step;  // one pass: the prompts, or one token a row

  at::Tensor acts(const at::Tensor& positions) const;  // whether the edits do, of positions [rows, ...]
  void take_edits(BatchEdits edits, int64_t capacity);
  void run(const Step& step);
  at::Tensor attend(const Step& step, int64_t layer, const at::Tensor& qkv);
  at::Tensor attend_edited(const Step& step, int64_t layer, const at::Tensor& queries, int64_t first) const;
  void edit_z(const Step& step, int64_t layer, at::Tensor& z) const;
  at::Tensor last_of(const Step& step, const at::Tensor& by_token) const;

  const Decoder* decoder_;
  BatchOptions options_;
  std::vector<bool> score_edits_, z_edits_;  // [layers]
  int64_t first_edited_ = 0;                 // the smallest of edits.from
  std::vector<int64_t> lengths_, prompt_lengths_;
  std::vector<TokenId> last_of_prompts_;
  at::Tensor keys_, values_;  // [layers, rows, kv_heads, capacity, d_head]
  at::Tensor from_, until_;   // int64 [rows] on the device
  at::Tensor biased_;         // float32 [rows, capacity]
  at::Tensor logits_, prompt_states_;
  BatchObservation observed_;
};

}  // namespace openbook::engine
