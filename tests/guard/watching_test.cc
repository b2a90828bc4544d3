// What is measured of the model while it speaks: evidence and attention of its heads, and whether a citation is what a claim
// rests on.
#include <gmock/gmock.h>

#include <numeric>
#include <random>

#include "answer/answerer.h"
#include "base/test_support.h"
#include "engine/tiny_llama.h"
#include "guard/reading_guard.h"
#include "judge/causal.h"
#include "judge/monitor.h"
#include "judge/quote.h"
#include "openbook/base/words.h"
#include "openbook/engine/chat_template.h"

namespace openbook::guard {
namespace {

using engine::TokenId;
using openbook::test::kBergen;
using openbook::test::kQuestion;

// ---- monitor, on a tiny random model

class TinyMonitor : public testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, TinyMonitor, testing::Range<uint64_t>(1, 7));

// A random choice of heads, in random order.
std::vector<engine::HeadId> some_heads(const engine::Model& model, size_t count, std::mt19937_64& random) {
  std::vector<engine::HeadId> heads = engine::test::all_heads(model);
  std::shuffle(heads.begin(), heads.end(), random);
  heads.resize(count);
  return heads;
}

TEST_P(TinyMonitor, SeesWhatEachPartSeesByItself) {
  std::mt19937_64 random(GetParam());
  const auto model = engine::test::load_tiny("plain");
  const engine::Decoder decoder(model);
  attribution::HeadAtlas atlas;
  atlas.probe.heads = some_heads(*model, 1 + random() % 5, random);
  const size_t heads = atlas.probe.heads.size();
  atlas.probe.mean = std::vector<float>(heads + 1, 0.1f);
  atlas.probe.scale = std::vector<float>(heads + 1, 2.0f);
  for (size_t i = 0; i <= heads; ++i) atlas.probe.weights.push_back(static_cast<float>(random() % 100) / 50 - 1);
  atlas.probe.first_token = {.slope = 1.5, .offset = 0.3};
  atlas.probe.continuation = {.slope = 0.5, .offset = -0.2};
  atlas.localizer.heads = some_heads(*model, 1 + random() % 5, random);
  atlas.localizer.weights =
      std::vector<float>(atlas.localizer.heads.size(), 1.0f / static_cast<float>(atlas.localizer.heads.size()));

  // Two "passages" with one token of markup between them.
  engine::Prompt prompt;
  for (int i = 0; i < 30; ++i) prompt.tokens.push_back(static_cast<TokenId>(3 + random() % 260));
  prompt.sources.resize(prompt.tokens.size());
  for (int i = 0; i < 20; ++i)
    if (i != 9) prompt.sources[i] = {i < 9 ? 0 : 1, {i, i + 1}};
  prompt.all_passages = {0, 20};

  const HeadMonitor monitor(model, atlas);
  engine::Session session(decoder, 64, monitor.heads(), prompt.all_passages);
  session.append(prompt.tokens);
  const TokenId token = prompt.tokens[12];
  const TokenObservation seen = monitor.observe(session, WatchedPassages(model->tokenizer(), prompt), token);

  engine::Session probed(decoder, 64, atlas.probe.heads, prompt.all_passages),
      located(decoder, 64, atlas.localizer.heads, prompt.all_passages);
  probed.append(prompt.tokens);
  located.append(prompt.tokens);
  const attribution::Spelling spelling(model->tokenizer(), std::span(prompt.tokens).first(20));
  const attribution::Look look = atlas.localizer.look(located.taps()->pattern(), prompt.readable(), spelling.like(token));
  std::vector<float> evidence = attribution::EvidenceReader(model, atlas.probe.heads).read(*probed.taps(), token);
  evidence.push_back(look.echo);
  EXPECT_EQ(seen.id, token);
  ASSERT_EQ(seen.evidence.size(), evidence.size());
  for (size_t i = 0; i < evidence.size(); ++i) EXPECT_NEAR(seen.evidence[i], evidence[i], 1e-4);
  EXPECT_NEAR(seen.probability_first, atlas.probe.probability_copied(evidence, true), 1e-4);
  EXPECT_NEAR(seen.probability_continuation, atlas.probe.probability_copied(evidence, false), 1e-4);
  EXPECT_NE(seen.probability_first, seen.probability_continuation);
  EXPECT_GT(look.echo, 0);
  ASSERT_EQ(seen.attention.size(), 20u);
  for (size_t i = 0; i < look.attention.size(); ++i) EXPECT_NEAR(seen.attention[i], look.attention[i], 1e-4) << i;
  EXPECT_EQ(seen.attention[0], 0) << "the prompt's first token is a sink";
  EXPECT_EQ(seen.attention[9], 0) << "markup is no passage";
  EXPECT_LE(std::accumulate(seen.attention.begin(), seen.attention.end(), 0.0), attribution::kAlike);
  EXPECT_GT(std::accumulate(seen.attention.begin(), seen.attention.end(), 0.0), 0);
}

// ---- the causal score, on a hand-written model

class Causal : public openbook::test::ReadingGuardTest {
 protected:
  void SetUp() override {
    openbook::test::ReadingLlama llama = openbook::test::two_sentence_llama();
    llama.write(folder_ / "model");
    model_ = engine::Model::load(folder_ / "model");
    decoder_.emplace(model_);
  }
  engine::Prompt prompt(const std::vector<std::string>& texts) const {
    return engine::PromptBuilder(model_->tokenizer(), engine::read_chat_template(folder_ / "model"))
        .build({.passages = documents(texts), .question = kQuestion});
  }
  Spoken said(const std::string& text) const {
    Spoken spoken{.text = text};
    for (const engine::Token& token : model_->tokenizer().encode(text)) {
      spoken.tokens.push_back({.id = token.id});
      spoken.token_bytes.push_back(token.bytes);
    }
    return spoken;
  }
  // Every claim of `spoken` that the passages hold, cited, on topic or not.
  Judgement cited(const Spoken& spoken, const engine::Prompt& prompt) const {
    const attribution::HeadAtlas atlas;
    const Question question(kQuestion);
    const std::vector<ReadPassage> passages = read_passages(prompt.passages);
    return judge_by_quote(spoken, {&prompt, &passages, nullptr, &atlas, &question});
  }
  static std::vector<TokenId> without_quote(const engine::Prompt& prompt, const std::string& words) {
    const std::vector<ReadPassage> passages = read_passages(prompt.passages);
    return without(prompt, sentences_that_hold(read_words(words, Language::kEnglish), passages));
  }
  void measure(Judgement& judgement, const Spoken& spoken, std::span<const TokenId> before, const engine::Prompt& prompt,
               double threshold) const {
    engine::Session session(*decoder_, static_cast<int64_t>(prompt.tokens.size()) + 1);
    session.append(prompt.tokens);
    const std::vector<ReadPassage> passages = read_passages(prompt.passages);
    measure_causal(judgement, spoken, before, {&session, &prompt, &passages, threshold, nullptr});
  }
  double log_probability(const std::vector<TokenId>& context, const std::vector<TokenId>& claim) const {
    const auto each = engine::log_probabilities(*decoder_, context, claim);
    return std::accumulate(each.begin(), each.end(), 0.0);
  }

  std::shared_ptr<const engine::Model> model_;
  std::optional<engine::Decoder> decoder_;
};

TEST_F(Causal, WithoutAQuoteItsSentencesAreGoneAndEverythingElseStays) {
  const std::vector<std::string> texts = {"Cold rain. The capital of Norway is Bergen. More rain.",
                                          "Ships go to Bergen: often.\nTo Lund too.", "Nothing."};
  const engine::Prompt whole = prompt(texts);
  const std::vector<TokenId> kept = without_quote(whole, "BERGEN");
  std::vector<TokenId> expected;
  for (size_t i = 0; i < whole.tokens.size(); ++i) {
    const engine::TokenSource& token = whole.sources[i];
    const bool gone =
        (token.passage == 0 && token.range.overlaps({11, 43})) || (token.passage == 1 && token.range.overlaps({0, 26}));
    if (!gone) expected.push_back(whole.tokens[i]);
  }
  EXPECT_EQ(kept, expected);
  EXPECT_EQ(model_->tokenizer().decode(kept).find("Bergen"), std::string::npos);
  EXPECT_NE(model_->tokenizer().decode(kept).find("More rain."), std::string::npos);
  EXPECT_EQ(without_quote(whole, "Turku"), whole.tokens);
  EXPECT_EQ(without_quote(whole, "..."), whole.tokens);
}

TEST_F(Causal, ScoreIsTheTeacherForcedDifferenceInAnUneditedPass) {
  const engine::Prompt whole = prompt({"Norway has 31 fjords. The capital of Norway is Bergen.", "Some 31 ships."});
  const Spoken spoken = said(" The capital of Norway is Bergen. And it has 31!");
  Judgement judgement = cited(spoken, whole);
  ASSERT_EQ(judgement.citations.size(), 2u);
  const std::vector<TokenId> before = {model_->tokenizer().encode(" Lund").at(0).id, model_->tokenizer().encode(".").at(0).id};
  measure(judgement, spoken, before, whole, 1.0);
  for (const Claim& claim : judgement.claims) {
    const Citation& citation = judgement.citations[*claim.citation];
    const int32_t token = judgement.words[claim.first_word].first_token;
    std::vector<TokenId> with = whole.tokens, without = without_quote(whole, citation.quote);
    for (std::vector<TokenId>* context : {&with, &without}) {
      context->insert(context->end(), before.begin(), before.end());
      for (int32_t i = 0; i < token; ++i) context->push_back(spoken.tokens[i].id);
    }
    const std::vector<TokenId> claimed = {spoken.tokens[token].id};
    EXPECT_NEAR(claim.causal_nats.value(), log_probability(with, claimed) - log_probability(without, claimed), 1e-4)
        << citation.quote;
    EXPECT_EQ(claim.causal, *claim.causal_nats > 1.0);
  }
  EXPECT_TRUE(judgement.claims[0].causal);
  const double nats = *judgement.claims[0].causal_nats;
  measure(judgement, spoken, before, whole, nats + 0.01);
  EXPECT_FALSE(judgement.claims[0].causal);
}

TEST_F(Causal, WhatTheModelWouldSayAnywayIsNotCausal) {
  // Oslo is its memory: the sentence that names it adds little to that, and nothing when the other passage is ignored.
  const engine::Prompt whole = prompt({"The ferry to Oslo is late."});
  const Spoken spoken = said(" The capital of Norway is Oslo.");
  Judgement judgement = cited(spoken, whole);
  ASSERT_EQ(judgement.citations.size(), 1u);
  measure(judgement, spoken, {}, whole, 1.0);
  EXPECT_LT(std::abs(*judgement.claims[0].causal_nats), 1.0);
  EXPECT_FALSE(judgement.claims[0].causal);
}

TEST_F(Causal, WithoutCitationsNothingIsMeasured) {
  const engine::Prompt whole = prompt({"Nothing."});
  const Spoken spoken = said(" The capital of Norway is Oslo.");
  Judgement judgement = cited(spoken, whole);
  ASSERT_TRUE(judgement.citations.empty());
  measure(judgement, spoken, {}, whole, 1.0);
  EXPECT_EQ(judgement.claims.size(), 1u);
}

}  // namespace
}  // namespace openbook::guard
