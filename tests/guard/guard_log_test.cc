// What the provenance log holds of an answer, and when: begin before decoding, a sentence before it is shown, whatever comes
// between.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/full_disk.h"
#include "guard/reading_guard.h"

namespace openbook {
namespace {

using nlohmann::json;
using test::kBergen;
using test::kQuestion;
using testing::ElementsAre;

const std::string kTwoSentences = "The capital of Norway is Bergen. Norway has 31 fjords!";

class GuardLog : public test::ReadingGuardTest {
 protected:
  std::vector<LogEntry> entries() const { return read_log()->entries(); }
  static json payload(const LogEntry& entry) { return json::parse(entry.payload.value()); }
  std::vector<std::string> kinds() const {
    std::vector<std::string> names;
    for (const LogEntry& entry : entries()) names.emplace_back(log_kind_name(entry.kind));
    return names;
  }
};

TEST_F(GuardLog, BeginIsThereBeforeAnythingIsDecoded) {
  const auto guard = Guard::open(with_log(options(test::capital_llama())));
  Cancellation cancellation;
  cancellation.cancel();  // seen by the first step of the decoder
  EXPECT_ERROR(guard->ask(kQuestion, documents({kBergen}), {.cancellation = &cancellation}), Code::kCancelled, "stopped");
  ASSERT_THAT(kinds(), ElementsAre("begin"));
  const json begin = payload(entries()[0]);
  EXPECT_EQ(begin["version"], 2);
  EXPECT_EQ(begin["question"], kQuestion);
  EXPECT_EQ(begin["passages"][0]["sha256"], whole_document("x", kBergen).document_sha256);
  EXPECT_EQ(begin["passages"][0]["bytes"], json({0, kBergen.size()}));
  EXPECT_EQ(begin["lead_in"], "According to the documents,");
  EXPECT_EQ(begin["model"], guard->model_fingerprint());
  EXPECT_EQ(begin["atlas"], guard->atlas_fingerprint());
  EXPECT_EQ(begin["policy"], Policy().fingerprint());
  EXPECT_EQ(Policy::parse(begin["policy_text"].get<std::string>(), "record").fingerprint(), Policy().fingerprint());
}

TEST_F(GuardLog, ASentenceIsShownOnlyOnceItsRecordIsThere) {
  const auto guard = Guard::open(with_log(options(test::two_sentence_llama())));
  size_t shown = 0;
  AskOptions ask;
  ask.on_text = [&](std::string_view text, Delivery delivery, bool) {
    const std::vector<LogEntry> so_far = entries();  // read from the files, as another process would
    ASSERT_EQ(so_far.size(), 1 + ++shown);
    EXPECT_EQ(so_far.back().kind, LogKind::kSentence);
    EXPECT_EQ(payload(so_far.back())["text"], text);
    EXPECT_EQ(payload(so_far.back())["delivery"], delivery_name(delivery));
  };
  guard->ask(kQuestion, documents({kTwoSentences}), ask);
  EXPECT_EQ(shown, 2u);
}

TEST_F(GuardLog, TheRecordsTogetherHoldTheAnswer) {
  const auto guard = Guard::open(with_log(options(test::two_sentence_llama())));
  const Answer answer = guard->ask(kQuestion, documents({"Cold.", kTwoSentences}));
  ASSERT_THAT(kinds(), ElementsAre("begin", "sentence", "sentence", "end"));
  const json whole = json::parse(to_json(answer));
  const std::vector<LogEntry> all = entries();
  EXPECT_EQ(payload(all[0])["passages"], whole["passages"]);
  std::string text;
  json joined;
  for (const size_t i : {1, 2}) {
    const json sentence = payload(all[i]);
    text += sentence["text"].get<std::string>();
    for (const char* list : {"claims", "citations", "words", "tokens"})
      for (const json& each : sentence[list]) joined[list].push_back(each);
    for (const char* field : {"text", "bytes", "delivery", "steered", "reason"})
      EXPECT_EQ(sentence[field], whole["sentences"][i - 1][field]);
  }
  EXPECT_EQ(text, answer.text);
  for (const char* list : {"claims", "citations", "words", "tokens"}) EXPECT_EQ(joined[list], whole[list]) << list;
  const json end = payload(all[3]);
  for (const char* field : {"outcome", "text", "refusal_reason", "trace"}) EXPECT_EQ(end[field], whole[field]) << field;
  for (const LogEntry& entry : all) EXPECT_EQ(entry.receipt.answer_id, answer.log_id);
  EXPECT_EQ(answer.log_receipt, to_string(all[3].receipt));
  EXPECT_EQ(read_log()->verify({parse_log_receipt(answer.log_receipt)}).state, LogState::kWhole);
}

TEST_F(GuardLog, ARefusalIsRecordedWithWhatWasTriedAndItsEvidence) {
  const auto guard = Guard::open(with_log(options(test::capital_llama())));
  const Answer answer = guard->ask(kQuestion, documents({"Norway is cold."}));
  ASSERT_EQ(answer.outcome, Outcome::kRefused);
  ASSERT_THAT(kinds(), ElementsAre("begin", "end"));
  const json end = payload(entries()[1]);
  EXPECT_EQ(end["outcome"], "refused");
  EXPECT_EQ(end["refusal_reason"], "recited: \"Oslo\"");
  ASSERT_EQ(end["trace"].size(), 3u);
  EXPECT_EQ(end["trace"][0]["tokens"].size(), answer.trace[0].tokens.size());
  EXPECT_EQ(end["trace"][0]["tokens"][5]["evidence"].size(), 3u);  // of two heads, and the echo
  EXPECT_EQ(end["trace"][1]["tokens"][0]["edited"], true);
  const json& said = end["trace"][0];
  EXPECT_EQ(said["lacks"], "");
  ASSERT_FALSE(said["claims"].empty());
  EXPECT_EQ(said["claims"].back()["text"], "Oslo");
  EXPECT_EQ(said["claims"].back()["verdict"], "recited");
  EXPECT_EQ(said["claims"].back()["support"], "unsupported");
  ASSERT_EQ(said["words"].size(), answer.trace[0].words.size());
  EXPECT_EQ(said["words"][5]["text"], "Oslo");
  EXPECT_EQ(said["words"][5]["probability_copied"], answer.trace[0].words[5].probability_copied);
}

TEST_F(GuardLog, AnAnswerThatIsStoppedInTheMiddleIsInterruptedAndTheLogGoesOn) {
  const auto guard = Guard::open(with_log(options(test::endless_llama())));
  Cancellation cancellation;
  std::string shown;
  AskOptions ask{.cancellation = &cancellation};
  ask.on_text = [&](std::string_view text, Delivery, bool) {
    shown += text;
    if (shown.size() > text.size()) cancellation.cancel();  // at the second sentence
  };
  EXPECT_ERROR(guard->ask(kQuestion, documents({kBergen}), ask), Code::kCancelled, "stopped");
  EXPECT_THAT(kinds(), ElementsAre("begin", "sentence", "sentence"));
  const LogReport report = read_log()->verify();
  EXPECT_EQ(report.state, LogState::kWhole);
  EXPECT_THAT(report.interrupted, ElementsAre(entries()[0].receipt.answer_id));

  const Answer next = guard->ask(kQuestion, documents({kBergen}), {.max_tokens = 7});
  EXPECT_EQ(next.outcome, Outcome::kAnswered);
  EXPECT_EQ(read_log()->verify().interrupted.size(), 1u);
}

TEST_F(GuardLog, PastItsDeadlineAnAnswerIsAnErrorAndInterrupted) {
  GuardOptions options = with_log(this->options(test::endless_llama()));
  options.policy.max_sentences = 100;
  const auto guard = Guard::open(options);
  EXPECT_ERROR(guard->ask(kQuestion, documents({kBergen}), {.max_tokens = 300, .deadline_ms = 1}), Code::kDeadlineExceeded,
               "longer than 1 ms");
  EXPECT_EQ(read_log()->verify().interrupted.size(), 1u);
}

TEST_F(GuardLog, WhatCanNotBeRecordedIsNotShown) {
  const auto guard = Guard::open(with_log(options(test::two_sentence_llama())));
  std::vector<std::string> shown;
  std::optional<test::FileSizeLimit> full;
  AskOptions ask;
  ask.on_text = [&](std::string_view text, Delivery, bool) {
    shown.emplace_back(text);
    full.emplace(100);
  };
  EXPECT_ERROR(guard->ask(kQuestion, documents({kTwoSentences}), ask), Code::kResourceExhausted, (folder_ / "log").string());
  EXPECT_EQ(shown.size(), 1u);
  EXPECT_ERROR(guard->ask(kQuestion, documents({kTwoSentences}), ask), Code::kResourceExhausted, (folder_ / "log").string());
  EXPECT_EQ(shown.size(), 1u);
  full.reset();
  guard->ask(kQuestion, documents({kTwoSentences}));
  EXPECT_THAT(kinds(), ElementsAre("begin", "sentence", "begin", "sentence", "sentence", "end"));
  EXPECT_EQ(read_log()->verify().state, LogState::kWhole);
}

TEST_F(GuardLog, ASecondGuardOnOneLogIsRefused) {
  const GuardOptions options = with_log(this->options(test::capital_llama()));
  const auto first = Guard::open(options);
  EXPECT_ERROR(Guard::open(options), Code::kUnavailable, (folder_ / "log").string());
  first->ask(kQuestion, documents({kBergen}));
}

TEST_F(GuardLog, UnguardedAnswersAndChecksLeaveNoRecord) {
  const auto guard = Guard::open(with_log(options(test::capital_llama())));
  EXPECT_EQ(guard->ask_unguarded(kQuestion, documents({kBergen})).log_id, "");
  guard->check(kQuestion, documents({kBergen}), kBergen);
  EXPECT_TRUE(entries().empty());
}

TEST_F(GuardLog, ThreadsAnswerIntoOneWholeChain) {
  const auto guard = Guard::open(with_log(options(test::two_sentence_llama())));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { guard->ask(kQuestion, documents({kTwoSentences})); });
  for (std::thread& thread : threads) thread.join();
  const LogReport report = read_log()->verify();
  EXPECT_EQ(report.state, LogState::kWhole) << report.finding;
  EXPECT_EQ(report.records, 16u);
  EXPECT_TRUE(report.interrupted.empty());
}

TEST(AnswerJson, IsMadeWhateverTheTextHolds) {
  Answer answer;
  answer.text = std::string("a\0\x1B\xFF", 4) + "\"";
  answer.passages.push_back(whole_document("d\xFF", "x"));
  answer.trace.push_back({.what = "decode", .text = "\xC3"});
  const json parsed = json::parse(to_json(answer));
  EXPECT_EQ(parsed["text"].get<std::string>(), std::string("a\0\x1B", 3) + "\uFFFD\"");
  EXPECT_EQ(parsed["trace"][0]["text"], "\uFFFD");
}

}  // namespace
}  // namespace openbook
