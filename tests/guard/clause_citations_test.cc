// One citation for each source sentence that a clause rests on.
#include "answer/clause_citations.h"

#include <gmock/gmock.h>

#include "guard/ground.h"

namespace openbook::guard {
namespace {

using test::Ground;
using testing::ElementsAre;

std::vector<std::string> shown(const std::string& text, const CitedClauses& cited) {
  std::vector<std::string> lines;
  for (const Citation& citation : cited.citations)
    lines.push_back(std::string(slice(text, citation.answer)) + " <- " + citation.quote);
  return lines;
}

TEST(ClauseCitations, OneForAClauseWithTheShortestRunThatHoldsItsClaims) {
  const Ground ground(
      "How much leave is there?",
      {whole_document("d", "Leave: days off. Full-time staff have 28 days of paid leave a year, and 28 is enough.")}, -1);
  const std::string text = "Full-time staff have 28 days of paid leave.";
  const Spoken spoken = test::speak({{text, 0}}, ground.prompt);
  const Judgement judgement = judge_by_quote(spoken, ground.context());
  ASSERT_GT(judgement.citations.size(), 2u);
  const CitedClauses cited = cite_clauses(judgement, ground.read);
  EXPECT_THAT(shown(text, cited),
              ElementsAre("Full-time staff have 28 days of paid leave <- Full-time staff have 28 days of paid"));
  for (const Claim& claim : cited.claims) EXPECT_EQ(claim.citation, 0);
}

TEST(ClauseCitations, ClausesThatRestOnOtherSentencesHaveTheirOwnAndNeighboursThatShareOneAreJoined) {
  const Ground ground("What about Tern?", {whole_document("d", "Tern has a pier. Tern has a mast and a mole. Tern has a weir.")},
                      -1);
  const std::string text = "Tern has a pier, a mast, a mole, and a weir.";
  const Judgement judgement = judge_by_quote(test::speak({{text, 0}}, ground.prompt), ground.context());
  EXPECT_THAT(shown(text, cite_clauses(judgement, ground.read)),
              ElementsAre("pier <- pier", "mast, a mole <- mast and a mole", "weir <- weir"));
}

TEST(ClauseCitations, QuotesAreBytesOfTheDocumentAndHoldTheClaims) {
  const std::string document = "Rain. The mill grinds rye; it grinds oats, too. The mill is old.";
  Passage passage = whole_document("d", document);
  passage.range.begin = 6;
  passage.text = document.substr(6);
  const Ground ground("What does the mill grind?", {passage}, -1);
  const std::string text = "Rye, oats, too: old.";
  const Judgement judgement = judge_by_quote(test::speak({{text, 0}}, ground.prompt), ground.context());
  const CitedClauses cited = cite_clauses(judgement, ground.read);
  EXPECT_THAT(shown(text, cited), ElementsAre("Rye, oats, too <- rye; it grinds oats, too", "old <- old"));
  for (const Citation& citation : cited.citations) {
    EXPECT_EQ(slice(document, citation.source), citation.quote);
    EXPECT_EQ(slice(document, citation.sentence), citation.sentence_text);
  }
}

}  // namespace
}  // namespace openbook::guard
