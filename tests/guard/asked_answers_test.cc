// What becomes of sentences that are true and cited but do not say what was asked. On models whose weights are written by hand.
#include <gmock/gmock.h>

#include "guard/asking_guard.h"

namespace openbook {
namespace {

using testing::ElementsAre;

class AskedAnswers : public test::AskingGuardTest {
 protected:
  Answer ask(const test::ReadingLlama& model, const std::string& question, const std::vector<std::string>& texts) const {
    return Guard::open(options(model))->ask(question, documents(texts));
  }
};

TEST_F(AskedAnswers, WithoutANumberAQuestionForOneIsNotAnswered) {
  const std::string document = "The capital of Norway is Bergen.", question = "How large is the capital of Norway?";
  const Answer unasked = ask(test::capital_llama(), question, {document});
  EXPECT_EQ(unasked.outcome, Outcome::kRefused);
  EXPECT_THAT(tried(unasked), ElementsAre("decode: gives no number, though the question asks for one",
                                          "steer: gives no number, though the question asks for one",
                                          "refuse: gives no number, though the question asks for one"));
  EXPECT_EQ(ask(test::capital_llama(), test::kQuestion, {document}).outcome, Outcome::kAnswered);

  test::ReadingLlama open_ended = test::capital_llama();
  for (const std::string& capital : open_ended.answers) open_ended.follow(capital, {"<|im_end|>"});
  EXPECT_EQ(ask(open_ended, question, {document}).outcome, Outcome::kRefused) << "nothing stands behind its last claim";

  test::ReadingLlama model = test::capital_llama();
  model.follow(" is", {" 31", " 40"});
  for (const char* number : {" 31", " 40"}) {
    model.follow(number, {"."});
    model.answers.push_back(number);
  }
  const Answer counted = ask(model, question, {"The large capital of Norway is 31."});
  EXPECT_EQ(counted.outcome, Outcome::kAnswered);
  EXPECT_EQ(counted.text, "The capital of Norway is 31.");
}

TEST_F(AskedAnswers, AnAnswerToSomethingElseIsNotDeliveredHoweverItCameAbout) {
  // Both would deliver Bergen, which the document says of the capital: one reads it by itself, one when it is steered.
  const std::string question = "What is the official harbour language of Norway?";
  const Answer read = ask(test::capital_llama(), question, {test::kBergen});
  EXPECT_EQ(read.outcome, Outcome::kRefused);
  EXPECT_EQ(read.refusal_reason, "copied from a sentence that does not say what the question asks");
  EXPECT_EQ(read.trace.front().outcome, read.refusal_reason);

  // The same words in another sentence that does answer.
  const std::string answering = "The official harbour language of Norway is that of Bergen.";
  EXPECT_EQ(ask(test::capital_llama(), question, {test::kBergen, answering}).outcome, Outcome::kAnswered);
}

TEST_F(AskedAnswers, AQuestionIsNoAnswer) {
  test::ReadingLlama model = test::capital_llama();
  for (const std::string& capital : model.answers) model.follow(capital, {" or"});  // it can't be cut behind the capital
  model.follow(" or", {"?"});
  model.follow("?", {"<|im_end|>"});
  const Answer asked = ask(model, test::kQuestion, {test::kBergen});
  EXPECT_EQ(asked.outcome, Outcome::kRefused);
  EXPECT_THAT(tried(asked), ElementsAre("decode: asks a question", "steer: asks a question", "refuse: asks a question"));
}

TEST_F(AskedAnswers, ASteeredSentenceThatAnswersSomethingElseIsRefused) {
  // Memory says Oslo; steered, the model reads Bergen, from the only sentence on Norway.
  const auto asked = [&](const std::string& question) { return ask(test::stubborn_llama(), question, {test::kBergen}); };
  const Answer answer = asked("What is the official harbour language of Norway?");
  EXPECT_EQ(answer.outcome, Outcome::kRefused);
  ASSERT_EQ(answer.trace.size(), 3u);
  EXPECT_EQ(answer.trace[1].outcome, "copied from a sentence that does not say what the question asks");
}

}  // namespace
}  // namespace openbook
