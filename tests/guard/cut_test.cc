// Where spoken sentences are cut.
#include "answer/cut.h"

#include <gmock/gmock.h>

#include "guard/ground.h"

namespace openbook::guard {
namespace {

std::string without_repetition(const std::string& text) {
  const test::Ground ground("Who?", {whole_document("a.md", "Nobody.")});
  Spoken spoken = test::speak({{text}}, ground.prompt);
  const size_t tokens = spoken.tokens.size();
  end_before_repetition(spoken);
  EXPECT_EQ(spoken.tokens.size(), spoken.token_bytes.size());
  EXPECT_EQ(spoken.text.size(), spoken.tokens.size()) << "a token a byte";
  if (spoken.tokens.size() < tokens) {
    EXPECT_TRUE(spoken.last);
  }
  return spoken.text;
}

TEST(Cut, ASentenceEndsWhereItBeginsToSayItsLastWordsOverAgain) {
  EXPECT_EQ(without_repetition("It measures every 15 minutes every 15 minutes every 15 minutes."),
            "It measures every 15 minutes ");
  EXPECT_EQ(without_repetition("Central Europe's capital, Central Europe's capital, Cen"), "Central Europe's capital, ");
  EXPECT_EQ(without_repetition("in the centre. IN THE CENTRE. It"), "in the centre. ");
}

TEST(Cut, OneWordTwiceOrTheSameWordsElsewhereAreNoRepetition) {
  for (const char* text : {"It is very very old.", "A city of art and a city of music.", "1, 1, 1", "Paris", "", "..."})
    EXPECT_EQ(without_repetition(text), text);
}

}  // namespace
}  // namespace openbook::guard
