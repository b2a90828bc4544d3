// A stored answer under another policy: what is known of it is what the guard does under that policy, and the rest is said to be
// unknown. On models whose weights are written by hand.
#include <gmock/gmock.h>

#include "guard/reading_guard.h"
#include "openbook/guard/ruled_answer.h"

namespace openbook {
namespace {

using test::kBergen;
using test::kQuestion;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kTwoSentences = "The capital of Norway is Bergen. Norway has 31 fjords!";
const std::string kSaid = "The capital of Norway is ";

Policy with(const std::function<void(Policy&)>& change) {
  Policy policy;
  policy.name = "changed";
  change(policy);
  return policy;
}
Policy all_of(Action action) {
  return with([&](Policy& policy) {
    policy.name = action_name(action);
    policy.on_recited = policy.on_unchecked = policy.on_off_topic = policy.on_uncited = action;
  });
}

class RuleAgain : public test::ReadingGuardTest {
 protected:
  struct Stored {
    Answer answer;
    std::vector<LogEntry> records;
  };
  Stored ask(const test::ReadingLlama& model, const std::string& text, const Policy& policy,
             const std::string& question = kQuestion) {
    std::filesystem::remove_all(folder_ / "log");
    std::filesystem::remove(folder_ / "log.key");
    GuardOptions options = with_log(this->options(model, change_));
    options.policy = policy;
    Answer answer = Guard::open(options)->ask(question, documents({text}));
    return {answer, read_log()->of_answer(answer.log_id)};
  }

  std::function<void(attribution::HeadAtlas&)> change_;
};

std::vector<std::string> deliveries(const RuledAnswer& ruled) {
  std::vector<std::string> all;
  for (const RuledSentence& sentence : ruled.sentences)
    all.emplace_back(sentence.delivery ? delivery_name(*sentence.delivery) : "unknown");
  return all;
}

struct Case {
  const char* name;
  test::ReadingLlama model;
  std::string text;
};

std::vector<Case> cases() {
  test::ReadingLlama silent = test::capital_llama();
  silent.follow("\n", {"<|im_end|>"});
  test::ReadingLlama cut = test::stubborn_llama();
  for (const std::string& capital : test::capital_llama().answers) cut.follow(capital, {","});
  cut.follow(",", {" Quito"});
  cut.follow(" Quito", {"."});
  return {{"delivered", test::capital_llama(), kBergen},
          {"recited", test::capital_llama(), "Norway is cold."},
          {"off topic", test::capital_llama(), "The capital of Sweden is Lund."},
          {"steered", test::stubborn_llama(), kBergen},
          {"steered and cut", cut, kBergen},
          {"two sentences", test::two_sentence_llama(), kTwoSentences},
          {"second refused", test::two_sentence_llama(), kBergen},
          {"endless", test::endless_llama(), kBergen},
          {"silent", silent, kBergen}};
}

// The law: what is known is what the guard says under that policy.
TEST_F(RuleAgain, WhatIsKnownIsWhatTheGuardSaysUnderThatPolicy) {
  const std::vector<Policy> policies = {Policy(),
                                        all_of(Action::kAllow),
                                        all_of(Action::kFlag),
                                        all_of(Action::kRefuse),
                                        with([](Policy& policy) { policy.after_steering = Action::kFlag; }),
                                        with([](Policy& policy) { policy.max_sentences = 1; }),
                                        with([](Policy& policy) {
                                          policy.on_recited = Action::kRefuse;
                                          policy.on_uncited = Action::kFlag;
                                          policy.refusal_text = "No.";
                                        })};
  size_t known = 0, unknown = 0;
  for (const Case& each : cases()) {
    std::vector<Stored> stored;
    for (const Policy& policy : policies) stored.push_back(ask(each.model, each.text, policy));
    for (size_t recorded = 0; recorded < policies.size(); ++recorded)
      for (size_t other = 0; other < policies.size(); ++other) {
        SCOPED_TRACE(std::string(each.name) + ", recorded under policy " + std::to_string(recorded) + ", ruled under " +
                     std::to_string(other));
        const RuledAnswer ruled = rule_again(stored[recorded].records, policies[other]);
        const Answer& real = stored[other].answer;
        EXPECT_EQ(ruled.recorded_outcome, stored[recorded].answer.outcome);
        EXPECT_EQ(ruled.recorded_policy, policies[recorded].name);
        if (recorded == other) EXPECT_THAT(ruled.not_known, IsEmpty());
        size_t shown = 0;
        for (const RuledSentence& sentence : ruled.sentences) {
          if (!sentence.delivery || *sentence.delivery == Delivery::kRefused) continue;
          ASSERT_LT(shown, real.sentences.size());
          EXPECT_EQ(sentence.text, slice(real.text, real.sentences[shown].answer));
          EXPECT_EQ(*sentence.delivery, real.sentences[shown].delivery);
          EXPECT_EQ(sentence.steered, real.sentences[shown].steered);
          EXPECT_EQ(sentence.reason, real.sentences[shown].reason);
          ++shown;
        }
        if (ruled.not_known.empty()) {
          ++known;
          EXPECT_EQ(ruled.outcome, real.outcome);
          EXPECT_EQ(ruled.text, real.text);
          EXPECT_EQ(ruled.reason, real.refusal_reason);
          EXPECT_EQ(shown, real.sentences.size());
        } else {
          ++unknown;
          EXPECT_TRUE(!ruled.outcome || ruled.outcome == real.outcome);
        }
      }
  }
  EXPECT_GT(known, 200u);
  EXPECT_GT(unknown, 50u);
}

TEST_F(RuleAgain, WhatWasRefusedAndSteeredForNothingWouldBeFlagged) {
  const Stored stored = ask(test::capital_llama(), "Norway is cold.", Policy());
  const RuledAnswer flagged = rule_again(stored.records, Policy::annotate());
  EXPECT_EQ(flagged.outcome, Outcome::kAnswered);
  EXPECT_THAT(deliveries(flagged), ElementsAre("flagged"));
  EXPECT_EQ(flagged.sentences[0].reason, "recited: \"Oslo\"");
  EXPECT_EQ(flagged.text, kSaid + "Oslo.");
  EXPECT_THAT(flagged.not_known, ElementsAre(HasSubstr("what the model would have said after sentence 1")));
  const RuledAnswer other_words = rule_again(stored.records, with([](Policy& policy) { policy.refusal_text = "Ask us."; }));
  EXPECT_EQ(other_words.outcome, Outcome::kRefused);
  EXPECT_EQ(other_words.text, "Ask us.");
  EXPECT_EQ(other_words.reason, "recited: \"Oslo\"");
}

TEST_F(RuleAgain, ASteerThatWasNeverTriedIsNotKnownAndSaysSo) {
  const Stored flagged = ask(test::stubborn_llama(), kBergen, Policy::annotate());
  const RuledAnswer ruled = rule_again(flagged.records, Policy());
  EXPECT_EQ(ruled.outcome, std::nullopt);
  EXPECT_EQ(ruled.text, "");
  EXPECT_THAT(deliveries(ruled), ElementsAre("unknown"));
  EXPECT_EQ(ruled.sentences[0].reason, "recited: \"Oslo\"");
  ASSERT_EQ(ruled.not_known.size(), 1u);
  EXPECT_EQ(ruled.not_known[0],
            "what steering would have brought for sentence 1: it was never tried, since the recorded policy flagged it; where it "
            "brings nothing that stands, the sentence is refused");
  const Stored refused = ask(test::stubborn_llama(), kBergen, all_of(Action::kRefuse));
  EXPECT_THAT(rule_again(refused.records, with([](Policy& policy) { policy.after_steering = Action::kFlag; })).not_known,
              ElementsAre(HasSubstr("refused it at once; where it brings nothing that stands, the sentence is flagged")));
}

TEST_F(RuleAgain, WhatSteeringBroughtIsOnRecord) {
  const Stored stored = ask(test::stubborn_llama(), kBergen, Policy());
  const RuledAnswer ruled = rule_again(stored.records, with([](Policy& policy) { policy.after_steering = Action::kFlag; }));
  ASSERT_THAT(deliveries(ruled), ElementsAre("delivered"));
  EXPECT_TRUE(ruled.sentences[0].steered);
  EXPECT_EQ(ruled.text, stored.answer.text);
}

TEST_F(RuleAgain, AnAbstentionStaysOneInTheWordsOfTheOtherPolicy) {
  test::ReadingLlama model = test::capital_llama();
  model.follow(" The", {" documents"});
  model.follow(" documents", {" do"});
  model.follow(" do", {" not"});
  model.follow(" not", {" answer"});
  model.follow(" answer", {"."});
  const Stored stored = ask(model, kBergen, Policy());
  ASSERT_EQ(stored.answer.outcome, Outcome::kAbstained);
  const RuledAnswer ruled = rule_again(stored.records, with([](Policy& policy) {
                                         policy.on_uncited = Action::kRefuse;
                                         policy.abstained_text = "Not in our papers.";
                                       }));
  EXPECT_EQ(ruled.outcome, Outcome::kAbstained);
  EXPECT_EQ(ruled.text, "Not in our papers.");
  EXPECT_THAT(ruled.not_known, IsEmpty());
}

TEST_F(RuleAgain, WhatAnAnswerLacksIsOnRecord) {
  const Stored stored = ask(test::capital_llama(), kBergen, Policy(), "How large is the capital of Norway?");
  const RuledAnswer ruled = rule_again(stored.records, all_of(Action::kFlag));
  EXPECT_THAT(deliveries(ruled), ElementsAre("flagged"));
  EXPECT_EQ(ruled.sentences[0].reason, "gives no number, though the question asks for one");
}

TEST_F(RuleAgain, CausalCitationsThatWereNotMeasuredAreNotKnown) {
  const Stored stored = ask(test::capital_llama(), kBergen, Policy());
  const RuledAnswer ruled = rule_again(stored.records, with([](Policy& policy) { policy.require_causal_citations = true; }));
  EXPECT_THAT(deliveries(ruled), ElementsAre("delivered"));
  EXPECT_THAT(ruled.not_known, ElementsAre(HasSubstr("causal: it was not measured")));
}

// ---- what can't be ruled

LogEntry entry(LogKind kind, const std::string& payload) {
  LogEntry entry;
  entry.receipt = {1, std::string(32, 'a'), std::string(64, 'b')};
  entry.kind = kind;
  entry.payload = payload;
  return entry;
}

TEST(RecordedAnswer, WhatCanNotBeRuledAgainSaysWhy) {
  LogEntry erased = entry(LogKind::kSentence, "");
  erased.payload.reset();
  const std::string policy = nlohmann::json(Policy().to_toml()).dump();
  const auto begin = [&](const std::string& version) {
    return entry(LogKind::kBegin, R"({"version": )" + version + R"(, "question": "q", "policy_text": )" + policy + "}");
  };
  const auto end = [&](const std::string& trace) {
    return entry(LogKind::kEnd, R"({"version": 2, "outcome": "answered", "refusal_reason": "", "trace": [)" + trace + "]}");
  };
  const auto attempt = [](const std::string& words, const std::string& claims) {
    return R"({"what": "decode", "text": "abc", "outcome": "", "lacks": "", "citations": [], "words": [)" + words +
           R"(], "claims": [)" + claims + "]}";
  };
  const struct {
    std::vector<LogEntry> records;
    Code code;
    const char* piece;
  } rows[] = {
      {{}, Code::kDataLoss, "no records"},
      {{begin("2")}, Code::kFailedPrecondition, "it was interrupted"},
      {{begin("1"), end("")}, Code::kFailedPrecondition, "version 1) do not hold the judgement of every attempt"},
      {{begin("3"), end("")}, Code::kUnimplemented, "version 3, this build reads version 2"},
      {{begin("2"), erased, end("")}, Code::kFailedPrecondition, "it was erased"},
      {{begin("2"), entry(LogKind::kErase, "erased 1\n")}, Code::kFailedPrecondition, "it was erased"},
      {{entry(LogKind::kBegin, "nonsense")}, Code::kDataLoss, "record 1: is no record of an answer"},
      {{entry(LogKind::kBegin, "[]")}, Code::kDataLoss, "record 1: is no record of an answer"},
      {{entry(LogKind::kBegin, R"({"version": 2, "question": "q", "policy_text": "version = 1"})")},
       Code::kInvalidArgument,
       "policy of the record: has no name"},
      {{begin("2"), end("{}")}, Code::kDataLoss, "is no record of an answer"},
      {{begin("2"), end(attempt(R"({"bytes": [0, 4], "verdict": "copied", "probability_copied": 1})", ""))},
       Code::kDataLoss,
       "bytes [0,4] are not in a text of 3"},
      {{begin("2"), end(attempt(R"({"bytes": [2, 1], "verdict": "copied", "probability_copied": 1})", ""))},
       Code::kDataLoss,
       "bytes [2,1]"},
      {{begin("2"), end(attempt(R"({"bytes": [0, 1], "verdict": "made up", "probability_copied": 1})", ""))},
       Code::kDataLoss,
       "\"made up\" is no value"},
      {{begin("2"),
        end(attempt("", R"({"bytes": [0, 1], "verdict": "copied", "score": 1, "support": "supported", "citation": 0,
                         "causal_nats": null, "causal": false})"))},
       Code::kDataLoss,
       "cites what is not there"},
  };
  for (const auto& row : rows) EXPECT_ERROR(rule_again(row.records, Policy()), row.code, row.piece);
}

}  // namespace
}  // namespace openbook
