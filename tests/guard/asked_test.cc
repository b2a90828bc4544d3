// Sentences that answer, and which of several places is cited.
#include <gmock/gmock.h>

#include "guard/ground.h"

namespace openbook::guard {
namespace {

using test::Ground;
using test::shown;
using test::speak;
using testing::ElementsAre;
using testing::IsEmpty;

// ---- sentences that answer

std::vector<std::string> closest(const Topic& topic, const std::vector<Passage>& passages) {
  std::vector<std::string> texts;
  for (const SentencePlace& place : topic.closest_of(topic.sentences_on_topic()))
    texts.emplace_back(slice(passages[place.passage].text, place.range));
  return texts;
}

TEST(Topic, ASentenceAnswersWhenItHoldsWhatIsAskedOrIsVeryClose) {
  const Ground ground("What is the capital of Norway?",
                      {whole_document("d", "Norway has fjords. The capital of Norway is Bergen. Norway is cold.")}, 0.5);
  EXPECT_TRUE(ground.topic->answers("The capital of Norway is Bergen."));
  EXPECT_FALSE(ground.topic->answers("Norway has fjords."));
  EXPECT_THAT(closest(*ground.topic, ground.passages), ElementsAre("The capital of Norway is Bergen."));
  EXPECT_EQ(ground.topic->sentences_on_topic().size(), 3u) << "all speak of the subject";
}

TEST(Topic, WithoutASentenceThatAnswersTheClosestAreStillDrawnTo) {
  const Ground ground("What is the capital of Norway?", {whole_document("d", "Norway has fjords. Rain fell.")}, 0.5);
  EXPECT_THAT(closest(*ground.topic, ground.passages), ElementsAre("Norway has fjords."));
  const Ground none("What is the capital of Norway?", {whole_document("d", "Rain fell.")}, 0.5);
  EXPECT_THAT(closest(*none.topic, none.passages), IsEmpty());
}

TEST(Topic, ANameThatBeginsTheQuestionIsNotWhatIsAsked) {
  const Ground ground("Warsaw is the capital of which country?", {whole_document("d", "Warsaw is old.")}, 0.9);
  EXPECT_FALSE(ground.topic->answers("Warsaw is old."));
  EXPECT_TRUE(ground.topic->answers("It is the capital of the country Bahrain."));
}

TEST(Topic, WhereAQuestionHasNoWordButNamesClosenessDecides) {
  const Ground ground("Who is Ada Marlow?", {whole_document("d", "Ada Marlow retired.")}, 0.5);
  EXPECT_TRUE(ground.topic->answers("Ada Marlow retired."));
  EXPECT_FALSE(ground.topic->answers("Founded long ago, Marlow builds gauges."));
}

TEST(Topic, WithoutNamesASentenceIsAlsoCloseUnderItsHeadings) {
  const openbook::test::HashingEmbedder embedder("hashing", 4096);
  std::vector<Passage> passages = {whole_document("x.txt", "It is led by Ada."), whole_document("x.txt", "It is led by Ada.")};
  passages[1].context = "Who leads the team here";
  const test::AskedTopic topic("who leads the support team?", passages, test::bytes(), embedder, 0.5);
  EXPECT_FALSE(topic->sentence_on_topic(0, passages[0].range));
  EXPECT_TRUE(topic->sentence_on_topic(1, passages[1].range));
}

TEST(Topic, PlacesUnderTheSameHeadingsOfADocumentAreOneSection) {
  const std::string text = "# Guide\n\nOne.\n\n## Power\n\nTwo. Three.\n\n## Radio\n\nFour.\n";
  const Ground ground("What is Power?", {whole_document("a", text), whole_document("b", text)});
  const auto one_section = [&](const char* a, const char* b, int32_t passage_of_b = 0) {
    return ground.topic->in_one_section(ground.place(a, 0), ground.place(b, passage_of_b));
  };
  EXPECT_TRUE(one_section("Two", "Three"));
  EXPECT_FALSE(one_section("Two", "Four"));
  EXPECT_FALSE(one_section("One", "Two"));
  EXPECT_FALSE(one_section("Two", "Two", 1)) << "another document";
}

// ---- which place is cited

TEST(JudgeByQuote, ASentenceFromSeveralSectionsKeepsTheClaimsOfOne) {
  const Ground ground("What does Marlow do?", {whole_document("d",
                                                              "# Marlow\n\n## Offices\n\nMarlow closes on Sunday.\n\n"
                                                              "## News\n\nMarlow opened a tower in Leeds.\n")});
  const Spoken stitched = speak({{"It "}, {"closes"}, {" on the "}, {"tower"}, {" in "}, {"Leeds"}, {"."}}, ground.prompt);
  const Judgement judgement = judge_by_quote(stitched, ground.context());
  EXPECT_THAT(shown(judgement, stitched.text),
              ElementsAre("closes: unsupported", "on: unsupported", "tower: supported", "Leeds: supported"));
  EXPECT_EQ(judgement.claims[0].verdict, Verdict::kUnchecked);
  ASSERT_EQ(judgement.citations.size(), 2u);
  for (const Citation& citation : judgement.citations) EXPECT_EQ(citation.sentence_text, "Marlow opened a tower in Leeds.");
}

TEST(JudgeByQuote, TheFirstClaimIsCitedWhereItAnswersTheOthersWhereTheyWereRead) {
  const Ground ground("What is the capital of Norway?",
                      {whole_document("d", "Bergen of Norway has rain. The capital of Norway is Bergen, with rain.")}, 0.5);
  const Spoken spoken =
      speak({{"It is "}, {"Bergen", 0, {ground.place("Bergen", 0)}}, {" with the "}, {"rain", 0, {ground.place("rain", 0)}}},
            ground.prompt);
  const Judgement judgement = judge_by_quote(spoken, ground.context());
  ASSERT_EQ(judgement.citations.size(), 2u);
  EXPECT_EQ(judgement.citations[0].sentence_text, "The capital of Norway is Bergen, with rain.");
  EXPECT_EQ(judgement.citations[1].sentence_text, "Bergen of Norway has rain.");
}

TEST(Judge, ASentenceIsCitedRatherThanTheHeadingAboveIt) {
  const std::string text =
      "## Marlow moves to Leeds\n\nThe office of Marlow is in Leeds.\n\n## Marlow in York\n\nMarlow saw York and Leeds.\n";
  const Ground ground("Where is the office of Marlow?", {whole_document("d", text)});
  const auto cited = [&](const std::string& word, size_t which) {
    const Spoken spoken = speak({{"In "}, {word, 1, {ground.place(word, 0, which)}}, {"."}}, ground.prompt);
    const Judgement judgement = judge_by_probe(spoken, ground.context());
    EXPECT_TRUE(judgement.has_supported());
    EXPECT_EQ(slice(text, judgement.citations.at(0).source), judgement.citations.at(0).quote);
    return judgement.citations.at(0).sentence_text;
  };
  EXPECT_EQ(cited("Leeds", 0), "The office of Marlow is in Leeds.") << "read from the heading";
  EXPECT_EQ(cited("Leeds", 2), "Marlow saw York and Leeds.") << "read from another sentence";
  EXPECT_EQ(cited("moves", 0), "## Marlow moves to Leeds") << "only the heading says it";
}

}  // namespace
}  // namespace openbook::guard
