// What becomes of a sentence that does not stand as the model said it: steered and checked again, cut where it stands, or the end
// of the answer. On models whose weights are written by hand.
#include <gmock/gmock.h>

#include "guard/asking_guard.h"

namespace openbook {
namespace {

using test::kBergen;
using test::kQuestion;
using test::kSaid;
using test::kSteered;
using testing::ElementsAre;

using GuardSteering = test::AskingGuardTest;

TEST_F(GuardSteering, ARecitedSentenceIsSteeredToTheDocumentAndProvesCausal) {
  const Answer answer = ask(test::stubborn_llama(), {kBergen});
  EXPECT_THAT(tried(answer), ElementsAre("decode: recited: \"Oslo\"", "steer: supported and causal"));
  EXPECT_EQ(answer.text, kSteered + "Bergen.");
  ASSERT_EQ(answer.sentences.size(), 1u);
  EXPECT_TRUE(answer.sentences[0].steered);
  EXPECT_EQ(answer.sentences[0].delivery, Delivery::kDelivered);
  for (const TokenRecord& token : answer.tokens) EXPECT_TRUE(token.edited);
  for (const TokenRecord& token : answer.trace[0].tokens) EXPECT_FALSE(token.edited);
  ASSERT_EQ(answer.citations.size(), 1u);
  EXPECT_TRUE(answer.citations[0].causal);
  EXPECT_GT(answer.citations[0].causal_nats.value(), 1);
}

TEST_F(GuardSteering, ASteeredSentenceThatIsNotCausalIsRefusedOrFlaggedAsItWas) {
  GuardOptions options = this->options(test::stubborn_llama(), [](attribution::HeadAtlas& atlas) { atlas.causal_nats = 100; });
  const Answer refused = Guard::open(options)->ask(kQuestion, documents({kBergen}));
  EXPECT_EQ(refused.outcome, Outcome::kRefused);
  EXPECT_THAT(tried(refused),
              ElementsAre("decode: recited: \"Oslo\"", "steer: not causal: \"Bergen\"", "refuse: recited: \"Oslo\""));

  options.policy.after_steering = Action::kFlag;
  const Answer flagged = Guard::open(options)->ask(kQuestion, documents({kBergen}));
  EXPECT_EQ(flagged.outcome, Outcome::kAnswered);
  EXPECT_EQ(flagged.text, kSaid + "Oslo.");
  ASSERT_EQ(flagged.sentences.size(), 1u);
  EXPECT_EQ(flagged.sentences[0].delivery, Delivery::kFlagged);
  EXPECT_FALSE(flagged.sentences[0].steered);
  EXPECT_EQ(flagged.sentences[0].reason, "recited: \"Oslo\"");
}

TEST_F(GuardSteering, ASteeredSentenceEndsWithTheClauseBeforeItsFirstUnsupportedClaim) {
  const auto said_after_the_capital = [](const std::string& joint) {
    test::ReadingLlama model = test::stubborn_llama();
    for (const std::string& capital : test::capital_llama().answers) model.follow(capital, {joint});
    model.follow(joint, {" Quito"});
    model.follow(" Quito", {"."});
    return model;
  };
  const Answer answer = ask(said_after_the_capital(","), {kBergen});
  EXPECT_EQ(answer.text, kSteered + "Bergen");
  EXPECT_THAT(tried(answer), ElementsAre("decode: recited: \"Oslo\"", "steer: supported up to \"Quito\", cut before it"));
  EXPECT_EQ(answer.trace[1].text, kSteered + "Bergen, Quito.");
  ASSERT_EQ(answer.claims.size(), 1u);
  EXPECT_EQ(answer.claims[0].support, Support::kSupported);
  EXPECT_EQ(answer.words.back().answer.end, static_cast<int64_t>(answer.text.size()));
  EXPECT_EQ(answer.tokens.back().answer.end, static_cast<int64_t>(answer.text.size()));
  EXPECT_EQ(answer.sentences[0].answer.end, static_cast<int64_t>(answer.text.size()));

  const Answer piece = ask(said_after_the_capital(" and"), {kBergen});
  EXPECT_EQ(piece.outcome, Outcome::kRefused) << "a piece of a clause is no answer";
  EXPECT_THAT(tried(piece),
              ElementsAre("decode: recited: \"Oslo\"", "steer: not copied from a passage about the question: \"Quito\"",
                          "refuse: recited: \"Oslo\""));
}

TEST_F(GuardSteering, ASentenceThatTheProbeIsNotSureOfIsProvedBeforeAnythingIsSteered) {
  GuardOptions options =
      this->options(test::capital_llama(), [](attribution::HeadAtlas& atlas) { atlas.first_token.copied_above = 1; });
  const Answer proved = Guard::open(options)->ask(kQuestion, documents({"The capital of Norway is Bergen today."}));
  EXPECT_THAT(tried(proved),
              ElementsAre("decode: not copied from a passage about the question: \"Bergen\"", "prove: supported and causal"));
  EXPECT_EQ(proved.text, kSaid + "Bergen.");
  ASSERT_EQ(proved.sentences.size(), 1u);
  EXPECT_FALSE(proved.sentences[0].steered);
  EXPECT_TRUE(proved.citations.at(0).causal);
  for (const TokenRecord& token : proved.tokens) EXPECT_FALSE(token.edited);

  // Memory is never tried: "Oslo" stands in the document, and the probe says that it was recited.
  const Answer recited = ask(test::stubborn_llama(), {"The capital of Norway is Bergen. Oslo was."});
  EXPECT_EQ(recited.trace.at(0).outcome, "recited: \"Oslo\"");
  EXPECT_NE(recited.trace.at(1).what, "prove");
}

TEST_F(GuardSteering, OfASteeredSentenceThatRepeatsTheDocumentOneCausalClaimIsEnough) {
  test::ReadingLlama model = test::stubborn_llama();
  for (const std::string& capital : test::capital_llama().answers) model.follow(capital, {" and"});
  model.follow(" and", {" Quito"});  // sure after "and", so not causal
  model.follow(" Quito", {"."});
  const Answer repeated = ask(model, {"The capital of Norway is Bergen and Quito."});
  EXPECT_EQ(repeated.text, kSteered + "Bergen and Quito.");
  ASSERT_EQ(repeated.claims.size(), 2u);
  EXPECT_TRUE(repeated.claims[0].causal);
  EXPECT_FALSE(repeated.claims[1].causal);
  EXPECT_EQ(repeated.citations.size(), 1u) << "one for the clause";

  const Answer pieced = ask(model, {"The capital of Norway is Bergen. Norway has Quito."});
  EXPECT_THAT(tried(pieced),
              ElementsAre("decode: recited: \"Oslo\"", "steer: not causal: \"Quito\"", "refuse: recited: \"Oslo\""));
}

TEST_F(GuardSteering, SteeringDrawsNoAttentionToMarksOfHeadings) {
  // It may begin with "##" or " The": memory speaks for " The", and "##" wins once it is attended to as much as the passages'
  // words are under steering.
  test::ReadingLlama model = test::stubborn_llama();
  model.follow("\n", {" The", "##"});
  model.follow("##", {" The"});
  model.answers.insert(model.answers.end(), {" The", "##"});
  model.memory[" capital"] = " The";
  const Answer answer = ask(model, {"## The capital of Norway is Bergen."});
  ASSERT_THAT(tried(answer), ElementsAre("decode: recited: \"Oslo\"", "steer: supported and causal"));
  EXPECT_FALSE(answer.trace[1].tokens[0].answer.empty()) << "the steered sentence began with the mark of a heading";
}

// ---- where an answer ends

TEST_F(GuardSteering, SentencesAreJudgedOneByOneAndTheAnswerEndsAtTheFirstRefused) {
  const Answer both = ask(test::two_sentence_llama(), {"The capital of Norway is Bergen. Norway has 31 fjords!"});
  EXPECT_EQ(both.text, kSteered + "Bergen. And it has 31!");
  ASSERT_EQ(both.sentences.size(), 2u);
  for (const Citation& citation : both.citations)
    EXPECT_EQ(slice(both.text, citation.answer), citation.quote)
        << "the second sentence's ranges count from the answer's first byte";

  const Answer first = ask(test::two_sentence_llama(), {kBergen});
  EXPECT_EQ(first.outcome, Outcome::kAnswered);
  EXPECT_EQ(first.text, kSaid + "Bergen.");
  EXPECT_EQ(first.sentences.size(), 1u);
  EXPECT_EQ(first.refusal_reason, "");
  EXPECT_EQ(first.trace.back().what, "refuse");
}

TEST_F(GuardSteering, LimitsOfSentencesAndTokensEndAnAnswer) {
  Policy policy;
  policy.max_sentences = 3;
  EXPECT_EQ(ask(test::endless_llama(), {kBergen}, policy).sentences.size(), 3u);
  policy.max_sentences = 100;
  const Answer cut = ask(test::endless_llama(), {kBergen}, policy, {.max_tokens = 13});  // seven tokens a sentence
  EXPECT_EQ(cut.tokens.size(), 13u);
  EXPECT_EQ(cut.text, kSaid + "Bergen. " + kSaid + "Bergen");
}

}  // namespace
}  // namespace openbook
