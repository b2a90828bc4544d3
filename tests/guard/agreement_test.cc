// Binding words: "may", "not", "to" must agree with the sentence that is cited beside them.
#include "judge/agreement.h"

#include <gmock/gmock.h>

#include "guard/ground.h"

namespace openbook::guard {
namespace {

using test::Ground;

// What becomes of a sentence whose every word the probe calls copied, and whose every claim was read where it stands.
Judgement judge(const Ground& ground, const std::string& sentence) {
  std::vector<test::Piece> pieces;
  const std::vector<TextWord> words = read_words(sentence, Language::kEnglish);
  int64_t done = 0;
  for (const TextWord& word : words) {
    test::Piece piece{sentence.substr(static_cast<size_t>(done), static_cast<size_t>(word.bytes.end - done)), 1};
    for (int32_t p = 0; p < static_cast<int32_t>(ground.read.size()); ++p)
      for (const ByteSpan& place : ground.read[p].find(std::span(&word, 1))) piece.looked_at.push_back({p, place});
    pieces.push_back(std::move(piece));
    done = word.bytes.end;
  }
  return judge_by_probe(test::speak(pieces, ground.prompt), ground.context());
}

bool stands(const Judgement& judgement) {
  return !judgement.claims.empty() && std::all_of(judgement.claims.begin(), judgement.claims.end(), [](const Claim& claim) {
    return claim.support == Support::kSupported && claim.verdict == Verdict::kCopied;
  });
}

struct Row {
  const char* source;
  const char* right;
  const char* wrong;
};

TEST(Agreement, ABindingWordStandsInFrontOfTheSameWordInTheSource) {
  for (const Row& row : std::vector<Row>{
           {"Marlow sends grain to Quay by rail.", "Marlow sends grain to Quay.", "Marlow sends grain from Quay."},
           {"At Marlow guests must not feed geese on Sunday.", "Guests must not feed geese.", "Guests must feed geese."},
           {"At Marlow guests may feed geese on Sunday.", "Guests may feed geese.", "Guests must feed geese."},
           {"At Marlow guests may feed geese on Sunday.", "Guests may feed geese.", "Guests may not feed geese."},
           {"The Marlow gate opens only on Sunday at noon.", "The gate opens only on Sunday.", "The gate opens on Sunday."},
           {"Marlow could flood in rare cases, says the board.", "Marlow could flood.", "Marlow will flood."},
           {"Marlow stores cheese from -18 to 4 degrees all year.", "Cheese from -18 to 4 degrees.",
            "Cheese from 4 to -18 degrees."},
           {"The Marlow gate opens before dawn in May.", "The gate opens before dawn.", "The gate opens after dawn."}}) {
    const Ground ground("What about Marlow?", {whole_document("d", row.source)}, -1);
    EXPECT_TRUE(stands(judge(ground, row.right))) << row.right;
    EXPECT_FALSE(stands(judge(ground, row.wrong))) << row.wrong;
  }
}

TEST(Agreement, ASpellingThatNamesIsNotTheFunctionWordOfTheSameLetters) {
  for (const Row& row : std::vector<Row>{
           {"At Marlow you may swim with us.", "At Marlow you may swim with us.", "At Marlow you swim in May."},
           {"Marlow sold it to us with a lid.", "Marlow sold it to us.", "Marlow sold it to the US."},
           {"Marlow asks who paints the hull, a ship.", "Marlow asks who paints the hull.", "Marlow asks WHO paints the hull."},
           {"At Marlow ticket B costs a crown a day.", "Ticket B costs a crown.", "Ticket A costs a crown."}}) {
    const Ground ground("What about Marlow?", {whole_document("d", row.source)}, -1);
    EXPECT_TRUE(stands(judge(ground, row.right))) << row.right;
    EXPECT_FALSE(stands(judge(ground, row.wrong))) << row.wrong;
  }
}

TEST(Agreement, APhraseThatTheSourceDrawsTogetherStillAgrees) {
  const Ground ground("What about Marlow?", {whole_document("d", "Marlow opened in the spring of 1911.")}, -1);
  EXPECT_TRUE(stands(judge(ground, "It opened in 1911.")));
}

TEST(Agreement, WithoutACitedClaimABindingWordIsWorthWhatStandsBesideIt) {
  const Ground ground("What about Marlow?", {whole_document("d", "Marlow is old.")}, -1);
  const Judgement judgement = judge_by_probe(test::speak({{"It is in "}, {"Leeds", 0}, {"."}}, ground.prompt), ground.context());
  ASSERT_EQ(judgement.claims.size(), 1u);
  EXPECT_EQ(judgement.words[2].verdict, Verdict::kRecited);
}

}  // namespace
}  // namespace openbook::guard
