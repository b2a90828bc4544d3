// Words as the guard compares them: values in every spelling, and spellings that are names.
#include "text/text_word.h"

#include <gmock/gmock.h>

#include "guard/ground.h"

namespace openbook::guard {
namespace {

using testing::ElementsAre;
using testing::IsSupersetOf;

std::vector<std::string> found(const std::string& document, const std::string& wanted) {
  const Passage passage = whole_document("d", document);
  std::vector<std::string> places;
  for (const ByteSpan& place : ReadPassage(passage).find(read_words(wanted, Language::kEnglish)))
    places.emplace_back(slice(document, place));
  return places;
}

TEST(ReadPassage, FindsNumbersAndDaysInEverySpelling) {
  EXPECT_THAT(found("It had 12,500 guests.", "12500 guests"), ElementsAre("12,500 guests"));
  EXPECT_THAT(found("It had 112,500 guests.", "12500"), ElementsAre());
  EXPECT_THAT(found("The pier opened on 9 May 2001.", "2001-05-09"), ElementsAre("9 May 2001"));
  EXPECT_THAT(found("The pier opened on 2001-05-09.", "May 9th, 2001"), ElementsAre("2001-05-09"));
  EXPECT_THAT(found("The pier opened on 9 May 2001.", "May 2001"), ElementsAre("May 2001")) << "a part of a day by its words";
  EXPECT_THAT(found("The pier opened on 9 May 2001.", "2001-05-19"), ElementsAre());
}

TEST(ComparableWords, HoldTheValuesAndDaysWithoutYearOrDay) {
  EXPECT_THAT(comparable_words("Open since May 9, 2001"), IsSupersetOf({"open", "2001-05-09", "--05-09", "2001-05"}));
}

TEST(ReadWords, KnowWhatIsSpeltAsAName) {
  std::vector<std::string> names;
  for (const TextWord& word : read_words("May we see WHO in May? US ships it. A plan A.", Language::kEnglish))
    if (word.spelt_as_name) names.push_back(word.written);
  EXPECT_THAT(names, ElementsAre("WHO", "May", "US", "A"));
  for (const TextWord& word : read_words("WHO MAY ENTER", Language::kEnglish)) EXPECT_FALSE(word.spelt_as_name) << word.written;
}

TEST(Judge, ADayInDigitsIsOneClaimAndAnAskedOneIsNeutralInAnySpelling) {
  const test::Ground ground("Who opened the pier on 9 May 2001?", {whole_document("d", "Ada opened the pier on 9 May 2001.")}, -1);
  const Spoken spoken = test::speak({{"Ada, on 2001-05-09, and again on 2003-02-01.", 1}}, ground.prompt);
  std::vector<std::string> claims;
  for (const Claim& claim : judge_by_probe(spoken, ground.context()).claims) claims.emplace_back(slice(spoken.text, claim.answer));
  EXPECT_THAT(claims, testing::Contains("2003-02-01"));
  EXPECT_THAT(claims, testing::Not(testing::Contains("2001-05-09")));
}

}  // namespace
}  // namespace openbook::guard
