// What users stored with openbook 0.1.0 works with every later one: an index is searched, a log verified, shown and continued, an
// atlas and a policy loaded. A change that breaks one of these must convert the old form, not change the stored files.
#include "guard/stored.h"

#include <gmock/gmock.h>

#include <fstream>

#include "openbook/attribution/head_atlas.h"
#include "openbook/base/hash.h"
#include "openbook/engine/model.h"
#include "openbook/guard/policy.h"
#include "openbook/guard/provenance_log.h"
#include "openbook/retriever/retriever.h"

namespace openbook {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class StoredIndex : public test::StoredTest {
 protected:
  void SetUp() override { unpack("index.tar.gz"); }

  std::vector<json> search(const std::string& question) const {
    const auto found = run({"search", question, "--mode", "words", "--index", "index", "--format", "json"});
    EXPECT_EQ(found.status, 0) << found.err;
    return json::parse(found.out)["passages"];
  }
};

TEST_F(StoredIndex, IsSearchedByWordsAndKnowsTheNewestVersionAlone) {
  const auto found = search("When does the library open?");
  ASSERT_FALSE(found.empty());
  EXPECT_THAT(found[0]["document"].get<std::string>(), EndsWith("docs/library.txt"));
  EXPECT_EQ(found[0]["text"], "The library opens at ten. It closes at six.");
  EXPECT_EQ(found[0]["byte_begin"], 0);
  for (const json& passage : search("old mill for sale, library opens at nine"))
    EXPECT_THAT(passage["text"].get<std::string>(), AllOf(Not(HasSubstr("mill")), Not(HasSubstr("nine"))));
  const auto fares = search("What does a ticket cost?");
  ASSERT_FALSE(fares.empty());
  EXPECT_THAT(fares[0]["text"].get<std::string>(), HasSubstr("14 crowns"));
  EXPECT_EQ(fares[0]["line"], 5);
}

TEST_F(StoredIndex, OldCitationsStillResolve) {
  const auto index = retriever::Retriever::open(folder_ / "index", nullptr, retriever::OpenMode::kReadOnly);
  EXPECT_EQ(index->documents().size(), 2u);
  for (const std::string text : {"The library opens at nine. It closes at six.\n", "The old mill is for sale.\n"})
    EXPECT_EQ(index->document_text(sha256_hex(text)), text);
}

class StoredLog : public test::StoredTest {
 protected:
  void SetUp() override {
    unpack("log.tar.gz");
    std::ifstream file(stored("receipts.txt"));
    for (std::string line; std::getline(file, line);) receipts_.push_back(line);
    ASSERT_EQ(receipts_.size(), 4u);
  }

  test::ProgramResult log(std::vector<std::string> arguments, bool with_key = true) const {
    arguments.insert(arguments.begin(), "log");
    arguments.insert(arguments.end(), {"--log", "log", "--format", "json"});
    if (with_key) arguments.insert(arguments.end(), {"--log-key", "log.key"});
    return run(arguments);
  }
  std::string answer_id(size_t answer) const {
    return answer < 3 ? parse_log_receipt(receipts_[answer]).answer_id : receipts_[answer];
  }

  std::vector<std::string> receipts_;  // of an answer that was delivered, one refused, one erased; the id of an interrupted one
};

TEST_F(StoredLog, VerifiesWithEveryReceiptThatWasGiven) {
  const auto verified = log({"verify", "--expect", receipts_[0], "--expect", receipts_[1], "--expect", receipts_[2]});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
  const json report = json::parse(verified.out);
  EXPECT_EQ(report["state"], "whole");
  EXPECT_EQ(report["records"], 10);
  EXPECT_EQ(report["erased"], 3);
  EXPECT_EQ(report["interrupted"], json::array({answer_id(3)}));
  EXPECT_EQ(log({"verify"}, false).status, 3) << "without its key it is unverifiable";
}

TEST_F(StoredLog, ListsAndShowsItsAnswers) {
  const auto listed = log({"list"});
  ASSERT_EQ(listed.status, 0) << listed.err;
  const json entries = json::parse(listed.out)["entries"];
  ASSERT_EQ(entries.size(), 4u);
  for (size_t answer = 0; answer < 4; ++answer) EXPECT_EQ(entries[answer]["answer_id"], answer_id(answer));
  EXPECT_EQ(entries[0]["outcome"], "answered");
  EXPECT_EQ(entries[0]["question"], "What is the capital of Norway?");
  EXPECT_EQ(entries[1]["outcome"], "refused");
  EXPECT_EQ(entries[2]["state"], "erased");
  EXPECT_EQ(entries[3]["state"], "interrupted");

  const auto shown = log({"show", answer_id(0)});
  ASSERT_EQ(shown.status, 0) << shown.err;
  const json records = json::parse(shown.out)["records"];
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1]["payload"]["citations"][0]["quote"], "Bergen");
  EXPECT_EQ(records[2]["payload"]["text"], "The capital of Norway is Bergen.");
  const auto erased = log({"show", answer_id(2)});
  EXPECT_EQ(erased.status, 0) << erased.err;
  EXPECT_THAT(erased.out, Not(HasSubstr("Bergen")));
  EXPECT_THAT(erased.out, HasSubstr("asked for by a reader"));
}

TEST_F(StoredLog, SaysThatItsAnswersCanNotBeRuledAgain) {
  const auto ruled = log({"rule", answer_id(0), "--policy", "annotate"});
  EXPECT_EQ(ruled.status, 1);
  EXPECT_THAT(ruled.err, HasSubstr("can't be ruled again: its records (version 1) do not hold the judgement of every attempt"));
}

TEST_F(StoredLog, ChangesItsKeyAndVerifiesWithBoth) {
  const auto changed = log({"rotate-key", "--new-key", "second.key"});
  ASSERT_EQ(changed.status, 0) << changed.err;
  const auto verified = run({"log", "verify", "--log", "log", "--log-key", "second.key", "--old-key", "log.key", "--expect",
                             receipts_[0], "--expect", receipts_[1]});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
}

TEST_F(StoredLog, GoesOnWithItsOwnKey) {
  const auto appended =
      ProvenanceLog::open(folder_ / "log", folder_ / "log.key", LogMode::kAppend)
          ->append(LogKind::kBegin, ProvenanceLog::new_answer_id(), "{\"version\": 1, \"question\": \"And now?\"}");
  EXPECT_EQ(appended.sequence, 11u);
  EXPECT_EQ(log({"erase", answer_id(0), "--reason", "a trial"}).status, 0);
  const auto verified = log({"verify", "--expect", receipts_[0], "--expect", to_string(appended)});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
}

TEST(StoredAtlas, LoadsForItsModelWithEveryField) {
  const auto atlas = attribution::HeadAtlas::load(test::test_data("stored-0.1.0") / "atlas.json");
  const auto model = engine::Model::load(test::golden("tiny_llama/plain"));
  EXPECT_NO_THROW(atlas.require_model(*model));
  EXPECT_EQ(atlas.model_name, "tiny llama");
  EXPECT_THAT(atlas.in_context, testing::ElementsAre(engine::HeadId{1, 2}, engine::HeadId{0, 1}));
  EXPECT_EQ(atlas.probe.weights, (std::vector<float>{0.7f, -0.3f, 0.5f}));
  EXPECT_EQ(atlas.probe.bias, 0.123456789f);
  EXPECT_EQ(atlas.probe.first_token.slope, 1.1);
  EXPECT_EQ(atlas.localizer.weights, (std::vector<float>{0.6f, 0.4f}));
  EXPECT_EQ(atlas.first_token.copied_above, 0.9);
  EXPECT_EQ(atlas.first_token.recited_below, 0.2);
  EXPECT_EQ(atlas.steering.bias, 3);
  EXPECT_EQ(atlas.causal_nats, 1.5);
  EXPECT_EQ(atlas.provenance.at("date"), "2025-11-24");
}

TEST(StoredPolicy, LoadsWithItsRules) {
  const Policy policy = Policy::load(test::test_data("stored-0.1.0") / "policy.toml");
  EXPECT_EQ(policy.name, "cite-or-refuse");
  for (const Action action : {policy.on_recited, policy.on_unchecked, policy.on_off_topic, policy.on_uncited})
    EXPECT_EQ(action, Action::kSteer);
  EXPECT_EQ(policy.after_steering, Action::kRefuse);
  EXPECT_EQ(policy.max_sentences, 4);
  EXPECT_EQ(policy.refusal_text, "The documents do not support an answer to this question.");
}

}  // namespace
}  // namespace openbook
