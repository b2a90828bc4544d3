// The figures of `openbook eval conflict` from outcomes written by hand.
#include "eval/conflict_tally.h"

#include <gtest/gtest.h>

#include "openbook/base/words.h"

namespace openbook::guard {
namespace {

using attribution::GivenAnswer;
using attribution::Setting;

constexpr char kDocument[] = "The capital of Norway is Bergen.";
constexpr char kDecoy[] = "Oslo was the title of a book.";

// A model that said `city`, of which the probe read `probability_copied`.
Answer answer_of(const std::string& city, double probability_copied) {
  Answer answer;
  answer.outcome = Outcome::kAnswered;
  answer.text = "It is " + city + ".";
  const ByteSpan bytes{6, 6 + static_cast<int64_t>(city.size())};
  answer.words = {{.answer = {0, 2}, .verdict = Verdict::kNeutral, .probability_copied = 0.5},
                  {.answer = bytes, .verdict = Verdict::kCopied, .probability_copied = probability_copied}};
  return answer;
}

ConflictResult said(const std::string& city, double probability_copied, std::optional<bool> copied,
                    const std::vector<std::string>& documents = {kDocument}) {
  ConflictResult result;
  result.made.subject = "Norway";
  result.made.document_answer = "Bergen";
  result.made.memory_answer = "Oslo";
  for (const std::string& text : documents) result.made.passages.push_back(whole_document("Norway", text));
  result.unguarded = answer_of(city, probability_copied);
  result.unguarded_given = given(result.unguarded.text, result.made);
  result.copied = copied;
  return result;
}

ConflictTally tally_of(const std::vector<ConflictResult>& results, bool guarded = false) {
  ConflictTally tally;
  for (const ConflictResult& result : results) tally.add(result, guarded);
  return tally;
}

TEST(ConflictTally, EverySettingIsScoredAmongItsOwn) {
  const auto figures = conflict_figures(
      {{Setting::kBare, tally_of({said("Bergen", 0.9, true), said("Oslo", 0.2, false), said("Oslo", 0.95, false)})},
       {Setting::kDecoy, tally_of({said("Bergen", 0.8, true), said("Oslo", 0.1, false)})},
       {Setting::kOwn, tally_of({said("Bergen", 0.15, true)})},
       {Setting::kSilent, tally_of({said("Oslo", 0.3, false, {"Norway."})})}},
      false);
  EXPECT_EQ(figures["auc_bare"], nlohmann::ordered_json::parse(R"({"auc": 0.5, "copied": 1, "recited": 2})"));
  EXPECT_EQ(figures["auc_decoy"], nlohmann::ordered_json::parse(R"({"auc": 1.0, "copied": 1, "recited": 1})"));
  EXPECT_EQ(figures["auc_silent"], nlohmann::ordered_json::parse(R"({"auc": 0.0, "copied": 1, "recited": 1})"));
  // 0.9 and 0.8 stand above 0.2, 0.1 and 0.3 of the four recited ones, 0.15 above 0.1.
  EXPECT_EQ(figures["auc_pooled"], nlohmann::ordered_json::parse(R"({"auc": 0.5833, "copied": 3, "recited": 4})"));
  EXPECT_FALSE(figures.contains("auc_steered"));
}

TEST(ConflictTally, TheStringsBaselineKnowsOnlyWhetherThePassagesHoldTheAnswer) {
  const auto figures =
      conflict_figures({{Setting::kDecoy, tally_of({said("Bergen", 0.1, true, {kDocument, kDecoy}),
                                                    said("Oslo", 0.9, false, {kDocument, kDecoy}), said("Oslo", 0.9, false)})}},
                       false);
  EXPECT_EQ(figures["auc_string_match"], nlohmann::ordered_json::parse(R"({"auc": 0.75, "copied": 1, "recited": 2})"));
  EXPECT_EQ(figures["auc_decoy"]["auc"], 0.0);
}

TEST(ConflictTally, WhatHasNoLabelIsCountedAndScoredNowhere) {
  const auto figures = conflict_figures(
      {{Setting::kBare, tally_of({said("Bergen", 0.9, true), said("Lund", 0.9, std::nullopt), said("Oslo", 0.9, std::nullopt)})}},
      false);
  const auto& bare = figures["settings"]["bare"];
  EXPECT_EQ(bare["cases"], 3);
  EXPECT_EQ(bare["unlabelled"], 1);     // gave neither answer
  EXPECT_EQ(bare["label_dropped"], 1);  // gave one, and neither it nor the replacement followed
  EXPECT_EQ(bare["unguarded_document"]["hits"], 1);
  EXPECT_EQ(bare["unguarded_memory"]["hits"], 1);
  EXPECT_EQ(figures["auc_bare"]["copied"].get<int>() + figures["auc_bare"]["recited"].get<int>(), 1);
}

// `city` as it was said in an attempt.
Attempt attempt(const std::string& what, const std::string& city, double probability_copied) {
  const Answer answer = answer_of(city, probability_copied);
  return {.what = what,
          .text = answer.text,
          .outcome = "",
          .tokens = {{.answer = {0, 6}, .probability_copied = 0.5},
                     {.answer = answer.words[1].answer, .probability_copied = probability_copied}}};
}

TEST(ConflictTally, SteeredAnswersAreScoredByWhatTheyGaveInBareOnly) {
  ConflictResult result = said("Oslo", 0.1, false);
  result.guarded = answer_of("Bergen", 0.9);
  result.guarded.trace = {attempt("decode", "Oslo", 0.05), attempt("steer", "Bergen", 0.4), attempt("steer", "Oslo", 0.6),
                          attempt("steer", "Bergen", 0.7), attempt("steer", "Lund", 0.99)};
  const auto figures =
      conflict_figures({{Setting::kBare, tally_of({result}, true)}, {Setting::kOwn, tally_of({result}, true)}}, true);
  EXPECT_EQ(figures["auc_steered"], nlohmann::ordered_json::parse(R"({"auc": 0.5, "copied": 2, "recited": 1})"));
  EXPECT_FALSE(conflict_figures({{Setting::kOwn, tally_of({result}, true)}}, true).contains("auc_steered"));
}

TEST(ConflictTally, CopiedOffTopicIsCountedWhetherItWasShownOrRefused) {
  std::vector<ConflictResult> results;
  for (const auto& [support, outcome] :
       {std::pair{Support::kCopiedOffTopic, Outcome::kAnswered}, std::pair{Support::kCopiedOffTopic, Outcome::kRefused},
        std::pair{Support::kSupported, Outcome::kAnswered}, std::pair{Support::kUnsupported, Outcome::kRefused}}) {
    results.push_back(said("Bergen", 0.9, true));
    results.back().guarded = answer_of("Bergen", 0.9);
    results.back().guarded.outcome = outcome;
    results.back().guarded.claims = {{.answer = {6, 12}, .verdict = Verdict::kCopied, .support = support}};
  }
  const auto own = conflict_figures({{Setting::kOwn, tally_of(results, true)}}, true)["settings"]["own"];
  EXPECT_EQ(own["copied_off_topic"]["hits"], 2);
  EXPECT_EQ(own["copied_off_topic"]["of"], 4);
  EXPECT_EQ(own["delivered_supported"]["hits"], 1);
  EXPECT_EQ(own["delivered_document"]["hits"], 2);
  EXPECT_EQ(own["refused"]["hits"], 2);
}

}  // namespace
}  // namespace openbook::guard
