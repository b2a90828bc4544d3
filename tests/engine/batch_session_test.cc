#include "openbook/engine/batch_session.h"

#include <random>

#include "base/test_support.h"
#include "engine/tiny_llama.h"
#include "openbook/engine/session.h"

namespace openbook::engine {
namespace {

using test::close;

constexpr double kTolerance = 1e-4;

std::vector<std::vector<TokenId>> random_prompts(const Model& model, const std::vector<size_t>& sizes, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<TokenId>> prompts;
  for (const size_t size : sizes) {
    prompts.emplace_back(size);
    for (TokenId& id : prompts.back()) id = static_cast<TokenId>(random() % model.config().vocabulary);
  }
  return prompts;
}

at::Tensor all_of(const Model& model, float value) { return at::full({1, model.config().layers, model.config().heads}, value); }

class TinyBatch : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, TinyBatch, testing::ValuesIn(test::kTinyLlamas), [](const auto& info) { return info.param; });

// Decodes `steps` tokens in a batch, and each row in a session of its own under `edit`; logits, z and pattern must agree at every
// step.
void expect_rows_equal_sessions(const Decoder& decoder, const std::vector<std::vector<TokenId>>& prompts, BatchEdits edits,
                                const std::function<void(size_t, HeadEdits&)>& edit, bool compare_pattern) {
  constexpr int64_t kSteps = 5;
  const Model& model = decoder.model();
  const std::vector<HeadId> heads = test::all_heads(model);
  BatchSession batch(decoder, prompts, kSteps, {.observe = true, .edits = std::move(edits)});
  std::vector<std::unique_ptr<Session>> alone;
  for (size_t row = 0; row < prompts.size(); ++row) {
    alone.push_back(std::make_unique<Session>(decoder, 64, heads, TokenRange{0, 48}));
    edit(row, alone.back()->edits());
    alone.back()->append(prompts[row]);
  }
  for (int64_t step = 0; step <= kSteps; ++step) {
    const at::Tensor pattern = batch.pattern(batch.observed().queries, batch.observed().positions, 48);
    for (size_t row = 0; row < prompts.size(); ++row) {
      const auto index = static_cast<int64_t>(row);
      EXPECT_TRUE(close(batch.logits()[index], alone[row]->logits(), kTolerance)) << "row " << row << " step " << step;
      EXPECT_TRUE(close(batch.observed().z[index].flatten(0, 1), alone[row]->taps()->z(), kTolerance))
          << "row " << row << " step " << step;
      EXPECT_TRUE(close(batch.observed().resid_post[index][-1], alone[row]->taps()->resid_final(), kTolerance));
      if (compare_pattern)
        EXPECT_TRUE(close(pattern[index], alone[row]->taps()->pattern(), kTolerance)) << "row " << row << " step " << step;
    }
    if (step == kSteps) break;
    const std::vector<TokenId> said = batch.choose();
    batch.append(said);
    for (size_t row = 0; row < prompts.size(); ++row) alone[row]->append({&said[row], 1});
  }
  for (size_t row = 0; row < prompts.size(); ++row)
    EXPECT_EQ(batch.lengths()[row], static_cast<int64_t>(prompts[row].size()) + kSteps);
}

TEST_P(TinyBatch, RowsEqualSessions) {
  const Decoder decoder(test::load_tiny(GetParam()));
  expect_rows_equal_sessions(
      decoder, random_prompts(decoder.model(), {17, 1, 40, 23}, 7), {}, [](size_t, HeadEdits&) {}, true);
}

TEST_P(TinyBatch, PatternTimesValuesIsZ) {
  const Decoder decoder(test::load_tiny(GetParam()));
  const ModelConfig& config = decoder.model().config();
  BatchSession batch(decoder, random_prompts(decoder.model(), {17, 5, 12}, 11), 2, {.observe = true});
  batch.append(batch.choose());
  constexpr int64_t kKeys = 18;
  const at::Tensor pattern =
      batch.pattern(batch.observed().queries, batch.observed().positions, kKeys).view({3, config.layers, config.heads, kKeys});
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const at::Tensor values = batch.values(layer, kKeys).repeat_interleave(config.heads_per_kv_head(), 1);
    EXPECT_TRUE(
        close(at::einsum("rhk,rhkd->rhd", {pattern.select(1, layer), values}), batch.observed().z.select(1, layer), kTolerance));
  }
}

TEST_P(TinyBatch, GainsEqualHeadEdits) {
  const Decoder decoder(test::load_tiny(GetParam()));
  BatchEdits edits{.from = {3, 0, 9}, .gains = all_of(decoder.model(), 1)};
  edits.gains[0][0][1] = 0;
  edits.gains[0][1][0] = 0.25;
  expect_rows_equal_sessions(
      decoder, random_prompts(decoder.model(), {17, 4, 12}, 8), edits,
      [&](size_t row, HeadEdits& alone) {
        alone.from_position = edits.from[row];
        alone.set_gain({0, 1}, 0);
        alone.set_gain({1, 0}, 0.25f);
      },
      false);
}

TEST_P(TinyBatch, BiasesEqualHeadEdits) {
  const Decoder decoder(test::load_tiny(GetParam()));
  BatchEdits edits{.from = {9, 4}, .biases = all_of(decoder.model(), 0), .biased_keys = {{{2, 5}, {7, 8}}, {{1, 3}}}};
  edits.biases[0][1][1] = 3;
  expect_rows_equal_sessions(
      decoder, random_prompts(decoder.model(), {17, 8}, 9), edits,
      [&](size_t row, HeadEdits& alone) {
        alone.from_position = edits.from[row];
        alone.set_bias({1, 1}, 3);
        alone.set_biased_keys(edits.biased_keys[row]);
      },
      false);
}

TEST(BatchSession, AHeadsOwnOutputPutBackChangesNothingAndAnothersChangesTheLogits) {
  const Decoder decoder(test::load_tiny("plain"));
  const auto prompts = random_prompts(decoder.model(), {11, 18}, 10);
  const BatchSession plain(decoder, prompts, 0, {.observe = true});
  const at::Tensor gains = all_of(decoder.model(), 1);  // those of layer 1 are replaced
  gains[0][1].fill_(0);
  BatchEdits edits{.from = {10, 17}, .gains = gains, .values = plain.observed().z * (1 - gains).unsqueeze(-1)};
  const BatchSession same(decoder, prompts, 0, {.edits = edits});
  EXPECT_TRUE(close(same.logits(), plain.logits(), kTolerance));
  edits.values = edits.values.flip(0);
  const BatchSession swapped(decoder, prompts, 0, {.edits = edits});
  EXPECT_FALSE(close(swapped.logits(), plain.logits(), 0.01));
}

TEST(BatchSession, SharpenedKeysTakeAlmostAllAttention) {
  const Decoder decoder(test::load_tiny("plain"));
  const ModelConfig& config = decoder.model().config();
  const auto prompts = random_prompts(decoder.model(), {11}, 11);
  // One key with a score far above all others: z becomes that key's value, whatever sharpen is; the pattern of another head
  // stays.
  BatchEdits edits{.from = {10}, .biases = all_of(decoder.model(), 0), .biased_keys = {{{4, 5}}}};
  edits.biases[0][0][0] = 5;
  edits.sharpen = at::full({1}, 20.0f);
  const BatchSession sharpened(decoder, prompts, 0, {.observe = true, .edits = edits});
  edits.sharpen = at::Tensor();
  edits.biases[0][0][0] = 100;
  const BatchSession forced(decoder, prompts, 0, {.observe = true, .edits = edits});
  const BatchSession plain(decoder, prompts, 0, {.observe = true});
  EXPECT_TRUE(close(sharpened.observed().z[0][0][0], forced.observed().z[0][0][0], kTolerance));
  EXPECT_FALSE(close(sharpened.observed().z[0][0][0], plain.observed().z[0][0][0], 0.01));
  EXPECT_TRUE(close(sharpened.observed().z[0][0][config.heads - 1], plain.observed().z[0][0][config.heads - 1], kTolerance));
}

TEST(BatchSession, PromptStatesEndInWhatTheFinalNormSees) {
  const Decoder decoder(test::load_tiny("plain"));
  const auto prompts = random_prompts(decoder.model(), {6, 9}, 12);
  const BatchSession batch(decoder, prompts, 0, {.observe = true, .keep_prompt_states = true});
  EXPECT_TRUE(close(batch.prompt_states()[0][5], batch.observed().resid_post[0][-1], 1e-6));
  EXPECT_TRUE(close(batch.prompt_states()[1][8], batch.observed().resid_post[1][-1], 1e-6));
}

TEST(BatchSession, RestartedEqualsFresh) {
  const Decoder decoder(test::load_tiny("plain"));
  const auto prompts = random_prompts(decoder.model(), {11, 1, 18}, 13);
  BatchSession restarted(decoder, prompts, 3, {.observe = true});
  const at::Tensor z = restarted.observed().z.clone();
  BatchEdits biased{.from = {10, 0, 17},
                    .biases = all_of(decoder.model(), 2),
                    .biased_keys = {{{2, 5}}, {}, {{1, 3}}},
                    .sharpen = at::tensor({3.0f, 1.0f, 2.0f})};
  BatchEdits once{.from = {10, 0, 17}, .positions = {1, 2, 1}, .gains = all_of(decoder.model(), 0)};
  BatchEdits added{.from = {10, 0, 17}, .gains = all_of(decoder.model(), 0.5), .values = z.flip(0)};
  for (const BatchEdits& edits : {biased, added, once, BatchEdits{}}) {
    BatchSession fresh(decoder, prompts, 3, {.observe = true, .edits = edits});
    restarted.restart(edits);
    for (int step = 0; step < 3; ++step) {
      EXPECT_EQ(restarted.lengths(), fresh.lengths());
      EXPECT_TRUE(close(restarted.logits(), fresh.logits(), kTolerance)) << step;
      EXPECT_TRUE(close(restarted.observed().z, fresh.observed().z, kTolerance)) << step;
      const std::vector<TokenId> said = fresh.choose();
      fresh.append(said);
      restarted.append(said);
    }
  }
  EXPECT_ERROR(restarted.restart({.from = {10, 0, 16}}), Code::kInvalidArgument,
               "acts from position 16 on, before the last token of its prompt of 18");
}

TEST(BatchSession, AddedValuesAddToWhatIsKept) {
  const Decoder decoder(test::load_tiny("plain"));
  const auto prompts = random_prompts(decoder.model(), {11}, 14);
  const BatchSession plain(decoder, prompts, 0, {.observe = true});
  BatchEdits edits{.from = {10}, .gains = all_of(decoder.model(), 1), .values = at::zeros_like(plain.observed().z)};
  edits.gains[0][0][1] = 0.5;
  edits.values[0][0][1].fill_(1);
  const BatchSession added(decoder, prompts, 0, {.observe = true, .edits = edits});
  EXPECT_TRUE(close(added.observed().z[0][0][1], plain.observed().z[0][0][1] * 0.5 + 1, kTolerance));
  EXPECT_TRUE(close(added.observed().z[0][0][0], plain.observed().z[0][0][0], kTolerance));
}

TEST(BatchSession, EditsOfOnePositionLeaveTheNextOnesAlone) {
  const Decoder decoder(test::load_tiny("plain"));
  const auto prompts = random_prompts(decoder.model(), {11, 7}, 15);
  BatchSession edited(decoder, prompts, 1,
                      {.observe = true, .edits = {.from = {10, 6}, .positions = {1, 1}, .gains = all_of(decoder.model(), 0)}});
  EXPECT_EQ(edited.observed().z.abs().max().item<float>(), 0);
  edited.append({1, 2});
  for (int64_t row = 0; row < 2; ++row) EXPECT_GT(edited.observed().z[row].abs().max().item<float>(), 0) << row;
}

TEST(BatchSession, StoppedItStandsWhereItStood) {
  const Decoder decoder(test::load_tiny("plain"));
  const auto prompts = random_prompts(decoder.model(), {11, 7}, 16);
  Cancellation cancellation;
  BatchSession batch(decoder, prompts, 2, {.cancellation = &cancellation}), fresh(decoder, prompts, 2);
  const at::Tensor before = batch.logits().clone();
  cancellation.cancel();
  EXPECT_ERROR(batch.append({1, 2}), Code::kCancelled, "stopped");
  EXPECT_ERROR(BatchSession(decoder, prompts, 2, {.cancellation = &cancellation}), Code::kCancelled, "stopped");
  EXPECT_EQ(batch.lengths(), fresh.lengths());
  EXPECT_TRUE(at::equal(batch.logits(), before));
}

TEST(BatchSession, WrongInputIsRefused) {
  const Decoder decoder(test::load_tiny("plain"));
  EXPECT_ERROR(BatchSession(decoder, {}, 1), Code::kInvalidArgument, "no prompts");
  EXPECT_ERROR(BatchSession(decoder, {{1}, {}}, 1), Code::kInvalidArgument, "a prompt has no tokens");
  EXPECT_ERROR(BatchSession(decoder, {{1, 276}}, 1), Code::kInvalidArgument, "token id 276 is outside the vocabulary");
  EXPECT_ERROR(BatchSession(decoder, {{1, 2}}, 511), Code::kOutOfRange, "513 positions are more than the model's 512");
  EXPECT_ERROR(BatchSession(decoder, {{1}}, 1, {.edits = {.gains = at::ones({1, 1, 1})}}), Code::kInvalidArgument,
               "gains have another shape");
  EXPECT_ERROR(BatchSession(decoder, {{1}}, 1, {.edits = {.biases = all_of(decoder.model(), 1)}}), Code::kInvalidArgument,
               "biased keys of another number");
  BatchSession batch(decoder, {{1}, {2}}, 1);
  EXPECT_ERROR(batch.append({1}), Code::kInvalidArgument, "one token a row");
  batch.append({1, 2});
  EXPECT_ERROR(batch.append({1, 2}), Code::kOutOfRange, "room for appended tokens is used up");
}

}  // namespace
}  // namespace openbook::engine
