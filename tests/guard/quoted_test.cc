// Sentences that stand in a passage word for word, and texts that say what one sentence says.
#include "judge/quoted.h"

#include <gmock/gmock.h>

#include "guard/ground.h"
#include "judge/one_source.h"

namespace openbook::guard {
namespace {

using test::Ground;

bool quoted(const Ground& ground, const std::string& sentence) {
  return find_quoted(read_words(sentence, Language::kEnglish), ground.context()).has_value();
}

TEST(Quoted, IsAWholeSentenceOrAWholeClause) {
  const Ground ground("What about Tern?", {whole_document("d",
                                                          "Only guests may bring dogs; cats stay out. Tern, an island, is "
                                                          "small (it has 12 houses). \u201cNo ship calls,\u201d said Ada.")});
  for (const char* sentence : {"Only guests may bring dogs; cats stay out.", "Only guests may bring dogs.", "Cats stay out",
                               "cats stay out!", "It has 12 houses.", "No ship calls."})
    EXPECT_TRUE(quoted(ground, sentence)) << sentence;
  for (const char* sentence : {"Guests may bring dogs.", "Only guests may bring.", "Cats stay.", "Dogs stay out.",
                               "It has 12 houses. No ship calls.", "", "..."})
    EXPECT_FALSE(quoted(ground, sentence)) << sentence;
}

TEST(Quoted, IsCopiedWhateverTheProbeSaysAndSaysSo) {
  const Ground ground("Where is Tern?", {whole_document("d", "Rain fell. Tern is in the north.")});
  const Judgement recited = judge_by_probe(test::speak({{"Tern is in the north.", 0}}, ground.prompt), ground.context());
  EXPECT_TRUE(recited.quoted);
  EXPECT_TRUE(recited.has_supported());
  EXPECT_FALSE(recited.has(Verdict::kRecited) || recited.has(Verdict::kUnchecked));
  const Judgement other = judge_by_probe(test::speak({{"Tern is in the south.", 0}}, ground.prompt), ground.context());
  EXPECT_FALSE(other.quoted);
  EXPECT_TRUE(other.has(Verdict::kRecited));
}

TEST(Quoted, OnTopicMattersForWhatTheModelSaysAndNotForWhatIsChecked) {
  const Ground ground("Where is Tern?", {whole_document("d", "Rain fell in Ghent.")});
  const Spoken spoken = test::speak({{"Rain fell in Ghent.", 0}}, ground.prompt);
  JudgeContext context = ground.context();
  EXPECT_FALSE(judge_by_probe(spoken, context).has_supported());
  context.written_elsewhere = true;
  EXPECT_TRUE(judge_by_probe(spoken, context).has_supported());
}

bool one_source(const Ground& ground, const std::string& sentence) {
  return find_one_source(read_words(sentence, Language::kEnglish), Language::kEnglish, ground.context()).has_value();
}

TEST(OneSource, HoldsAllThatIsSaidInItsOrderWithoutAnotherClauseBetween) {
  const Ground ground("What about Tern?", {whole_document("d",
                                                          "# Tern\n\nKestrel bought Merlin in 1990. Plover has 4 ships. "
                                                          "It also owns 3 docks and 2 cranes.\n"),
                                           whole_document("e", "Osprey has 9 ships.")});
  for (const char* sentence :
       {"Kestrel bought Merlin.", "Kestrel bought Merlin in 1990.", "Plover has 4 ships.", "Plover also owns 3 docks.",
        "Plover owns 3 docks.", "According to the documents, Plover has 4 ships."})
    EXPECT_TRUE(one_source(ground, sentence)) << sentence;
  for (const char* sentence : {"Merlin bought Kestrel.", "Kestrel has 4 ships.", "Osprey owns 3 docks.", "Plover has 3 docks.",
                               "Kestrel in 1990.", "Plover owns 3 cranes.", "Kestrel bought Plover.", "Heron bought Merlin."})
    EXPECT_FALSE(one_source(ground, sentence)) << sentence;
}

}  // namespace
}  // namespace openbook::guard
